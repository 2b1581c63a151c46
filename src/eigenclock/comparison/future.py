"""What is still to come: draws of every mode's way ahead, whose speed returns to theory's (T20)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .paths import Paths

REVERTS = 2.0
"""ln time within which a speed above theory's returns to it: networks that accelerate go on so for a while."""

RECOVERS = 1.0
"""The same of a speed below it: a pause ends soon."""

COMMON_RATE, OWN_RATE = 0.2, 0.1
"""Standard deviations of ln speed ahead, of all modes together and of each alone."""

AVERAGED = 2.4
"""How much wider what is unknown of all modes together is where averaged weights are watched: they hide what a network does."""

STRAGGLERS, STRAGGLES = 0.1, 0.7
"""Share of modes that fall behind, and by how much in ln speed: convolutional networks leave some modes waiting."""

OTHERS = 0.031
"""ln speed that the others gain, so that the median over all is theory's: 0.9·Φ(s/.22) + 0.1·Φ((s−.7)/.22) = ½."""

SEEDS = 0.1
"""Standard deviation of ln time of a run about those that differ from it in their seed alone: no forecast is surer."""

SOON = 0.3
"""ln time ahead over which the difference between seeds builds up."""

HOVER = 0.065
"""ln time that modes wait before a threshold, times the square of a normal draw: what is measured scatters, some turn back."""

FARTHEST = 12.0
"""ln time ahead beyond which nothing is said."""

Draws = Float[np.ndarray, "draw mode"]


def advance(ahead: Float[np.ndarray, "..."], slope: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Theory's ln time gained over `ahead` in ln time, from a speed `slope` that returns to 1: Δ + (β−1)·ℓ·(1−e^{−Δ/ℓ})."""
    length = np.where(slope > 1, REVERTS, RECOVERS)
    return ahead - (slope - 1) * length * np.expm1(-ahead / length)


def needed(gain: Float[np.ndarray, "..."], slope: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Inverse of `advance`: ln time until this much of theory's has gone by, by Newton's method on a convex or concave curve."""
    length = np.where(slope > 1, REVERTS, RECOVERS)
    ahead = np.maximum(gain - (slope - 1) * length, gain / np.maximum(slope, 1))
    for _ in range(NEWTON):
        decay = np.exp(-ahead / length)
        error = ahead + (slope - 1) * length * (1 - decay) - gain
        ahead = np.maximum(ahead - error / np.maximum(1 + (slope - 1) * decay, SLOWEST), 0)
    return ahead


def falling(slope: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
    """Slope of ln variance on ln time by which what the data lack goes on falling."""
    return np.asarray(np.clip(np.nan_to_num(slope, nan=-HEALS), -FASTEST, -SLOWEST_FALL))


FASTEST, SLOWEST_FALL, HEALS = 3.0, 0.25, 0.5
"""Fastest and slowest fall that is carried on, as powers of time, and that of a mode of which no slope is known."""

NEWTON, SLOWEST = 6, 0.05
"""Steps of Newton's method, and the smallest speed by which one divides."""


@dataclass(frozen=True, eq=False)
class Branch:
    """Draws that follow one level of theory.

    `paths` of all modes; `place`: (draw, mode) ln theory time now, `slope` and `rate`: (draw, mode) speed now, and speed ahead
    relative to theory's.
    """

    paths: Paths
    place: Draws
    slope: Draws
    rate: Draws


@dataclass(frozen=True, eq=False)
class Future:
    """Draws of the way ahead of modes, in several branches.

    `start`, `goal`: (mode,) ln variance that a path leads from and to. All times are in ln time from now.
    """

    branches: tuple[Branch, ...]
    start: Float[np.ndarray, " mode"]
    goal: Float[np.ndarray, " mode"]
    seeds: Draws

    @property
    def draws(self) -> int:
        """Number of draws."""
        return len(self.seeds)

    def reaches(self, log_variance: Float[np.ndarray, " mode"]) -> Draws:
        """ln time ahead at which each mode first reaches a ln variance, in every draw; infinite where it never does."""
        with np.errstate(invalid="ignore", divide="ignore"):
            level = (log_variance - self.start) / (self.goal - self.start)
        waits = []
        for branch in self.branches:
            gap = np.maximum(branch.paths.first_reach(level) - branch.place, 0) / branch.rate
            with np.errstate(invalid="ignore"):
                ahead = np.where(np.isfinite(gap), needed(np.minimum(gap, FARTHEST), branch.slope), np.inf)
            waits.append(np.where(gap > FARTHEST, np.inf, ahead))
        wait = np.concatenate(waits)
        apart = self.seeds * np.minimum(np.nan_to_num(wait, posinf=1.0) / SOON, 1)
        return np.maximum(wait + apart + HOVER * (self.seeds / SEEDS) ** 2, 0)

    def log_variance(
        self, ahead: Float[np.ndarray, " time"], which: np.ndarray
    ) -> Float[np.ndarray, "which time mode"]:
        """ln variance of every mode at times ahead, in the chosen draws."""
        result = np.empty((which.size, ahead.size, self.start.size))
        first = 0
        for branch in self.branches:
            last = first + len(branch.place)
            mine = np.flatnonzero((which >= first) & (which < last))
            if mine.size:
                rows = which[mine] - first
                gone = advance(ahead[None, :, None], branch.slope[rows][:, None]) * branch.rate[rows][:, None]
                progress = branch.paths.at(branch.place[rows][:, None] + gone)
                result[mine] = self.start + (self.goal - self.start) * progress
            first = last
        return result
