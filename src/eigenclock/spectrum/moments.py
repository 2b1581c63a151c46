"""Samples, checked, and their mean and covariance in one pass (Chan, Golub & LeVeque's pairwise merge)."""

from typing import Any

import numpy as np
import scipy.linalg.blas
from jaxtyping import Float, Shaped

from ..checks import LARGEST, InputError, finite_array, numeric_array, say

PIECE = 2**25
"""Bytes of samples that are float64 at a time: a few copies of so many are what reading takes, whatever the image size."""

BYTES = {"u1", "u2"}
"""Kinds of whole numbers in which images are stored, and whose scale is told."""


def rows_at_once(dimension: int) -> int:
    """Number of samples of so many coordinates that are float64 at a time."""
    return max(PIECE // (8 * dimension), 1)


class Moments:
    """Running count, mean and scatter of samples (n, group, width); covariance within each group only.

    PCA is one group of width d; a Fourier basis is one group per frequency, as wide as there are channels. Of one group BLAS
    adds to one triangle in place, half of the work: `covariance` has both.
    """

    def __init__(self, groups: int, width: int) -> None:
        self.count = 0
        self.mean = np.zeros((groups, width))
        self._scatter = np.zeros((groups, width, width))

    def add(self, batch: Shaped[np.ndarray, "n group width"]) -> None:
        """Merge a batch of any precision: scatter about its own mean, plus the shift between the two means."""
        if len(batch) == 0:
            return
        batch_mean = batch.mean(axis=0, dtype=np.float64)
        centred = batch - batch_mean
        if len(self.mean) == 1:
            scipy.linalg.blas.dsyrk(1.0, centred[:, 0].T, beta=1.0, c=self._scatter[0].T, lower=1, overwrite_c=1)
        else:
            self._scatter += np.einsum("ngi,ngj->gij", centred, centred, optimize=True)
        self._shift(batch_mean, len(batch))

    def merge(self, other: "Moments") -> None:
        """Take in the moments of other samples."""
        if other.count:
            self._scatter += other._scatter
            self._shift(other.mean, other.count)

    def _shift(self, mean: Float[np.ndarray, "group width"], n: int) -> None:
        """Count `n` more samples of another mean, whose scatter about it is in the sum already."""
        shift, total = mean - self.mean, self.count + n
        share = self.count * n / total
        if len(shift) == 1 and share:
            scipy.linalg.blas.dsyr(share, shift[0], a=self._scatter[0].T, lower=1, overwrite_a=1)
        elif share:
            self._scatter += np.einsum("gi,gj->gij", shift, shift) * share
        self.mean += shift * (n / total)
        self.count = total

    @property
    def covariance(self) -> Float[np.ndarray, "group width width"]:
        """Covariance of the samples seen, normalised by their number."""
        if len(self.mean) > 1:
            return self._scatter / self.count
        upper = np.triu(self._scatter[0] / self.count)
        return (upper + np.triu(upper, 1).T)[None]

    @property
    def largest(self) -> float:
        """Largest variance of a coordinate."""
        return float(np.diagonal(self._scatter, axis1=1, axis2=2).max()) / self.count


def check_samples(name: str, x: Any, shape: tuple[int, ...] | None) -> Float[np.ndarray, "n ..."]:
    """`x` as a finite array of samples in floating point; float64 only by pieces, of whoever sums it."""
    array = known_samples(name, x, shape)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def known_samples(name: str, x: Any, shape: tuple[int, ...] | None) -> Shaped[np.ndarray, "n ..."]:
    """`x` as a finite numeric array of samples, in the precision in which it is given, also of whole numbers."""
    array = _real(name, x)
    if shape is not None and array.shape[1:] != shape:
        raise InputError(f"{name} must have shape (n, {', '.join(map(str, shape))}), got {array.shape}")
    if array.ndim not in (2, 3, 4) or 0 in array.shape[1:]:
        raise InputError(f"{name} must have shape (n, d), (n, h, w) or (n, h, w, c), got {array.shape}")
    if len(array) == 0:
        raise InputError(f"{name} must hold at least 2 samples, got 0")
    if len(array) == 1 and shape is None and name == "x":
        raise InputError(f"{name} must hold at least 2 samples, got 1")
    if array.dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):
            whole = bool(np.isfinite(array.sum(dtype=np.float64)))
        if not whole:
            finite_array(name, array, "finite")
        if max(float(array.max()), -float(array.min())) > LARGEST:
            raise InputError(f"{name} must be of magnitude <= {LARGEST:g}, got {np.abs(array).max():g}")
    if array.dtype.str[1:] in BYTES and (name in ("x", "batch 0") or name.startswith("x[0:")) and array.max() > 1:
        say(
            f"{name} holds {array.dtype} up to {array.max():,}, taken as it is: divide by {np.iinfo(array.dtype).max:,} for 0…1",
            level=6,
        )
    return array


def _real(name: str, x: Any) -> Shaped[np.ndarray, "..."]:
    try:
        return numeric_array(name, x, "an array of real numbers")
    except InputError as error:
        if isinstance(x, np.ma.MaskedArray):
            raise
        kind = getattr(x, "dtype", None)
        if kind is not None:
            raise InputError(f"{name} must be an array of real numbers, got dtype {kind}") from None
        if isinstance(x, list | tuple):
            raise InputError(f"{name} must be an array of real numbers, got a ragged sequence") from None
        if name == "x" and hasattr(x, "__iter__") and not isinstance(x, str | bytes | dict | set):
            raise InputError(f"{error}: Spectrum.from_batches reads loaders") from None
        raise error


def check_varies(largest: float, mean: Any) -> None:
    """Constant data have no modes to learn: their largest variance is rounding of the mean."""
    if not largest > (16 * np.finfo(float).eps * np.abs(mean).max()) ** 2:
        raise InputError("x must vary between samples, got constant data (every variance is zero)")
