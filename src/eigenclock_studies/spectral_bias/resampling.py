"""Means over seeds with intervals over seeds and modes: the modes of all seeds are the same, and are resampled together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from jaxtyping import Float

from eigenclock.clocks.replicates import RESAMPLES, Estimate

Modes = Float[np.ndarray, "resample mode"]
"""Values of modes, NaN where a seed does not know the mode."""

Statistic = Callable[[Modes, Modes], Float[np.ndarray, " resample"]]

NOTHING = Estimate(float("nan"), float("nan"), float("nan"), 0)


@dataclass(frozen=True, eq=False)
class Resampled:
    """A statistic over seeds: each seed's value, and draws of the mean over resampled modes and seeds."""

    values: Float[np.ndarray, " seed"]
    draws: Float[np.ndarray, " resample"]

    @property
    def estimate(self) -> Estimate:
        """The mean over seeds with its 95 % interval."""
        return _estimate(self.values.mean() if self.values.size else np.nan, self.draws, self.values.size)

    @property
    def shuffled(self) -> Float[np.ndarray, " resample"]:
        """The draws in another order: independent of those of another case."""
        return np.random.default_rng(1).permutation(self.draws)

    def minus(self, other: "Resampled") -> Estimate:
        """The difference of two independent means with its interval."""
        if not self.values.size or not other.values.size:
            return NOTHING
        value = self.values.mean() - other.values.mean()
        return _estimate(value, self.draws - other.shuffled, self.values.size)

    def over(self, other: "Resampled") -> Estimate:
        """The ratio of two independent means with its interval."""
        if not self.values.size or not other.values.size:
            return NOTHING
        value = self.values.mean() / other.values.mean()
        return _estimate(value, self.draws / other.shuffled, self.values.size)


def _estimate(value: float, draws: Float[np.ndarray, " resample"], n: int) -> Estimate:
    if n == 0 or not np.isfinite(draws).any():
        return NOTHING
    low, high = np.nanquantile(draws, (0.025, 0.975))
    return Estimate(float(value), float(low), float(high), n)


def resampled(statistic: Statistic, pairs: Sequence[tuple[Any, Any]], seed: int = 0) -> Resampled:
    """A statistic of (x, y) over modes for several seeds, each (mode,) with NaN where a seed does not know the mode.

    A draw takes modes with replacement, the same ones for every seed, since what a law misses of a mode it misses in all of
    them; and seeds with replacement, their deviations widened by √(n/(n − 1)), which a bootstrap of n otherwise lacks.
    """
    if not pairs:
        return Resampled(np.empty(0), np.empty(0))
    rng, n = np.random.default_rng(seed), len(pairs)
    known = np.any([np.isfinite(x) & np.isfinite(y) for x, y in pairs], axis=0)
    rows = rng.choice(np.flatnonzero(known), (RESAMPLES, int(known.sum())))
    values = np.array([statistic(x[None, known], y[None, known])[0] for x, y in pairs])
    draws = np.array([statistic(x[rows], y[rows]) for x, y in pairs])
    chosen = draws[rng.integers(0, n, (RESAMPLES, n)), np.arange(RESAMPLES)[:, None]].mean(axis=1)
    centre = draws.mean(axis=0)
    return Resampled(values, centre + np.sqrt(n / max(n - 1, 1)) * (chosen - centre))


def slope(x: Modes, y: Modes) -> Float[np.ndarray, " resample"]:
    """Least-squares slope of y on x."""
    both = np.isfinite(x) & np.isfinite(y)
    count = both.sum(axis=1, keepdims=True)
    first, second = (np.where(both, one, 0.0) for one in (x, y))
    dx, dy = (np.where(both, one - one.sum(axis=1, keepdims=True) / count, 0.0) for one in (first, second))
    return (dx * dy).sum(axis=1) / (dx * dx).sum(axis=1)


def alpha(x: Modes, y: Modes) -> Float[np.ndarray, " resample"]:
    """α of time ∝ variance^−α, of y = ln time on x = ln variance."""
    return -slope(x, y)


def inverse_alpha(x: Modes, y: Modes) -> Float[np.ndarray, " resample"]:
    """α by the other regression, ln variance on ln time."""
    return -1 / slope(y, x)


def fit(x: Modes, y: Modes) -> Float[np.ndarray, " resample"]:
    """R²: the two regressions' slopes multiplied."""
    return slope(x, y) * slope(y, x)


def rank_correlation(x: Modes, y: Modes) -> Float[np.ndarray, " resample"]:
    """Spearman's, of the modes that both know."""
    both = np.isfinite(x) & np.isfinite(y)
    ranks = [np.where(both, scipy.stats.rankdata(np.where(both, one, np.inf), axis=1), np.nan) for one in (x, y)]
    product = slope(*ranks) * slope(*ranks[::-1])
    return np.sign(slope(*ranks)) * np.sqrt(np.maximum(product, 0))


def quantile(y: Modes, share: float) -> Float[np.ndarray, " resample"]:
    """A quantile of every row, NaN left out."""
    ordered, count = np.sort(y, axis=1), np.isfinite(y).sum(axis=1)
    place = share * np.maximum(count - 1, 0)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, np.maximum(count - 1, 0))
    low, high = (np.take_along_axis(ordered, at[:, None], axis=1)[:, 0] for at in (below, above))
    return low + (place - below) * (high - low)


def spread(_: Modes, y: Modes) -> Float[np.ndarray, " resample"]:
    """ln of the time of 90 % of the modes over that of 10 %."""
    return quantile(y, 0.9) - quantile(y, 0.1)


def median(x: Modes, _: Modes) -> Float[np.ndarray, " resample"]:
    """Median of x."""
    return quantile(x, 0.5)


def difference(x: Modes, y: Modes) -> Float[np.ndarray, " resample"]:
    """Median of x less that of y."""
    return quantile(x, 0.5) - quantile(y, 0.5)
