"""The modes that advice is computed on: of the data as they are, scaled, or with every coordinate of one size."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Float

from ..checks import InputError
from ..recipe.objectives import EDM_SIGMA_DATA
from ..spectrum.spectrum import Spectrum

Standardization: TypeAlias = Literal["none", "scale", "pixel"]
"""What is done to the data before training: nothing, one factor that makes the root mean square deviation 0.5, one for each
coordinate."""

STANDARDIZATIONS: tuple[Standardization, ...] = get_args(Standardization)

MOST_GROUPS = 192
"""Modes of nearly the same variance learn at nearly the same time: beyond this many they are taken together."""

MOST_PIXELS = 1024
"""Coordinates up to which they are scaled one by one: it takes the eigenvectors of their correlations."""

DEAD = 1e-14
"""Variances below this share of the largest are rounding."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Modes of the standardised data, those of nearly the same variance together.

    - `variance`: (group,) of each mode of a group, falling. - `weight`: (group,) how much variance the data have for each unit
      of the standardised data's: with nothing done, the number of modes. A distance from the data is Σ weight·(√v − √λ)².
    - `mean`: (group,) sum over modes of the squared mean's share, weighted likewise.
    - `scale`: root mean square deviation of a coordinate.
    """

    variance: Float[np.ndarray, " group"]
    weight: Float[np.ndarray, " group"]
    mean: Float[np.ndarray, " group"]
    scale: float

    @property
    def spectrum(self) -> Spectrum:
        """Abstract modes, one for each group."""
        return Spectrum(self.variance)

    @property
    def total(self) -> float:
        """Variance of the data."""
        return float(self.weight @ self.variance)

    def distance(self, generated: Float[np.ndarray, "*any group"]) -> Any:
        """Wasserstein distance (*any,) of generated variances from the data, as a share of the data's norm.

        Exact where all coordinates are scaled alike, else that of the coupling mode by mode, which is an upper bound.
        """
        apart = (np.sqrt(generated) - np.sqrt(self.variance)) ** 2
        return np.sqrt(apart @ self.weight / self.total)


def grouped(spectrum: Spectrum, standardization: Standardization = "none") -> Groups:
    """The modes of a spectrum, standardised; InputError where the data do not vary, or cannot be scaled one by one."""
    if not spectrum.variance.max() > 0:
        raise InputError("spectrum must have a mode of variance > 0, got none")
    dimension = spectrum.dimension
    if standardization == "pixel":
        variance, weight = _by_coordinate(spectrum)
        mean = np.zeros_like(variance)
    else:
        variance, mean = _alike(spectrum, shifted=standardization == "scale")
        # one shift and one factor, as data sets are standardised: the mean's own variation among coordinates counts
        spread = variance.sum() / dimension + _uneven(spectrum)
        factor = EDM_SIGMA_DATA**2 / spread if standardization == "scale" else 1.0
        variance, weight, mean = variance * factor, np.full(variance.size, 1 / factor), mean * factor
    dead = variance <= DEAD * variance.max()
    variance = np.where(dead, 0.0, variance)
    return _together(variance, weight, mean, float(np.sqrt(variance.sum() / dimension)))


Modes: TypeAlias = Float[np.ndarray, " mode"]


def _alike(spectrum: Spectrum, *, shifted: bool) -> tuple[Modes, Modes]:
    """Variance and squared mean of every direction of the data, all coordinates shifted by one number or not at all."""
    left = spectrum.dimension - spectrum.n_modes
    variance = np.append(spectrum.variance, np.full(left, spectrum.null_variance or 0.0))
    mean = np.zeros_like(variance)
    if spectrum.mean is not None:
        flat = np.asarray(spectrum.mean, dtype=np.float64)
        flat = flat - flat.mean() if shifted and spectrum.basis is not None else flat
        along = flat.ravel() if spectrum.basis is None else spectrum.basis.to_modes(flat[None])[0]
        mean[: spectrum.n_modes] = along[: spectrum.n_modes] ** 2
        if left:
            mean[spectrum.n_modes :] = max(float((flat**2).sum() - mean.sum()), 0.0) / left
    return variance, mean


def _uneven(spectrum: Spectrum) -> float:
    """Variance of the mean among coordinates; 0 of abstract modes."""
    return 0.0 if spectrum.mean is None or spectrum.basis is None else float(np.var(spectrum.mean))


def _by_coordinate(spectrum: Spectrum) -> tuple[Modes, Modes]:
    """Variance of the modes where every coordinate has standard deviation 0.5, and the data's for each unit of it.

    Coordinates that do not vary are left out.
    """
    if spectrum.basis is None or spectrum.dimension > MOST_PIXELS:
        raise InputError(
            f"spectrum must have modes of samples with at most {MOST_PIXELS} coordinates to scale each alone, "
            f"got {'abstract modes' if spectrum.basis is None else f'{spectrum.dimension:,} coordinates'}"
        )
    covariance = spectrum.covariance()
    size = np.sqrt(np.diag(covariance)) / EDM_SIGMA_DATA
    alive = size > np.sqrt(DEAD) * size.max()
    size = size[alive]
    variance, vectors = np.linalg.eigh(covariance[np.ix_(alive, alive)] / np.outer(size, size))
    return np.maximum(variance, 0.0), (size[:, None] ** 2 * vectors**2).sum(axis=0)


def _together(variance: Modes, weight: Modes, mean: Modes, scale: float) -> Groups:
    """Groups of equal width in the logarithm, each of its modes' mean variance; those without variance are one."""
    order = np.argsort(-variance, kind="stable")
    variance, weight, mean = variance[order], weight[order], mean[order]
    alive = variance > 0
    if variance.size > MOST_GROUPS:
        place = np.log(variance[alive])
        cell = np.floor((place[0] - place) / max(place[0] - place[-1], 1e-12) * (MOST_GROUPS - 1)).astype(int)
        label = np.append(cell, np.full((~alive).sum(), MOST_GROUPS))
    else:
        label = np.arange(variance.size)
    _, label = np.unique(label, return_inverse=True)
    total = np.bincount(label, weight)
    share = np.bincount(label, weight * variance) / np.where(total > 0, total, 1)
    return Groups(share, total, np.bincount(label, weight * mean), scale)
