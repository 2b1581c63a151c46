"""What Wang & Pehlevan's public repository states of its runs, and clocks read from records as it reads them."""

from dataclasses import dataclass, replace

import numpy as np
import scipy
from jaxtyping import Float

from eigenclock.clocks.emergence import GRAY_ZONE, Direction, Emergence, Threshold, threshold_level
from eigenclock.curve.learning_curve import LearningCurve

RECORDS = (
    *range(1, 10),
    *range(10, 50, 2),
    *range(50, 100, 4),
    *range(100, 500, 8),
    *range(500, 2500, 16),
    *range(2500, 5000, 32),
    5000,
)
"""Steps at which they sample."""

SMOOTHING = 1.0
"""Width, in records, of the Gaussian filter over a mode's variance."""


@dataclass(frozen=True)
class Published:
    """A printed fit, steps = factor·variance^−alpha over `modes` modes; None where a number is not printed."""

    alpha: float
    r2: float | None = None
    modes: int | None = None
    factor: float | None = None

    def __str__(self) -> str:
        more = [f"R² {self.r2:g}"] if self.r2 else []
        more += [f"{self.modes:,} modes"] if self.modes else []
        return f"α = {self.alpha:g}" + (f" ({', '.join(more)})" if more else "")


GAUSSIAN: dict[tuple[int, Direction], Published] = {
    (128, "rising"): Published(0.76, 0.89, 52, 172.09),
    (128, "falling"): Published(1.64, 0.81, 20, 11.74),
    (256, "rising"): Published(1.08, 0.92, 64, 810.66),
    (256, "falling"): Published(1.08, 0.91, 63, 31.01),
    (512, "rising"): Published(1.05),
    (512, "falling"): Published(1.13),
}
"""Gaussian data by dimension and direction, one run each: printed in a notebook (128, 256) or in the paper alone (512)."""

FACES: dict[Direction, Published] = {
    "rising": Published(0.48, 0.97, 57, 398.37),
    "falling": Published(0.35, 0.92, 2914, 338.02),
}
"""Faces, 32×32 in colour: 8 layers of width 3,072, batch 256, 100,000 steps of Adam(1e-4)."""


def log_normal_variance(d: int, seed: int = 0) -> Float[np.ndarray, " mode"]:
    """Their spectrum: exp(N(0, 1)) divided by the mean, so that as many modes rise from σ_data² = 1/4 as fall."""
    variance = np.sort(np.exp(np.random.default_rng([seed, d]).standard_normal(d)))[::-1]
    return variance / variance.mean()


def read_clocks(curve: LearningCurve, threshold: Threshold = "geometric") -> Emergence:
    """Emergence as they read it: the first *record* beyond the threshold, of variances smoothed over records.

    The start is the first record after a step; the gray zone is where the data's variance lies within a factor of two of the
    *mean* starting variance. Ours interpolates between records, starts at the untrained model and takes each mode's own start.
    """
    steps = curve.time.values
    variance, steps = curve.variance.values[steps >= 1], steps[steps >= 1]
    smooth = scipy.ndimage.gaussian_filter1d(variance, SMOOTHING, axis=0)
    initial, target = variance[0], curve.target.values
    level = threshold_level(initial, target, threshold)
    falling = smooth[0] > level
    beyond = np.where(falling, smooth < level, smooth > level)
    reached = beyond.any(axis=0)
    ratio = target / initial.mean()
    return replace(
        curve.emergence(threshold),
        initial=initial,
        level=level,
        time=np.where(reached, steps[beyond.argmax(axis=0)], np.nan),
        direction=np.where(falling, "falling", "rising"),
        censored=~reached,
        gray_zone=(ratio > 1 / GRAY_ZONE) & (ratio < GRAY_ZONE),
    )
