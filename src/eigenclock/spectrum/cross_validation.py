"""Variances that other samples have along the modes of some: what of a spectrum is the data's, not the draw's (T22)."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import scipy.optimize
from jaxtyping import Float

from ..checks import InputError, integer, random_seed, say
from .bases import Basis, Cosines, Fourier
from .moments import check_samples

Fit: TypeAlias = Callable[[Float[np.ndarray, "n ..."]], tuple[Float[np.ndarray, "..."], Basis]]
"""Mean and modes of samples."""


MUCH = 1.25
"""Factor between a tenth of the raw and cross-validated variances from which the user is told."""


def cross_validated(
    spectrum: Any, samples: Any, from_samples: Callable[..., Any], *, folds: int, seed: int
) -> dict[str, Any]:
    """Fields of a spectrum: variances of its modes, and of each direction they leave out, by cross-validation of its samples.

    Warns where they differ much from the spectrum's own; InputError without samples, or for too few.
    """
    basis = spectrum._need_basis()
    if samples is None:
        raise InputError("samples must be given: this spectrum does not hold those that it was made of")
    known = check_samples("samples", samples, basis.shape)
    if len(known) < 4:
        raise InputError(f"samples must hold at least 4 samples, got {len(known)}")
    integer("folds", folds, at_least=2, at_most=len(known) // 2)
    kind = basis.name if isinstance(basis, Cosines | Fourier) else "pca"

    def fit(some: Any) -> tuple[Any, Basis]:
        part = from_samples(some, basis=kind)
        return part.mean, part.basis

    n_modes, random = spectrum.n_modes, random_seed(seed)
    variance, null = held_out_variances(known, fit, n_modes=n_modes, folds=folds, seed=random)
    off = factor_between(spectrum.variance, variance)
    if off > MUCH:
        say(
            f"variances of {len(known):,} samples in {spectrum.dimension:,} dimensions are off by a factor {off:.3g} in a tenth "
            "of the modes: cross-validated ones are taken",
            level=4,
        )
    return {"variance": variance, "null_variance": null}


def factor_between(raw: Float[np.ndarray, " mode"], other: Float[np.ndarray, " mode"]) -> float:
    """Factor that nine tenths of two spectra's positive variances differ by at most; 1 where there are none."""
    both = (raw > 0) & (other > 0)
    return float(np.exp(np.quantile(np.abs(np.log(raw[both] / other[both])), 0.9))) if both.any() else 1.0


def held_out_variances(
    samples: Float[np.ndarray, "n ..."], fit: Fit, *, n_modes: int, folds: int, seed: int
) -> tuple[Float[np.ndarray, " mode"], float]:
    """Variance of each mode by its rank, and of every direction that the modes leave out.

    Samples are shuffled into folds; the modes of all but one are ranked by their own variances, those left out give the variance
    along each rank, about the mean of the others (which adds 1/n of it, taken off). Averaged over folds and made to fall with the
    rank (isotonic regression); ranks that no fold has count as left out, one of which stands for all.
    """
    n, dimension = len(samples), int(np.prod(samples.shape[1:]))
    parts = np.array_split(np.random.default_rng(seed).permutation(n), folds)
    along = np.zeros((folds, n_modes))
    seen, outside = np.full(folds, 0), np.zeros(folds)
    for k, part in enumerate(parts):
        rest = np.delete(np.arange(n), part)
        mean, basis = fit(samples[rest])
        centred = samples[part].astype(np.float64) - mean
        coordinates = basis.to_modes(centred)
        shrink = 1 + 1 / len(rest)
        power = (coordinates**2).mean(axis=0) / shrink
        whole = (centred**2).reshape(len(part), -1).sum(axis=1).mean() / shrink
        seen[k] = power.size
        along[k, : power.size] = power
        outside[k] = max(whole - power.sum(), 0.0)
    share = np.array([len(part) for part in parts], dtype=np.float64)
    known = int(seen.min())
    variance = share @ along[:, :known] / n
    left = dimension - known
    # what a fold has beyond the ranks that all have is left out too
    null = float(share @ (outside + along[:, known:].sum(axis=1)) / n / left) if left else 0.0
    values, weights = np.append(variance, [null] * bool(left)), np.append(np.ones(known), [float(left)] * bool(left))
    falling = scipy.optimize.isotonic_regression(values, weights=weights, increasing=False).x
    null = float(falling[-1]) if left else 0.0
    return np.append(falling[:known], np.full(n_modes - known, null)), null if dimension > n_modes else 0.0
