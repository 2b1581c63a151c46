"""Starts that are not aligned with the data's modes: whole matrices, of which off-diagonal overlaps must decay (App. E.1.2)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ...checks import InputError, finite_array, number_option, seed_option


class Start(ABC):
    """A matrix of weights at time 0, in mode coordinates. Subclasses are frozen dataclasses."""

    @abstractmethod
    def matrix(self, d: int) -> Float[np.ndarray, "d d"]:
        """The weights for data of d modes."""


@dataclass(frozen=True)
class GaussianStart(Start):
    """Independent normal weights of standard deviation scale/√d, the usual random initialisation.

    **Parameters**

    - `scale`: root-mean-square gain of a row.
    - `seed`: of the draw.
    """

    scale: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        number_option(self, "scale", at_least=0)
        seed_option(self)

    def matrix(self, d: int) -> Float[np.ndarray, "d d"]:
        return np.random.default_rng(self.seed).standard_normal((d, d)) * (self.scale / np.sqrt(d))


@dataclass(frozen=True, repr=False)
class MatrixStart(Start):
    """Given weights.

    **Parameters**

    - `weights`: (mode, mode), row = output mode. Kept as nested tuples, so that a recipe can be compared and written down.
    """

    weights: Any

    def __post_init__(self) -> None:
        array = finite_array("weights", self.weights, "a square (mode, mode) matrix of finite numbers")
        if array.ndim != 2 or array.shape[0] != array.shape[1]:
            raise InputError(f"weights must be a square (mode, mode) matrix, got shape {array.shape}")
        object.__setattr__(self, "weights", tuple(map(tuple, array.tolist())))

    def __repr__(self) -> str:
        return f"MatrixStart({len(self.weights)}×{len(self.weights)})"

    def matrix(self, d: int) -> Float[np.ndarray, "d d"]:
        if len(self.weights) != d:
            raise InputError(f"weights must be {d}×{d} for {d} modes, got {len(self.weights)}×{len(self.weights)}")
        return np.array(self.weights)
