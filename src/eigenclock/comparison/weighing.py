"""Levels of theory against what a run has shown: how likely each is, and draws of the way ahead under it (T20)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float

from ..curve.learning_curve import LearningCurve
from .future import COMMON_RATE, OTHERS, OWN_RATE, SEEDS, SLOWEST, STRAGGLERS, STRAGGLES, Branch, Future
from .neighbours import Shifts, lend
from .paths import STEP, Paths
from .progress import FLOOR, Progress, progress_of
from .run_state import RunState

PLAIN = "1/variance"
"""Name of the level that gives modes of a direction one path, and times in proportion to 1/variance (T12)."""

ONE_TIME = "one time"
"""Name of the level that gives all modes of a direction one time: what knowing nothing of modes leaves."""

EFFECTIVE = 32.0
"""As how many independent groups all of them count in the evidence: modes of one run are not independent."""

ODDS = {"a": -2.0, "e": 1.0, PLAIN: -1.0, ONE_TIME: -1.0}
"""ln odds of levels before anything is seen, others 0: two layers describe networks best, and theory is worth more than none."""

EARLY, EARLY_UNTIL = 0.4, 0.7
"""ln speed ahead that falling modes of a network gain over theory's that have not moved, falling to none at this progress. Curves
that hold no error of sampling (predictions that stand for a run) gain none.
"""

RISING, RISING_FROM = 0.6, 0.3
"""The same of rising modes that have come further than this progress; these go at theory's speed at least, none pauses long."""

TOGETHER = 0.08
"""ln time by which all places may be off together: a network's path is not quite theory's, however many records say so."""

DRAWS = 200
"""Draws behind every interval."""

SLOPE_NOISE, SLOPE_COMMON = 0.2, 0.08
"""Error added to the speed of a group that was measured, and uncertainty of the one that all of a direction have in common."""


@dataclass(frozen=True, eq=False)
class Weighed:
    """One level of theory, fitted to a run: paths of all modes and of groups, where groups are, and what neighbours lend.

    `log_evidence` is that of the shifts, times each group's likelihood given the speeds of all others: a pseudo-likelihood.
    """

    paths: Paths
    grouped: Paths
    progress: Progress
    shifts: Shifts
    log_evidence: float

    @property
    def log_posterior(self) -> Float[np.ndarray, "grid group"]:
        """Of each group's place: what its neighbours say, times its own likelihood, normalised."""
        joint = self.log_prior + self.progress.log_likelihood
        return joint - scipy.special.logsumexp(joint, axis=0)

    @property
    def log_prior(self) -> Float[np.ndarray, "grid group"]:
        """Of each group's place, from its neighbours, normalised over the grid."""
        prior = -0.5 * ((self.grouped.grid[:, None] - self.shifts.mean) / self.shifts.spread) ** 2
        return prior - scipy.special.logsumexp(prior, axis=0)


def weigh(curves: Mapping[str, LearningCurve], state: RunState) -> dict[str, Weighed]:
    """Every level that places any group of modes on its path, with two that need no theory; empty before anything has moved.

    1/variance says when modes begin, and has nothing to say where none is to begin.
    """
    all_paths = {name: Paths.of(curve, state.rising) for name, curve in curves.items()}
    if all_paths:
        directions = [np.flatnonzero(state.moving & d) for d in (state.rising, ~state.rising)]
        standard = all_paths["c"] if "c" in all_paths else next(iter(all_paths.values()))
        groups = [modes for modes in directions if modes.size]
        all_paths[ONE_TIME] = standard.one_time_for_all(groups)
        if (state.pending & state.moving).any():
            all_paths[PLAIN] = standard.in_proportion(np.exp(-state.goal), groups)
    found = {name: _weighed(paths, state) for name, paths in all_paths.items()}
    return {name: one for name, one in found.items() if one is not None}


def _weighed(paths: Paths, state: RunState) -> Weighed | None:
    grouped = Paths(paths.grid, state.mean(paths.progress), state.mean(paths.middle))
    seen = state.observed
    progress = progress_of(grouped, seen)
    if not progress.informative.any():
        return None
    rising = state.rising[state.order[state.bounds]]
    shifts = lend(progress.place, progress.spread, progress.informative, grouped.middle, rising, state.size)
    result = Weighed(paths, grouped, progress, shifts, 0.0)
    placed, alone = progress.informative, scipy.special.logsumexp(progress.log_likelihood, axis=0) + np.log(STEP)
    lent = scipy.special.logsumexp(result.log_prior + progress.log_likelihood, axis=0)
    evidence = shifts.log_evidence + alone[placed].sum() + lent[~placed].sum()
    return Weighed(paths, grouped, progress, shifts, float(evidence) / max(1.0, state.bounds.size / EFFECTIVE))


def weights_of(levels: Mapping[str, Weighed]) -> dict[str, float]:
    """Posterior probability of each level, tempered."""
    evidence = np.array([one.log_evidence + ODDS.get(name, 0.0) for name, one in levels.items()])
    return dict(zip(levels, scipy.special.softmax(evidence).tolist(), strict=True))


def likeliest(levels: Mapping[str, Weighed]) -> str:
    """Name of the likeliest level of theory; of any, where no level of theory places a mode."""
    weights = weights_of(levels)
    known = [name for name in levels if name not in (PLAIN, ONE_TIME)] or list(levels)
    return max(known, key=lambda name: weights[name])


def future_of(levels: Mapping[str, Weighed], state: RunState, seed: int) -> Future:
    """Draws of the way ahead of the moving modes, each following one level, as often as it is likely."""
    rng = np.random.default_rng(seed)
    cumulative = np.concatenate([[0.0], np.cumsum(list(weights_of(levels).values()))])
    counts = np.diff(np.round(cumulative / cumulative[-1] * DRAWS).astype(int))
    branches = tuple(
        _branch(one, state, count, rng) for one, count in zip(levels.values(), counts.tolist(), strict=True) if count
    )
    seeds = SEEDS * paired(rng, DRAWS, state.order.size)
    return Future(branches, state.start[state.order], state.goal[state.order], seeds)


def _branch(level: Weighed, state: RunState, count: int, rng: np.random.Generator) -> Branch:
    """Draws of places and speeds: neighbours move together, each within what its own data allow, each direction at one speed."""
    shifts, progress, posterior = level.shifts, level.progress, np.exp(level.log_posterior)
    values, vectors = np.linalg.eigh(shifts.covariance)
    groups = values.size
    shared = paired(rng, count, groups) @ (vectors * np.sqrt(np.maximum(values, 0))).T
    standard = (shared + shifts.own * paired(rng, count, groups)) / shifts.spread
    place = quantiles(level.grouped.grid, posterior, scipy.special.ndtr(standard))
    slope = (posterior * progress.slope).sum(axis=0)
    doubt = np.maximum((posterior * progress.slope_square).sum(axis=0) - slope**2, 0)
    weight = np.where(progress.informative, 1 / (doubt + SLOPE_NOISE**2), 1e-9)
    common = np.zeros(groups)
    for direction in _directions(state):
        common[direction] = np.average(slope[direction], weights=weight[direction])
    group = state.group
    rising, progressed = state.rising[state.order], state.progress[state.order]
    sure = rising & (progressed > RISING_FROM) & state.sampled
    slopes = np.maximum(
        common[group] + state.doubt * SLOPE_COMMON * paired(rng, count, 1), np.where(sure, 1.0, SLOWEST)
    )
    middle, own = _own_places(level, state, posterior)
    modes = middle + own * paired(rng, count, group.size)
    rate = state.doubt * COMMON_RATE * paired(rng, count, 1) + OWN_RATE * paired(rng, count, group.size)
    gone = np.clip(progressed, 0, EARLY_UNTIL)
    rate += np.where(rising, RISING * sure, EARLY * state.sampled * (1 - gone / EARLY_UNTIL))
    rate += OTHERS - STRAGGLES * (rng.uniform(size=rate.shape) < STRAGGLERS)
    paths = Paths(level.paths.grid, level.paths.progress[:, state.order], level.paths.middle[state.order])
    together = state.doubt * TOGETHER * paired(rng, count, 1)
    return Branch(paths, place[:, group] + modes + together, slopes, np.exp(rate))


def _directions(state: RunState) -> list[np.ndarray]:
    """Groups that rise, and groups that fall, of those that there are."""
    rising = state.rising[state.order[state.bounds]]
    return [found for found in (np.flatnonzero(rising), np.flatnonzero(~rising)) if found.size]


def paired(rng: np.random.Generator, count: int, size: int) -> Float[np.ndarray, "draw size"]:
    """Standard normal draws, each with its negative, so that medians have little error of sampling."""
    half = rng.standard_normal(((count + 1) // 2, size))
    return np.concatenate([half, -half])[:count]


def _own_places(
    level: Weighed, state: RunState, posterior: Float[np.ndarray, "grid group"]
) -> tuple[Float[np.ndarray, " mode"], Float[np.ndarray, " mode"]]:
    """Mean and spread of each moving mode's place about its group's: what its last record says, to first order, and its prior."""
    group, order = state.group, state.order
    if group.size == state.bounds.size:
        return np.zeros(group.size), np.zeros(group.size)
    centre = (level.grouped.grid @ posterior)[group]
    paths = Paths(level.paths.grid, level.paths.progress[:, order], level.paths.middle[order])
    start, way = state.start[order], (state.goal - state.start)[order]
    speed = way * (paths.at(centre + STEP) - paths.at(centre - STEP)) / (2 * STEP)
    last = state.back.size - 1
    left = state.window[last, order] - (start + way * paths.at(centre + state.back[last]))
    noise = state.error[last, order] ** 2 + FLOOR**2
    prior = level.shifts.own**2
    precision = 1 / prior + speed**2 / noise
    return speed * left / noise / precision, precision**-0.5


def quantiles(
    grid: Float[np.ndarray, " grid"], density: Float[np.ndarray, "grid group"], level: Float[np.ndarray, "draw group"]
) -> Float[np.ndarray, "draw group"]:
    """Quantiles of distributions given on an even grid, linear within its cells."""
    cumulative = np.cumsum(density, axis=0)
    cumulative /= cumulative[-1]
    cell = (cumulative[None] < level[:, None]).sum(axis=1)
    cell = np.minimum(cell, grid.size - 1)
    above = np.take_along_axis(cumulative, cell, axis=0)
    below = np.where(cell > 0, np.take_along_axis(cumulative, np.maximum(cell - 1, 0), axis=0), 0.0)
    way = (level - below) / np.where(above > below, above - below, 1)
    return grid[0] + (cell - 0.5 + np.clip(way, 0, 1)) * (grid[1] - grid[0])
