"""What a run has shown so far: which modes have begun, which are on their way, and in which groups (T20)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from ..checks import InputError
from ..clocks.emergence import Emergence, emergence
from ..curve.learning_curve import LearningCurve
from .compare import started_late
from .effective_time import EffectiveTime
from .future import AVERAGED
from .progress import Observed

WINDOW = 0.8
"""Records of so many last e-folds of the run say where modes are and how fast they go."""

MOST_RECORDS = 16
"""Records in the window, at most, spread evenly: neighbouring ones say the same."""

GROUPS = 96
"""Groups of neighbouring modes in each direction, at most."""

WHOLE = 0.5
"""A record counts if more than this share of its modes is finite."""

NEAR = 0.3
"""A mode whose start lies within this of its goal, in ln variance, has no path to be placed on."""

VAGUE = 100.0
"""Largest error of ln variance that is told from none known."""

DRIFTERS, DRIFT_SHARE = 8, 0.25
"""So many modes, and this share of a direction, must move away from their targets for a common drift to be seen."""

Modes = Float[np.ndarray, " mode"]
Flags = Bool[np.ndarray, " mode"]


@dataclass(frozen=True, eq=False)
class RunState:
    """A run up to a step.

    - `table`: emergence so far, counted from the untrained model. `made_at`: the last step; `first`: the first record.
    - `begun`, `pending`, `gray`, `before`: modes that have begun, are to begin, never had far to go, or were found begun by a
      probe that started late.
    - `goal`: (mode,) ln variance that the run's own sampler can reach. `start`: lowest (rising) or highest (falling) ln variance
      so far, less the drift that all modes share.
    - `last`: (mode,) ln variance at the last record.
    - `moving`: modes with a path: far enough from their goal at their start, and finite.
    - `order`: indices of `moving` modes by group, `bounds`: where each group begins in it; `rising`: of every mode.
    - `sampled`: whether the curve holds the error of variances measured on samples.
    - `doubt`: by how much wider than of other runs what is not known of all modes together is.
    - `now`: ln effective time of the last step. `window`, `back`, `error`: (record, mode) ln variance in the window, (record,)
      its ln time less `now`, (record, mode) standard error.
    """

    table: Emergence
    made_at: float
    first: float
    late: bool
    begun: Flags
    pending: Flags
    before: Flags
    goal: Modes
    start: Modes
    last: Modes
    moving: Flags
    order: np.ndarray
    bounds: np.ndarray
    rising: Flags
    sampled: bool
    doubt: float
    now: float
    window: Float[np.ndarray, "record mode"]
    back: Float[np.ndarray, " record"]
    error: Float[np.ndarray, "record mode"]

    @classmethod
    def of(
        cls, measured: LearningCurve, initial: Modes, goal: Modes, at: float | None, clock: EffectiveTime
    ) -> "RunState":
        """Read a measured curve up to a step; `initial` is the variance of the untrained model, `goal` what can be reached.

        InputError if nothing was recorded by then.
        """
        times, target, late = measured.time.values, measured.target.values, started_late(measured)
        if not np.isfinite(times).any():
            raise InputError("measured must have a record at a finite step, got none")
        end = float(times[np.isfinite(times)][-1])
        last = end if at is None else min(float(at), end)
        until = times <= last
        if not until.any():
            raise InputError(f"at must be at or after the first record, step {times[0]:g}, got {last:g}")
        until &= np.isfinite(measured.variance.values).mean(axis=1) > WHOLE  # records of a model that had diverged
        if not until.any():
            raise InputError("measured must have a record that is finite, got none")
        variance, times = measured.variance.values[until], times[until]
        table = emergence(variance, times, initial, target)
        passage = np.nan_to_num(table.time)
        clear = ~table.gray_zone & (target > 0)
        before = clear & late & (passage > 0) & (passage <= times[0])
        begun = clear & ~before & (passage > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_variance, log_start, log_goal = np.log(variance), np.log(initial), np.log(goal)
            counted = np.log(clock.counts(times))
        rising = target >= initial
        whole = log_variance if late else np.vstack([log_start, log_variance])
        with np.errstate(invalid="ignore"):
            start = np.asarray(np.where(rising, np.fmin.reduce(whole), np.fmax.reduce(whole)))
        with np.errstate(divide="ignore"):  # a schedule may still be 0
            now = float(np.log(clock.counts(np.array(last)))) if last > 0 else -np.inf
        window, back = _window(counted, now)
        seen = log_variance[window]
        finite = clear & np.isfinite(log_goal) & np.isfinite(seen).all(axis=0) & np.isfinite(start)
        with np.errstate(invalid="ignore"):  # of a model that generates zero at first
            start = start + _drift(log_variance[-1] - log_start, rising, finite & (not late))
        with np.errstate(invalid="ignore"):
            moving = finite & (np.abs(log_goal - start) > NEAR) & ((log_goal > start) == rising)
        order, bounds = _groups(moving, rising, target)
        kept = measured.dataset.get("log_variance_error")
        error = (
            np.zeros_like(seen)
            if kept is None
            else np.minimum(np.nan_to_num(kept.values[until][window], nan=1.0), VAGUE)
        )
        ends = begun, clear & ~begun & ~before, before
        return cls(
            table, last, float(times[0]), late, *ends, log_goal, start, log_variance[-1], moving, order, bounds, rising,
            kept is not None, AVERAGED if clock.average else 1.0, now, seen, back, error,
        )  # fmt: skip

    def mean(self, values: Float[np.ndarray, "*any mode"]) -> Float[np.ndarray, "*any group"]:
        """Mean over the modes of each group of values of all modes."""
        return np.add.reduceat(values[..., self.order], self.bounds, axis=-1) / self.size

    @property
    def progress(self) -> Modes:
        """Share of its way, in ln variance, that each mode has gone at the last record; NaN where it has none to go."""
        way = self.goal - self.start
        with np.errstate(invalid="ignore"):
            return np.asarray((self.last - self.start) / np.where(way != 0, way, np.nan))

    @property
    def trend(self) -> Modes:
        """Slope of ln variance on ln time in the window; NaN with one record."""
        if self.back.size < 2:
            return np.full(self.last.size, np.nan)
        with np.errstate(invalid="ignore"):
            return np.asarray((self.window[-1] - self.window[0]) / (self.back[-1] - self.back[0]))

    @property
    def size(self) -> Float[np.ndarray, " group"]:
        """Modes in each group."""
        return np.diff(np.append(self.bounds, self.order.size)).astype(float)

    @property
    def group(self) -> np.ndarray:
        """Group of each mode of `order`."""
        return np.repeat(np.arange(self.bounds.size), self.size.astype(int))

    @property
    def observed(self) -> Observed:
        """What was measured of the groups."""
        error = np.sqrt(self.mean(self.error**2) / self.size)
        return Observed(
            self.mean(self.window), self.back, error, self.mean(self.start), self.mean(self.goal - self.start)
        )


def _window(counted: Float[np.ndarray, " record"], now: float) -> tuple[np.ndarray, Float[np.ndarray, " seen"]]:
    """Indices of the records looked at, and their ln time less that of now."""
    known = np.flatnonzero(np.isfinite(counted))
    recent = known[counted[known] >= now - WINDOW]
    chosen = recent if recent.size >= 3 else known[-3:]
    if chosen.size > MOST_RECORDS:
        wanted = np.linspace(counted[chosen[0]], counted[chosen[-1]], MOST_RECORDS)
        chosen = chosen[np.unique(np.searchsorted(counted[chosen], wanted - 1e-9))]
    return chosen, counted[chosen] - now


def _drift(moved: Modes, rising: Flags, clear: Flags) -> Modes:
    """What all modes drift, as modes show that move away from their targets, credited to those of the other direction.

    Networks change their scale before they learn anything: part of what looks like progress of falling modes may be that.
    """
    drift = np.zeros_like(moved)
    for direction, sign in ((rising, 1.0), (~rising, -1.0)):
        away = sign * moved[clear & direction]
        back = away[away < 0]
        if back.size >= max(DRIFTERS, DRIFT_SHARE * away.size):
            drift[~direction] = sign * np.median(back)
    return drift


def _groups(moving: Flags, rising: Flags, target: Modes) -> tuple[np.ndarray, np.ndarray]:
    """Moving modes in groups of neighbours in variance, of one direction each: their order, and where groups begin."""
    parts: list[np.ndarray] = []
    for direction in (rising, ~rising):
        chosen = np.flatnonzero(moving & direction)
        if chosen.size:
            ordered = chosen[np.argsort(-target[chosen], kind="stable")]
            parts += np.array_split(ordered, min(GROUPS, ordered.size))
    sizes = [part.size for part in parts]
    order = np.concatenate(parts) if parts else np.empty(0, dtype=int)
    return order, np.cumsum([0, *sizes[:-1]]) if parts else np.empty(0, dtype=int)
