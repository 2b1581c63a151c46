"""What a sampler is to the theory: the noise levels it visits, and what it makes of a gain."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from numbers import Real
from typing import Any, ClassVar, TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from ...checks import LARGEST, SMALLEST, InputError, number, shown
from ...spectrum.spectrum import Spectrum

Gain: TypeAlias = Float[np.ndarray, "time mode sigma"]
Variance: TypeAlias = Float[np.ndarray, "time mode"]
Levels: TypeAlias = Float[np.ndarray, " sigma"]


Slope: TypeAlias = Any
"""1 − ψ at one noise level: numbers (time, mode), or matrices (..., d, d) that act from the left."""


Product: TypeAlias = Callable[[Any, Any], Any]
"""How two steps follow each other: `np.multiply` for modes on their own, `np.matmul` for matrices."""

Step: TypeAlias = tuple[Any, float]
"""What a sampler does in one step: x ← map·x + noise, as the map and the variance of the noise."""


Clean: TypeAlias = Callable[[Any, float], Any]
"""clean(x, sigma): the denoiser's estimate of the clean x, on arrays of the library that x is of."""

AddNoise: TypeAlias = Callable[[Any, float], Any]
"""add_noise(x, std): x and fresh independent noise of this standard deviation."""


class Sampler(ABC):
    """Turns noise into samples. Subclasses are frozen dataclasses with `sigma_min` and `sigma_max`."""

    papers: ClassVar[tuple[str, ...]] = ()
    """What to cite for it: names in `report.citation.PAPERS`."""

    sigma_min: float
    sigma_max: float

    def bound(self, spectrum: Spectrum) -> "Sampler":
        """The sampler on the modes of a spectrum: itself, but where it assumes their variances."""
        return self

    def some(self, modes: Any) -> "Sampler":
        """The sampler on some of the modes it is bound to, by their indices."""
        return self

    @property
    @abstractmethod
    def levels(self) -> Levels:
        """Noise levels at which the sampler needs the gain."""

    @abstractmethod
    def variance(self, gain: Gain) -> Variance:
        """Generated variance of each mode from its gain at `levels`; inf where it is beyond the range of a float."""

    def optimal(self, variance: Float[np.ndarray, " mode"]) -> Float[np.ndarray, " mode"]:
        """Variance that the sampler makes of the optimal denoiser, ψ* = λ/(λ+σ²), of data of these variances λ (T6)."""
        known = variance[:, None]
        return self.variance((known / (known + self.levels**2))[None])[0]

    @property
    def matrix_levels(self) -> Levels:
        """Noise levels at which the sampler needs a denoiser that is a matrix."""
        return self.levels

    @abstractmethod
    def steps_of(self, slope: Sequence[Slope], product: Product, identity: Any) -> Iterator[Step]:
        """The sampler's steps, in order, from 1 − ψ at `matrix_levels`."""

    @property
    @abstractmethod
    def evaluations(self) -> int:
        """How often `walk` calls the denoiser."""

    def check_walk(self) -> None:  # noqa: B027  (most samplers can always be walked)
        """InputError where no real denoiser can be sampled."""

    @abstractmethod
    def walk(self, x: Any, clean: Clean, add_noise: AddNoise) -> Any:
        """Samples of a real denoiser from x, standard noise times sigma_max: arrays of NumPy or PyTorch, (n, ...).

        To be simulated too it must ask for noise levels among `levels` only.
        """

    def refined(self, gain: Gain) -> "tuple[Bool[np.ndarray, ' mode'], Sampler] | None":
        """Modes whose gain `levels` do not resolve, and the same sampler on finer levels; None if there is nothing to refine."""
        return None


def check_range(sigma_min: Any, sigma_max: Any) -> None:
    """Raise unless 0 <= sigma_min < sigma_max; a flow may end at 0 and start at inf."""
    number("sigma_min", sigma_min, at_least=0)
    if isinstance(sigma_max, bool) or not isinstance(sigma_max, Real):
        raise InputError(f"sigma_max must be a number, got {shown(sigma_max)}")
    for name, value in (("sigma_min", sigma_min), ("sigma_max", sigma_max)):
        if value not in (0, float("inf")) and not SMALLEST <= abs(value) <= LARGEST:
            raise InputError(f"{name} must be of magnitude {SMALLEST:g} to {LARGEST:g}, got {shown(value)}")
    if not 0 <= sigma_min < sigma_max:
        raise InputError(
            f"sigma_min must be >= 0 and < sigma_max, got sigma_min={sigma_min:g}, sigma_max={sigma_max:g}"
        )
