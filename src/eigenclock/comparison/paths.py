"""The path of every mode as theory has it: progress towards its goal as a function of its own logarithmic time (T20)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from ..checks import InputError, say
from ..curve.learning_curve import LearningCurve

STEP = 0.1
"""Spacing of the grid of ln time."""

MARGIN = 6.0
"""How far, in ln time, the grid reaches beyond the first and the last time at which any mode is half-way."""

MOVING, MANY = 0.05, 0.25
"""A prediction ends too soon where ln variance of more than this share of the modes has moved so much in its last e-fold."""

FAR = np.log(2.0)
"""A mode whose start lies within this of its goal, in ln variance, has no path to speak of."""

Modes = Float[np.ndarray, " mode"]
Grid = Float[np.ndarray, " grid"]


@dataclass(frozen=True, eq=False)
class Paths:
    """Progress of modes along a grid of ln theory time.

    `grid`: (grid,) ln time, evenly spaced; `progress`: (grid, mode), 0 at the start and 1 at the goal, in ln variance, possibly
    beyond; `middle`: (mode,) ln time at which a mode is half-way.
    """

    grid: Grid
    progress: Float[np.ndarray, "grid mode"]
    middle: Modes

    @classmethod
    def of(cls, curve: LearningCurve, rising: Bool[np.ndarray, " mode"]) -> "Paths":
        """Paths of a predicted curve, for modes that rise or fall in the run.

        A mode whose own predicted path is too short, or leads the other way, follows that of the mode of nearest variance that
        has one. The grid covers every mode's path, with a margin.
        """
        time, variance = curve.time.values, curve.variance.values
        kept = (time > 0) & np.isfinite(time)
        if kept.sum() < 2:
            raise InputError(f"curves must be predicted at two or more finite times > 0, got {int(kept.sum())}")
        grid, known = np.log(time[kept]), _log(variance[kept])
        start = _log(curve.initial.values)
        whole = known[-1] - start
        with np.errstate(invalid="ignore", over="ignore"):
            progress = (known - start) / np.where(whole != 0, whole, np.nan)
        usable = (np.abs(whole) > FAR) & np.isfinite(progress).all(axis=0)
        with np.errstate(invalid="ignore"):
            late = np.abs(known[-1] - known[np.searchsorted(grid, grid[-1] - 1.0)])
        late = late[curve.target.values > 0]  # what the data lack never arrives
        if (late[np.isfinite(late)] > MOVING).sum() > MANY * late.size:
            say("a prediction ends while many of its modes are still on their way: predict to later times", level=5)
        progress = _from_the_lowest(np.nan_to_num(progress))[
            :, _nearest(_log(curve.target.values), usable, whole > 0, rising)
        ]
        middle = np.minimum(_first_reach(progress, grid, 0.5), grid[-1])  # the last time where it never is
        low, high = middle.min(initial=grid[-1]) - MARGIN, middle.max(initial=grid[0]) + MARGIN
        even = np.arange(max(low, grid[0] - MARGIN), min(high, grid[-1] + MARGIN) + STEP, STEP)
        return cls(even, _at(progress, grid, even), middle)

    def one_time_for_all(self, groups: list[np.ndarray]) -> "Paths":
        """The same with one path and one time for all modes of each group, those of the mode in its middle."""
        progress, middle = self.progress.copy(), self.middle.copy()
        for group in groups:
            central = group[np.argsort(middle[group], kind="stable")[group.size // 2]]
            progress[:, group], middle[group] = self.progress[:, [central]], self.middle[central]
        return Paths(self.grid, progress, middle)

    def in_proportion(self, time: Modes, groups: list[np.ndarray]) -> "Paths":
        """The same with one path for all modes of each group, in its middle's time for the central one, else in proportion."""
        same = self.one_time_for_all(groups)
        later = np.zeros(time.size)
        for group in groups:
            later[group] = np.log(time[group]) - np.median(np.log(time[group]))
        low, high = same.middle + later - MARGIN, same.middle + later + MARGIN
        chosen = np.concatenate(groups)
        grid = np.arange(low[chosen].min(), high[chosen].max() + STEP, STEP)
        return Paths(grid, same.at(grid[:, None] - later), same.middle + later)

    def first_reach(self, level: Modes) -> Modes:
        """ln time at which each mode first reaches a progress; infinite where it never does."""
        return _first_reach(self.progress, self.grid, level)

    def at(self, log_time: Float[np.ndarray, "*any mode"]) -> Float[np.ndarray, "*any mode"]:
        """Progress of every mode at its own ln time, linear between grid points, constant beyond them."""
        place = np.clip((log_time - self.grid[0]) / STEP, 0, self.grid.size - 1.001)
        before = place.astype(int)
        way, modes = place - before, np.arange(self.middle.size)
        return self.progress[before, modes] * (1 - way) + self.progress[before + 1, modes] * way


def _from_the_lowest(progress: Float[np.ndarray, "grid mode"]) -> Float[np.ndarray, "grid mode"]:
    """Progress counted from its lowest point, 0 before it: some paths first lead away, and runs are read from their lowest."""
    lowest = np.minimum(progress.min(axis=0), 0.0)
    before = np.arange(len(progress))[:, None] < progress.argmin(axis=0)
    return np.where(before & (lowest < 0), 0.0, (progress - lowest) / (1 - lowest))


def _log(values: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(values)


def _nearest(
    log_target: Modes,
    usable: Bool[np.ndarray, " mode"],
    up: Bool[np.ndarray, " mode"],
    rising: Bool[np.ndarray, " mode"],
) -> np.ndarray:
    """For each mode, whose path it follows: its own, or that of the usable one nearest in variance, of its direction if any."""
    chosen = np.arange(log_target.size)
    place = np.where(np.isfinite(log_target), log_target, -1e3)
    for direction in (True, False):
        own = usable & (up == rising) & (rising == direction)
        lacking = np.flatnonzero((rising == direction) & ~own)
        have = np.flatnonzero(usable & (up == direction))
        have = have if have.size else np.flatnonzero(usable)
        if have.size and lacking.size:
            order = have[np.argsort(place[have], kind="stable")]
            right = np.clip(np.searchsorted(place[order], place[lacking]), 1, max(order.size - 1, 1))
            left, right = order[np.minimum(right - 1, order.size - 1)], order[np.minimum(right, order.size - 1)]
            closer = np.abs(place[left] - place[lacking]) <= np.abs(place[right] - place[lacking])
            chosen[lacking] = np.where(closer, left, right)
    return chosen


def _first_reach(progress: Float[np.ndarray, "grid mode"], grid: Grid, level: Any) -> Modes:
    """ln time at which each mode first reaches a progress, linear between grid points; infinite where it never does."""
    reached = progress >= level
    after, modes = np.maximum(reached.argmax(axis=0), 1), np.arange(progress.shape[1])
    before, there = progress[after - 1, modes], progress[after, modes]
    way = np.clip((level - before) / np.where(there != before, there - before, 1), 0, 1)
    return np.where(reached.any(axis=0), grid[after - 1] + way * (grid[after] - grid[after - 1]), np.inf)


def _at(
    progress: Float[np.ndarray, "known mode"], known: Float[np.ndarray, " known"], grid: Grid
) -> Float[np.ndarray, "grid mode"]:
    """Progress on another grid; before the first known time it begins in proportion to time."""
    place = np.clip(np.interp(grid, known, np.arange(known.size)), 0, known.size - 1.001)
    before = place.astype(int)
    way = (place - before)[:, None]
    inside = progress[before] * (1 - way) + progress[before + 1] * way
    return inside * np.exp(np.minimum(grid - known[0], 0))[:, None]
