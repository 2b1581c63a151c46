"""Variances that other samples have along the modes of some: what of a spectrum is the data's, not the draw's (T22)."""

from collections.abc import Callable
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
import scipy
from jaxtyping import Float, Int

from ..checks import InputError, integer, numeric_array, random_seed, say
from .bases import Basis, Cosines, Fourier
from .moments import check_samples

Fit: TypeAlias = Callable[[Float[np.ndarray, "n ..."]], tuple[Float[np.ndarray, "..."], Basis]]
"""Mean and modes of samples."""

MUCH = 1.25
"""Factor between a tenth of the raw and cross-validated variances from which the user is told."""

FOLDS = 10

SAMPLES: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""Samples of spectra that are in use: no part of them, so that copies and files of a spectrum hold none."""


def remembering(spectrum: Any, samples: Any) -> Any:
    """The spectrum, whose samples are known from now on."""
    if samples is not None:
        SAMPLES[spectrum] = samples
    return spectrum


def samples_of(spectrum: Any) -> Any:
    """The samples that a spectrum was made of; None where it does not know them."""
    return SAMPLES.get(spectrum)


def cross_validated(
    spectrum: Any, samples: Any, from_samples: Callable[..., Any], groups: Any, folds: int | None, seed: int
) -> dict[str, Any]:
    """Fields of a spectrum: variances of its modes, and of each direction they leave out, by cross-validation of its samples.

    Warns where they differ much from the spectrum's own; InputError without samples, or for too few.
    """
    basis, given = spectrum._need_basis(), samples_of(spectrum) if samples is None else samples
    if given is None:
        raise InputError("samples must be given: this spectrum does not hold those that it was made of")
    known = check_samples("samples", given, basis.shape)
    if samples is None and not _same(spectrum, known):
        raise InputError("samples must be those of the spectrum: they have been changed since it was made")
    if len(known) < 4:
        raise InputError(f"samples must hold at least 4 samples, got {len(known)}")
    labels = np.arange(len(known)) if groups is None else _labels(groups, len(known))
    most = int(labels.max()) + 1
    count = min(FOLDS, max(2, most // 2)) if folds is None else integer("folds", folds, at_least=2, at_most=most)
    kind = basis.name if isinstance(basis, Cosines | Fourier) else "pca"

    def fit(some: Any) -> tuple[Any, Basis]:
        few = kind == "pca" and spectrum.n_modes < min(len(some), spectrum.dimension)  # no more than there are to rank
        part = from_samples(some, basis=kind, modes=spectrum.n_modes if few else None)
        return part.mean, part.basis

    order = np.random.default_rng(random_seed(seed)).permutation(most)
    parts = [np.flatnonzero(np.isin(labels, some)) for some in np.array_split(order, count)]
    variance, null = held_out_variances(known, fit, parts, n_modes=spectrum.n_modes)
    off = factor_between(spectrum.variance, variance)
    if off > MUCH:
        say(
            f"variances of {len(known):,} samples in {spectrum.dimension:,} dimensions are off by a factor {off:.3g} in a tenth "
            "of the modes: cross-validated ones are taken",
            level=4,
        )
    return {"variance": variance, "null_variance": null}


def _same(spectrum: Any, samples: Float[np.ndarray, "n ..."]) -> bool:
    """Whether samples still have the mean, and all together the variance, of the spectrum that they were given for."""
    flat = samples.reshape(len(samples), -1)
    size = float(np.abs(flat).max())
    if not np.allclose(flat.mean(axis=0, dtype=np.float64), np.ravel(spectrum.mean), atol=1e-6 * size):
        return False
    if (
        spectrum.null_variance is not None
    ):  # cross-validated before, not the samples' own any more, or the largest alone
        return True
    whole = float(flat.var(axis=0, dtype=np.float64).sum())
    return bool(np.isclose(whole, spectrum.variance.sum(), rtol=1.1 / len(flat) + 1e-5, atol=1e-12 * size**2))


def _labels(groups: Any, n: int) -> Int[np.ndarray, " n"]:
    """Groups as numbers from 0; InputError unless there is one for every sample, and at least two of them."""
    array = numeric_array("groups", groups, "(n,) labels, one for each sample")
    if array.shape != (n,):
        raise InputError(f"groups must have shape ({n},), got {array.shape}")
    found, labels = np.unique(array, return_inverse=True)
    if found.size < 2:
        raise InputError("groups must hold at least 2 different labels, got 1")
    return labels


def factor_between(raw: Float[np.ndarray, " mode"], other: Float[np.ndarray, " mode"]) -> float:
    """Factor that nine tenths of two spectra's positive variances differ by at most; 1 where there are none."""
    both = (raw > 0) & (other > 0)
    return float(np.exp(np.quantile(np.abs(np.log(raw[both] / other[both])), 0.9))) if both.any() else 1.0


def held_out_variances(
    samples: Float[np.ndarray, "n ..."], fit: Fit, parts: list[Any], *, n_modes: int
) -> tuple[Float[np.ndarray, " mode"], float]:
    """Variance of each mode by its rank, and of every direction that the modes leave out; `parts`: rows of each fold.

    The modes of all folds but one are ranked by their own variances, that one gives the variance along each rank, about the mean
    of the others (which adds 1/n of it, taken off). Averaged over folds and made to fall with the rank (isotonic regression);
    ranks that no fold has count as left out, one of which stands for all. What is rounding is 0.
    """
    n, dimension, folds = len(samples), int(np.prod(samples.shape[1:])), len(parts)
    along = np.zeros((folds, n_modes))
    seen, outside = np.full(folds, 0), np.zeros(folds)
    for k, part in enumerate(parts):
        rest = np.delete(np.arange(n), part)
        mean, basis = fit(samples[rest])
        centred = samples[part].astype(np.float64) - mean
        shrink = 1 + 1 / len(rest)
        power = (basis.to_modes(centred)[:, :n_modes] ** 2).mean(axis=0) / shrink
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
    size = float((samples.astype(np.float64) ** 2).mean())
    falling[falling <= max(falling[0], size) * dimension * np.finfo(np.float64).eps] = 0.0
    null = float(falling[-1]) if left else 0.0
    return np.append(falling[:known], np.full(n_modes - known, null)), null if dimension > n_modes else 0.0
