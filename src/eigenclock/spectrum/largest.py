"""The largest modes alone, where a covariance matrix would not fit: randomised and incremental PCA (scikit-learn, dask)."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
from jaxtyping import Float, Shaped

from ..checks import LARGEST, InputError, integer, need_memory
from .bases import PCA
from .lazy import dask_package
from .moments import check_varies

SQUARE = 4096
"""Coordinates, or samples, whose covariance matrix (128 MiB) costs no more than to avoid it."""

SHARE = 4
"""One mode of so many, and the exact answer costs no more."""

ITERATIONS = 4
"""Power iterations. What a direction outside the subspace of 2k takes from mode j falls as (its variance/λⱼ)^(2·4+1)."""

FEWEST = 32
"""Least number of directions carried beyond the k asked for; else as many again."""

MEMORY = 54
"""Samples in float64 that incremental PCA holds for each mode, as measured: a batch, the directions, and to decompose both."""


class Largest(NamedTuple):
    """The largest modes, the data's mean, and the variance of all directions together."""

    variance: Float[np.ndarray, " mode"]
    mean: Float[np.ndarray, "..."]
    basis: PCA
    total: float
    n: int

    @property
    def fields(self) -> dict[str, Any]:
        """Those of a spectrum."""
        null = null_variance(self.total, self.variance, self.basis.dimension)
        kept = {"variance": self.variance, "mean": self.mean, "basis": self.basis, "n_samples": self.n}
        return kept | {"null_variance": null}


def null_variance(total: float, variance: Float[np.ndarray, " mode"], dimension: int) -> float | None:
    """Mean variance of the directions that modes leave out; None where these have none, to rounding."""
    rest = total - float(variance.sum())
    return rest / (dimension - variance.size) if rest > total * dimension * np.finfo(np.float64).eps else None


def variance_beyond(spectrum: Any) -> float:
    """Mean variance of the samples themselves along the directions that a spectrum's modes leave out.

    0 but where the largest modes alone were kept: what cross-validation says of directions in which few samples do not vary is
    of other samples.
    """
    n = spectrum.n_samples
    kept_fewer = n is not None and spectrum.n_modes < min(n - 1, spectrum.dimension)
    return (spectrum.null_variance or 0.0) if kept_fewer else 0.0


def check_modes(modes: Any, most: int, basis: str) -> None:
    """InputError for a number of modes that there are not, or of waves, whose modes are all at hand."""
    if modes is not None:
        if basis != "pca":
            raise InputError(f"modes must be None with basis={basis!r}, got {modes}: waves have all modes at no cost")
        integer("modes", modes, at_least=1, at_most=most)


def at_once(modes: int | None, smaller: int, dimension: int) -> bool:
    """Whether the exact modes cost no more than the largest alone; `smaller`: edge of the matrix that has them."""
    return modes is None or smaller <= SQUARE or SHARE * modes >= dimension


def of_memory(samples: Shaped[np.ndarray, "n ..."], modes: int, seed: int) -> Largest:
    """Largest modes of samples in memory by a randomised singular value decomposition."""
    n, shape = len(samples), samples.shape[1:]
    need_memory(f"modes={modes} of {n:,} samples in memory", 2.0 * 8 * samples.size)
    try:
        from sklearn.utils.extmath import randomized_svd
    except ImportError:
        raise _missing(modes) from None
    flat = samples.reshape(n, -1).astype(np.float64)
    mean = flat.mean(axis=0)
    flat -= mean
    check_varies(float(np.square(flat).mean(axis=0).max()), mean)
    total = float(np.vdot(flat, flat)) / n
    _, values, components = randomized_svd(
        flat,
        modes,
        n_oversamples=min(_beyond(modes), min(flat.shape) - modes),
        n_iter=ITERATIONS,
        power_iteration_normalizer="QR",
        flip_sign=False,
        random_state=_short(seed),
    )
    return Largest(values**2 / n, mean.reshape(shape), PCA(components, shape), total, n)


def of_dask(x: Any, modes: int, seed: int) -> Largest:
    """Largest modes of a dask array by a randomised decomposition, which reads it once for every product with it."""
    dask, n, shape = dask_package(), int(x.shape[0]), x.shape[1:]
    whole = x.rechunk({axis: -1 for axis in range(1, x.ndim)}).reshape(n, -1).astype(np.float64)
    mean, spread = dask.compute(whole.mean(axis=0), whole.var(axis=0))
    if not np.isfinite(spread).all() or np.abs(mean).max() > LARGEST:
        raise InputError(f"x must be finite, and of magnitude <= {LARGEST:g}, got entries that are not")
    check_varies(float(spread.max()), mean)
    _, values, components = dask.array.linalg.svd_compressed(
        whole - mean,
        modes,
        iterator="QR",  # powers alone lose what is below 1e-16 to the power 1/9 of the largest
        n_power_iter=ITERATIONS,
        n_oversamples=_beyond(modes),
        seed=_short(seed),
        compute=True,  # products one after the other: no block is held from one to the next
        coerce_signs=False,
    )
    values, components = dask.compute(values, components)
    return Largest(values**2 / n, mean.reshape(shape), PCA(components, shape), float(spread.sum()), n)


def of_pieces(pieces: Iterable[Shaped[np.ndarray, "n ..."]], shape: tuple[int, ...], modes: int) -> Largest:
    """Largest modes of samples that are read once, by incremental PCA of three times as many directions.

    What a batch has beyond them is lost, so variances come out low: on natural images by at most 0.5 %, by 1.6 % with twice as
    many directions (32×32 pixels, 20 and 50 modes).
    """
    try:
        from sklearn.decomposition import IncrementalPCA
    except ImportError:
        raise _missing(modes) from None
    carried, d = modes + 2 * _beyond(modes), int(np.prod(shape))
    need_memory(f"modes={modes} of {d:,} coordinates", 8.0 * MEMORY * modes * d)
    found: Any = None
    for batch in _batches(pieces, d, carried):
        if found is None:
            found = IncrementalPCA(min(carried, *batch.shape), copy=False)
        found.partial_fit(batch)
    n = 0 if found is None else int(found.n_samples_seen_)
    if n < 2:
        raise InputError(f"x must hold at least 2 samples, got {n}")
    integer("modes", modes, at_least=1, at_most=n)
    check_varies(float(found.var_.max()), found.mean_)
    variance, components = found.singular_values_[:modes] ** 2 / n, found.components_[:modes]
    return Largest(variance, found.mean_.reshape(shape), PCA(components, shape), float(found.var_.sum()), n)


def of_covariance(covariance: Float[np.ndarray, "d d"], mean: Float[np.ndarray, "..."], modes: int, n: int) -> Largest:
    """Largest modes of a covariance matrix, exact."""
    d = len(covariance)
    integer("modes", modes, at_least=1, at_most=min(n, d))
    values, vectors = scipy.linalg.eigh(covariance, subset_by_index=(d - modes, d - 1))
    variance, components = values[::-1], np.ascontiguousarray(vectors[:, ::-1].T)
    variance = np.where(variance > variance[0] * d * np.finfo(np.float64).eps, variance, 0.0)
    return Largest(variance, mean, PCA(components, mean.shape), float(np.trace(covariance)), n)


def _batches(
    pieces: Iterable[Shaped[np.ndarray, "n ..."]], dimension: int, rows: int
) -> Iterator[Float[np.ndarray, "rows d"]]:
    """The same samples, flat, `rows` at a time; the last ones with those before, never fewer unless there are no more."""
    waiting = np.empty((0, dimension))
    for piece in pieces:
        waiting = np.concatenate([waiting, piece.reshape(len(piece), -1)])
        while len(waiting) >= 2 * rows:
            yield waiting[:rows].copy()
            waiting = waiting[rows:]
    if len(waiting):
        yield waiting


def _beyond(modes: int) -> int:
    return max(modes, FEWEST)


def _short(seed: int) -> int:
    """A seed of 32 bits, which is what other libraries take."""
    return int(np.random.default_rng(seed).integers(2**32))


def _missing(modes: int) -> InputError:
    return InputError(f"modes={modes} needs scikit-learn: pip install 'eigenclock[data]'")
