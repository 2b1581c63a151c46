"""Variances and modes of a spectrum from what is known of the data: samples, covariance, moments of waves, power."""

from typing import Any

import numpy as np
import scipy
from jaxtyping import Complex, Float, Inexact, Int

from ..checks import LARGEST, InputError, finite_array, flag, numeric_array
from .bases import PCA, Basis, Cosines, Fourier, OnGrid, cosine_waves, mirrored, spectral_waves
from .moments import Moments, check_varies

Variance = Float[np.ndarray, " mode"]


def thin_pca(samples: Float[np.ndarray, "n ..."]) -> tuple[Variance, Float[np.ndarray, "..."], PCA]:
    """Variance, mean and principal components of fewer samples than coordinates, through the n×n Gram matrix."""
    shape, n = samples.shape[1:], len(samples)
    flat = samples.reshape(n, -1).astype(np.float64)
    mean = flat.mean(axis=0)
    flat = flat - mean
    variance, left = scipy.linalg.eigh(flat @ flat.T / n, driver="evd")
    variance, left = variance[::-1], left[:, ::-1]
    keep = variance > max(variance[0], 0) * n * np.finfo(float).eps
    check_varies(variance[0], mean)
    components, _ = np.linalg.qr(flat.T @ (left[:, keep] / np.sqrt(n * variance[keep])))
    return variance[keep], mean.reshape(shape), PCA(components.T, shape)


def checked_covariance(c: Any, mean: Any) -> tuple[Float[np.ndarray, "d d"], Float[np.ndarray, " d"]]:
    """`c` as a symmetric positive semi-definite matrix, and the mean, or an InputError that says what they lack."""
    given = numeric_array("c", c, "a symmetric positive semi-definite (d, d) matrix")
    matrix = finite_array("c", given, "a symmetric positive semi-definite (d, d) matrix")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise InputError(f"c must be a square (d, d) matrix, got shape {matrix.shape}")
    size = np.abs(matrix).max()
    if size > LARGEST**2:
        raise InputError(f"c must be of magnitude <= {LARGEST**2:g}, got {size:g}")
    # a covariance summed in float32 or float16 is as symmetric, and as positive, as their digits let it be
    precision = np.finfo(given.dtype).eps if given.dtype.kind == "f" else 0.0
    tolerance = max(1e-10, len(matrix) * float(precision))
    if np.abs(matrix - matrix.T).max() > tolerance * size:
        raise InputError(f"c must be symmetric, got an asymmetry of {np.abs(matrix - matrix.T).max():g}")
    matrix = (matrix + matrix.T) / 2
    smallest = np.linalg.eigvalsh(matrix)[0]
    if smallest < -tolerance * size:
        raise InputError(f"c must be positive semi-definite, got an eigenvalue of {smallest:g}")
    centre = np.zeros(len(matrix)) if mean is None else finite_array("mean", mean, "a (d,) array")
    if centre.shape != (len(matrix),):
        raise InputError(f"mean must have shape ({len(matrix)},), got {centre.shape}")
    return matrix, centre


def pca(covariance: Float[np.ndarray, "d d"], shape: tuple[int, ...]) -> tuple[Variance, PCA]:
    """Eigenvalues and eigenvectors of a covariance, rounding cut off."""
    variance, vectors = scipy.linalg.eigh(covariance, driver="evd")
    variance, components = variance[::-1], np.ascontiguousarray(vectors[:, ::-1].T)
    variance = np.where(variance > variance[0] * variance.size * np.finfo(float).eps, variance, 0.0)
    return variance, PCA(components, shape)


def waves_of_moments(
    moments: Moments, shape: tuple[int, ...], origin: Float[np.ndarray, "..."]
) -> tuple[Variance, Float[np.ndarray, "..."], Fourier]:
    """Variance, mean and Fourier modes from the moments of real and imaginary parts (`real_waves`) of samples less `origin`."""
    grid, c = shape[:2], moments.mean.shape[-1] // 2
    mean = scipy.fft.ifftn(
        (moments.mean[:, :c] + 1j * moments.mean[:, c:]).reshape(*grid, c), axes=range(len(grid)), norm="ortho"
    )
    parts = moments.covariance
    real, imaginary, cross = parts[:, :c, :c], parts[:, c:, c:], parts[:, c:, :c]
    rotation = _eigenvectors(real + imaginary + 1j * (cross - cross.swapaxes(1, 2)), grid)
    variance = _diagonals(_of_parts(rotation), parts).ravel()
    centre = mean.real.reshape(shape) + origin
    check_varies(variance.max(), centre)
    variance, order = _sorted(variance)
    return variance, centre, Fourier(shape, rotation, order)


def cosines_of_moments(
    moments: Moments, shape: tuple[int, ...], origin: Float[np.ndarray, "..."]
) -> tuple[Variance, Float[np.ndarray, "..."], Cosines]:
    """Variance, mean and cosine modes from the moments of cosine transforms of samples less `origin`."""
    grid, parts = shape[:2], moments.covariance
    mean = scipy.fft.idctn(moments.mean.reshape(*grid, -1), axes=range(len(grid)), norm="ortho").reshape(shape) + origin
    values, rotation = np.linalg.eigh(parts)
    check_varies(values.max(), mean)
    variance, order = _sorted(values[:, ::-1].ravel())
    return variance, mean, Cosines(shape, rotation[..., ::-1], order)


def variance_along(basis: Basis, moments: Moments) -> Variance:
    """Variance along modes of samples of which the moments are known, in the same groups as the modes' own."""
    if isinstance(basis, PCA):
        values = np.einsum("md,md->m", basis.components @ moments.covariance[0], basis.components)
    else:
        assert isinstance(basis, OnGrid)
        weights = _of_parts(basis.rotation) if isinstance(basis, Fourier) else basis.rotation
        values = basis.of_modes(_diagonals(weights, moments.covariance))
    return np.maximum(values, 0.0)


def _of_parts(rotation: Complex[np.ndarray, "frequency c c"]) -> Float[np.ndarray, "frequency part c"]:
    """Weights of the real and imaginary parts x̂ in a mode's coordinate, Re(u*·x̂) − Im(u*·x̂)."""
    return np.concatenate([rotation.real + rotation.imag, rotation.imag - rotation.real], axis=1)


def _diagonals(
    weights: Float[np.ndarray, "frequency part c"], parts: Float[np.ndarray, "frequency part part"]
) -> Float[np.ndarray, "frequency c"]:
    """Variance along each column of weights, at every frequency."""
    return np.einsum("fck,fcd,fdk->fk", weights, parts, weights, optimize=True)


def _sorted(variance: Variance) -> tuple[Variance, Int[np.ndarray, " mode"]]:
    """Variances in falling order, rounding cut off, and that order."""
    order = np.argsort(-variance, kind="stable")
    cutoff = variance.max() * variance.size * np.finfo(float).eps
    return np.where(variance > cutoff, variance, 0.0)[order], order


def waves_of_power(power: Any, *, channels: bool) -> tuple[Variance, Fourier]:
    """Variance and Fourier modes of a stationary field from its (cross-)power spectrum; InputError if it cannot be one."""
    if flag("channels", channels):
        given = power if isinstance(power, np.ndarray) and power.dtype.kind == "c" else _complex(power)
    else:
        given = finite_array("power", power, "an array of finite numbers >= 0")[..., None, None]
    if given.ndim < 3:
        raise InputError(f"power must have shape (n,) or (h, w), with channels (…, c, c), got {given.shape}")
    grid, c = given.shape[:-2], given.shape[-1]
    if len(grid) not in (1, 2) or given.shape[-2] != c or given.size == 0:
        raise InputError(f"power must have shape (n,) or (h, w), with channels (…, c, c), got {np.shape(power)}")
    if not np.isfinite(given).all():
        raise InputError("power must be finite, got an entry that is not")
    size = np.abs(given).max()
    if size > LARGEST**2:
        raise InputError(f"power must be of magnitude <= {LARGEST**2:g}, got {size:g}")
    axes = range(len(grid))
    if np.abs(given - given.conj().swapaxes(-1, -2)).max() > 1e-9 * size:
        raise InputError("power must be Hermitian in its channels, got a matrix that is not")
    if np.abs(given - mirrored(given, axes).conj()).max() > 1e-9 * size:
        raise InputError("power must be the same at ±k (conjugate, with channels), as for real data, got a difference")
    blocks = given.reshape(-1, c, c)
    rotation = _eigenvectors(blocks, grid)
    variance = np.einsum("fck,fcd,fdk->fk", rotation.conj(), blocks, rotation, optimize=True).real.ravel()
    if variance.min() < -1e-9 * size:
        raise InputError(f"power must be >= 0, got {variance.min():g}")
    order = np.argsort(-variance, kind="stable")
    shape = grid if c == 1 else (*(grid if len(grid) == 2 else (grid[0], 1)), c)
    return np.maximum(variance, 0.0)[order], Fourier(shape, rotation, order)


def _complex(power: Any) -> Inexact[np.ndarray, "..."]:
    """Numbers, maybe complex, of anything that holds them."""
    value = power.detach().cpu().numpy() if hasattr(power, "detach") and power.is_complex() else power
    return value if np.iscomplexobj(value) else finite_array("power", value, "an array of finite numbers >= 0")


def plain_waves(rows: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n frequency c"]:
    """Cosine transforms of samples."""
    return cosine_waves(rows, len(rows.shape[1:3]))


def real_waves(rows: Float[np.ndarray, "n ..."]) -> Float[np.ndarray, "n frequency part"]:
    """Real and imaginary parts of samples' Fourier transforms, side by side as twice as many channels."""
    waves = spectral_waves(rows, len(rows.shape[1:3]))
    return np.concatenate([waves.real, waves.imag], axis=2)


def _eigenvectors(
    blocks: Inexact[np.ndarray, "frequency c c"], grid: tuple[int, ...]
) -> Complex[np.ndarray, "frequency c c"]:
    """Eigenvectors of Hermitian matrices over a grid of frequencies, falling eigenvalue first, conjugate at ±k."""
    _, vectors = np.linalg.eigh(blocks)
    index = np.arange(len(blocks))
    opposite = mirrored(index.reshape(grid), range(len(grid))).ravel()
    alone = opposite == index
    _, real = np.linalg.eigh(blocks[alone].real)
    out = vectors.astype(np.complex128)
    out[alone] = real
    later = opposite < index
    out[later] = out[opposite[later]].conj()
    return out[..., ::-1]


def cross_spectra(basis: Fourier, variance: Float[np.ndarray, " mode"]) -> Complex[np.ndarray, "frequency c c"]:
    """Cross-spectral matrix of every frequency, of the mean variance of ±k."""
    power = basis.by_frequency(basis.pair_means(variance))
    return np.einsum("fck,fk,fdk->fcd", basis.rotation, power, basis.rotation.conj(), optimize=True)


def stationary_waves(basis: Fourier, variance: Float[np.ndarray, " mode"], held_out: Any) -> dict[str, Any]:
    """Fields of a spectrum whose variances, and those of held-out samples, are the means of ±k, sorted again."""
    power = basis.pair_means(variance)
    order = np.argsort(-power, kind="stable")
    return {
        "variance": power[order],
        "basis": Fourier(basis.shape, basis.rotation, basis.order[order]),
        "test_variance": None if held_out is None else basis.pair_means(held_out)[order],
    }
