"""Samples, checked, and their mean and covariance in one pass (Chan, Golub & LeVeque's pairwise merge)."""

from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from ..checks import LARGEST, InputError, finite_array, numeric_array, say

ROWS = 2048
"""Samples converted to float64 at a time."""


BYTES = {"u1", "u2"}
"""Kinds of whole numbers in which images are stored, and whose scale is told."""


class Moments:
    """Running count, mean and scatter of samples (n, group, width); covariance within each group only.

    PCA is one group of width d; a Fourier basis is one group per frequency, as wide as there are channels.
    """

    def __init__(self, groups: int, width: int) -> None:
        self.count = 0
        self.mean = np.zeros((groups, width))
        self.scatter = np.zeros((groups, width, width))

    def add(self, batch: Float[np.ndarray, "n group width"]) -> None:
        """Merge a batch: scatter about its own mean, plus the shift between the two means."""
        n, groups = len(batch), self.mean.shape[0]
        batch_mean = batch.mean(axis=0)
        centred = batch - batch_mean
        if groups == 1:
            self.scatter[0] += centred[:, 0].T @ centred[:, 0]
        else:
            self.scatter += np.einsum("ngi,ngj->gij", centred, centred, optimize=True)
        shift, total = batch_mean - self.mean, self.count + n
        self.scatter += np.einsum("gi,gj->gij", shift, shift) * (self.count * n / total)
        self.mean += shift * (n / total)
        self.count = total

    @property
    def covariance(self) -> Float[np.ndarray, "group width width"]:
        """Covariance of the samples seen, normalised by their number."""
        return self.scatter / self.count


def check_samples(name: str, x: Any, shape: tuple[int, ...] | None) -> Float[np.ndarray, "n ..."]:
    """`x` as a finite numeric array of samples; converted to float64 only by blocks, by whoever sums it."""
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
    if array.dtype.str[1:] in BYTES and name in ("x", "batch 0") and array.max() > 1:
        say(
            f"{name} holds {array.dtype} up to {array.max():,}, taken as it is: divide by {np.iinfo(array.dtype).max:,} for 0…1",
            level=4,
        )
    return array if array.dtype.kind == "f" else array.astype(np.float64)


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
        raise error


def check_varies(largest: float, mean: Any) -> None:
    """Constant data have no modes to learn: their largest variance is rounding of the mean."""
    if not largest > (16 * np.finfo(float).eps * np.abs(mean).max()) ** 2:
        raise InputError("x must vary between samples, got constant data (every variance is zero)")
