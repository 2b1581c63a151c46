"""What a route finds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from ..recipe.recipe import Recipe
from ..spectrum.spectrum import Spectrum


@dataclass(frozen=True, eq=False)
class Wanted:
    """What to compute: times, the noise levels at which to keep gain and loss, and whether to keep the whole covariance."""

    time: Float[np.ndarray, " time"]
    sigma: Float[np.ndarray, " sigma"]
    gain: bool
    loss: bool
    covariance: bool


@dataclass(frozen=True, eq=False)
class Solution:
    """Generated variance along the modes, and whatever else a route can tell, by its name in a `LearningCurve`.

    - `variance`: (time, mode); `initial`: (mode,), before training.
    - `extra`: name -> (dims, values).
    """

    variance: Float[np.ndarray, "time mode"]
    initial: Float[np.ndarray, " mode"]
    extra: dict[str, tuple[tuple[str, ...], np.ndarray]] = field(default_factory=dict)


Solver: TypeAlias = Callable[[Recipe, Spectrum, Wanted], Solution]
