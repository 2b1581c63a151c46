"""How noise levels are weighed in a loss: by name, by a function of σ, or by one that knows of the objective."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Float

from ..checks import InputError, choice, finite_array, shown

Levels: TypeAlias = Float[np.ndarray, "*own sigma"]
"""Noise levels: one axis for all modes, or (mode, sigma) where every mode has its own."""


@dataclass(frozen=True)
class NoiseWeight(ABC):
    """A weight of noise levels that a file can hold. Subclasses are frozen dataclasses."""

    @abstractmethod
    def of(self, objective: Any, sigma: Levels) -> Levels:
        """Weight at each noise level of an objective."""

    @abstractmethod
    def __call__(self, sigma: Levels) -> Levels:
        """The same for the objective that it is made for, at its defaults."""


Weight: TypeAlias = Literal["uniform", "edm", "snr"] | NoiseWeight | Callable[[Any], Any]
WEIGHTS = ("uniform", "edm", "snr")


def check_weight(weight: Any, names: tuple[str, ...] = WEIGHTS) -> None:
    """Raise unless a weight is one of the names, or can be called."""
    if callable(weight):
        return
    if len(names) > 1:
        choice("weight", weight, names)
    elif weight != names[0]:
        raise InputError(
            f"weight must be {names[0]!r}, MinSNR(), P2(), Sigmoid(), NoisePower(beta) or a function of σ, got {shown(weight)}"
        )


def weights_at(weight: Callable[[Any], Any], sigma: Levels) -> Levels:
    """Values of a weight at noise levels; InputError unless it gives one number >= 0 for each."""
    given = finite_array("weight", weight(sigma), "a function from noise levels (sigma,) to weights >= 0")
    if given.shape != np.shape(sigma):
        raise InputError(f"weight must give numbers >= 0 of shape {np.shape(sigma)}, got shape {given.shape}")
    lowest = given.min(initial=0.0)
    if lowest < 0:
        raise InputError(f"weight must give numbers >= 0, got {lowest:.4g}")
    return given
