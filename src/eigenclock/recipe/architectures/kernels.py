"""How strongly training at one noise level moves the network at another: kernels over noise levels (T13)."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import scipy
from jaxtyping import Float

from ...checks import InputError, finite_array, noise_levels, number_option, shown

Levels: TypeAlias = Float[np.ndarray, " sigma"]
Others: TypeAlias = Float[np.ndarray, " other"]

MOST_NEGATIVE = 1e-8
"""Eigenvalue, relative to the largest, below which a kernel is not positive semi-definite: more than rounding."""


class NoiseKernel(ABC):
    """K(σ, σ') = Σ_j φ_j(σ)φ_j(σ') of a network F(x, σ) = Σ_j φ_j(σ)·W_j x. Subclasses are frozen dataclasses."""

    @abstractmethod
    def matrix(self, sigma: Levels, other: Others) -> Float[np.ndarray, "sigma other"]:
        """K between two sets of noise levels, per unit of ln σ."""

    def check(self, sigma: Levels) -> None:
        """Raise unless K is symmetric positive semi-definite on these levels."""
        k = self.matrix(sigma, sigma)
        if not np.isfinite(k).all():
            raise InputError("kernel must be finite at every noise level, got an entry that is not")
        size = np.abs(k).max(initial=0.0)
        if size == 0 or np.abs(k - k.T).max() > 1e-10 * size:
            raise InputError(f"kernel must be symmetric and not zero, got an asymmetry of {np.abs(k - k.T).max():g}")
        smallest = float(np.linalg.eigvalsh(k)[0])
        if smallest < -MOST_NEGATIVE * size * len(k):
            raise InputError(f"kernel must be positive semi-definite, got an eigenvalue of {smallest:g}")


@dataclass(frozen=True)
class GaussianKernel(NoiseKernel):
    """Coupling over a length in ln σ: exp(−(ln σ/σ')²/2ℓ²)/(ℓ√(2π)). As ℓ → 0 every level is trained alone.

    **Parameters**

    - `length`: ℓ, in e-folds of σ.
    """

    length: float = 1.0

    def __post_init__(self) -> None:
        number_option(self, "length", above=0)

    def matrix(self, sigma: Levels, other: Others) -> Float[np.ndarray, "sigma other"]:
        apart = np.log(sigma)[:, None] - np.log(other)
        return np.exp(-((apart / self.length) ** 2) / 2) / (self.length * np.sqrt(2 * np.pi))


@dataclass(frozen=True)
class FeatureMap(NoiseKernel):
    """Any features of the noise level, for instance the embedding of a real network.

    A file cannot hold a function: a saved recipe has the kernel at the training levels instead, as a `KernelMatrix`.

    **Parameters**

    - `features`: function of noise levels (sigma,) that gives (sigma, feature).

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> def embedding(sigma):
    ...     phase = np.log(sigma)[:, None] / 4 * np.arange(1, 9)
    ...     return np.concatenate([np.cos(phase), np.sin(phase)], axis=1) / 4
    >>> network = ec.Coupled(kernel=ec.FeatureMap(embedding))
    >>> ec.predict(ec.Spectrum([1.0]), objective=ec.EDM(density=ec.LogNormal()), architecture=network).variance.sizes["mode"]
    1

    ```
    """

    features: Callable[[Any], Any]

    def __post_init__(self) -> None:
        if not callable(self.features):
            raise InputError(
                f"features must be a function from (sigma,) to (sigma, feature), got {shown(self.features)}"
            )

    def matrix(self, sigma: Levels, other: Others) -> Float[np.ndarray, "sigma other"]:
        return self._features(sigma) @ self._features(other).T

    def _features(self, sigma: Float[np.ndarray, " level"]) -> Float[np.ndarray, "level feature"]:
        array = finite_array("features", self.features(sigma), "a function from (sigma,) to finite (sigma, feature)")
        if array.ndim != 2 or len(array) != sigma.size:
            raise InputError(f"features must give shape ({sigma.size}, feature), got {array.shape}")
        return array


@dataclass(frozen=True, repr=False)
class KernelMatrix(NoiseKernel):
    """A kernel measured at some noise levels, for instance the gradient overlaps of a network; between them its features are
    interpolated by natural cubic splines in ln σ, beyond them they stay as at the ends.

    **Parameters**

    - `sigma`: (sigma,) increasing noise levels.
    - `values`: (sigma, sigma) symmetric positive semi-definite.
    """

    sigma: Any
    values: Any

    def __post_init__(self) -> None:
        levels = noise_levels(self.sigma)
        values = finite_array("values", self.values, "a symmetric positive semi-definite (sigma, sigma) matrix")
        if values.shape != (levels.size, levels.size) or (np.diff(levels) <= 0).any():
            raise InputError(
                f"values must be (sigma, sigma) at increasing sigma, got {values.shape} and {levels.size} levels"
            )
        object.__setattr__(self, "sigma", tuple(levels.tolist()))
        object.__setattr__(self, "values", tuple(map(tuple, values.tolist())))
        self.check(levels)

    def __repr__(self) -> str:
        return f"KernelMatrix({len(self.sigma)} levels, {self.sigma[0]:.3g} to {self.sigma[-1]:.3g})"

    def matrix(self, sigma: Levels, other: Others) -> Float[np.ndarray, "sigma other"]:
        return self._hats(sigma) @ np.array(self.values) @ self._hats(other).T

    def _hats(self, sigma: Float[np.ndarray, " level"]) -> Float[np.ndarray, "level known"]:
        """Weights of natural cubic interpolation."""
        known = np.log(np.array(self.sigma))
        if known.size == 1:
            return np.ones((sigma.size, 1))
        spline = scipy.interpolate.CubicSpline(known, np.eye(known.size), bc_type="natural")
        return spline(np.clip(np.log(sigma), known[0], known[-1]))
