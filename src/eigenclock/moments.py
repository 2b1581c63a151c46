"""Mean and covariance of a stream of batches, in one pass (Chan, Golub & LeVeque's pairwise merge)."""

import numpy as np
from jaxtyping import Float

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
