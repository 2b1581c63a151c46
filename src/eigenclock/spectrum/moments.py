"""Samples, checked, and their mean and covariance in one pass (Chan, Golub & LeVeque's pairwise merge)."""

from typing import Any

import numpy as np
from jaxtyping import Float

from ..checks import InputError, finite_array

ROWS = 2048
"""Samples converted to float64 at a time."""


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
    try:
        array = np.asarray(x)
    except ValueError:
        raise InputError(f"{name} must be an array of real numbers, got a ragged sequence") from None
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name} must be an array of real numbers, got dtype {array.dtype}")
    if shape is not None and array.shape[1:] != shape:
        raise InputError(f"{name} must have shape (n, {', '.join(map(str, shape))}), got {array.shape}")
    if array.ndim not in (2, 3, 4) or 0 in array.shape[1:]:
        raise InputError(f"{name} must have shape (n, d), (n, h, w) or (n, h, w, c), got {array.shape}")
    if len(array) == 0:
        raise InputError(f"{name} must hold at least 2 samples, got 0")
    if len(array) == 1 and shape is None and name == "x":
        raise InputError(f"{name} must hold at least 2 samples, got 1")
    if array.dtype.kind == "f" and not np.isfinite(array.sum(dtype=np.float64)):
        finite_array(name, array, "finite")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def check_varies(largest: float, mean: Any) -> None:
    """Constant data have no modes to learn: their largest variance is rounding of the mean."""
    if not largest > (16 * np.finfo(float).eps * np.abs(mean).max()) ** 2:
        raise InputError("x must vary between samples, got constant data (every variance is zero)")
