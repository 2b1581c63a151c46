"""The future of a whole run, drawn: variances of all modes, of what a spectrum leaves out, distance from the data (T20)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from ..checks import need_memory
from ..clocks.settling import stays_below
from ..curve.closeness import relative_distance
from ..curve.divergences import wasserstein_of_modes, with_directions_beyond
from ..curve.learning_curve import LearningCurve
from .effective_time import EffectiveTime
from .fluctuation import fluctuations, scatter
from .future import Future, falling
from .run_state import WHOLE, RunState
from .weighing import DRAWS

AHEAD = np.concatenate([[0.0], np.geomspace(0.02, 0.6, 12), np.arange(0.75, 3.05, 0.15), np.geomspace(3.3, 7.0, 12)])
"""ln effective time ahead at which the future is drawn: soon as densely as runs are recorded, later less."""

SOME = 64
"""Draws behind what is read from whole curves."""

HEALS = 0.5
"""Power of time with which modes near their goal are taken to close what is left."""

AT_ONCE = 8
"""Draws worked out at once: more take memory and no less time."""

TINY = 1e-300
"""Smallest variance that has a logarithm."""

Draws = Float[np.ndarray, "draw time mode"]


@dataclass(frozen=True, eq=False)
class Drawn:
    """A run so far, and draws of what comes: `future` of its moving modes, none before any has moved; `clock` counts its time."""

    state: RunState
    future: Future | None
    measured: LearningCurve
    clock: EffectiveTime

    @cached_property
    def steps(self) -> Float[np.ndarray, " time"]:
        """Steps of the future that is drawn."""
        steps = self.clock.step(np.exp(self.state.now + self.ahead))
        steps[0] = self.state.made_at
        return steps

    @cached_property
    def ahead(self) -> Float[np.ndarray, " time"]:
        """ln effective time ahead of them: as far as the schedule reaches, its end too."""
        last = np.log(self.clock.end) - self.state.now
        if last <= 0:
            return AHEAD[:1]
        return AHEAD if last > AHEAD[-1] else np.append(AHEAD[last > AHEAD], last)

    @cached_property
    def log_variance(self) -> Float[np.ndarray, "draw time mode"]:
        """ln variance of all modes in some of the draws, along `steps`, without their scatter."""
        return self.of(self.some)

    @property
    def some(self) -> np.ndarray:
        """Which draws those are."""
        return np.round(np.linspace(0, DRAWS - 1, SOME)).astype(int)

    @cached_property
    def swing(self) -> float:
        """Standard deviation, from record to record, of what ln variance of all modes has in common.

        0 for a curve without an error of sampling, as a prediction is.
        """
        variance = self.past.variance.values
        whole = np.isfinite(variance).mean(axis=1) > WHOLE
        known = np.isfinite(self.state.goal) & (np.nan_to_num(variance[whole]) > 0).all(axis=0)
        if not (self.state.sampled and known.any()):
            return 0.0
        share = np.exp(self.state.goal[known])
        return scatter(self.past.time.values[whole], np.log(variance[whole][:, known]) @ (share / share.sum()))

    @cached_property
    def scattered(self) -> Float[np.ndarray, "every time"]:
        """How far all modes together swing about each way ahead, in ln variance, in every draw."""
        return fluctuations(self.swing, self.ahead, DRAWS, 1)

    @cached_property
    def distance(self) -> Float[np.ndarray, "draw time"]:
        """W₂ of some of the draws, with their scatter, as a share of the data's norm."""
        pairs = zip(self.log_variance, self.scattered[self.some], strict=True)
        distance = [wasserstein_of_modes(np.exp(one + common[:, None]), self.target) for one, common in pairs]
        null = self.measured.null_dimension
        if null:
            outside, beyond = self.null(self.steps), self.measured.spectrum.variance_beyond
            distance = [with_directions_beyond(one, null, outside, beyond) for one in distance]
        return np.stack([relative_distance(one, self.past.total_variance) for one in distance])

    def null(self, steps: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
        """Variance along each direction that the spectrum leaves out: as it was, and falling on as it fell lately."""
        past = self.past
        known = past.time.values > 0
        time, value = past.time.values[known], np.maximum(past.dataset["null_variance"].values[known], TINY)
        if time.size == 0:
            return np.full(steps.shape, past.dataset["null_variance"].values[-1])
        window = time >= time[-1] / np.e
        fell = np.log(value[window][-1] / value[window][0]) / max(np.log(time[window][-1] / time[window][0]), 1e-9)
        ahead = np.log(np.maximum(steps / time[-1], 1.0))
        inside = np.exp(np.interp(np.log(np.maximum(steps, time[0])), np.log(time), np.log(value)))
        return inside * np.exp(falling(np.array(fell)) * ahead)

    def of(self, which: np.ndarray) -> Float[np.ndarray, "draw time mode"]:
        """ln variance of all modes in chosen draws: those with a path follow it, others close what is left with time."""
        assert self.future is not None
        state, ahead = self.state, self.ahead
        need_memory(
            f"{which.size} draws of {self.target.size:,} modes", 24.0 * which.size * ahead.size * self.target.size
        )
        known = np.isfinite(state.goal) & np.isfinite(state.last)
        goal = np.where(known, state.goal, state.last)
        left = np.where(known, state.last, 0.0) - np.where(known, state.goal, 0.0)
        everything = goal + left * np.exp(-HEALS * ahead)[:, None]
        everything += np.where(known, 0.0, falling(state.trend)) * ahead[:, None]  # what the data lack goes on falling
        result = np.broadcast_to(everything, (which.size, *everything.shape)).copy()
        for part in np.array_split(np.arange(which.size), -(-which.size // AT_ONCE)):
            path = self.future.log_variance(ahead, which[part])
            path += (state.last[state.order] - path[:, :1]) * np.exp(-HEALS * ahead)[:, None]  # from where the mode is
            result[part[:, None, None], np.arange(ahead.size)[:, None], state.order] = path
        return result

    @cached_property
    def past(self) -> LearningCurve:
        """The measured curve up to the step of the forecast, with what its sampler can reach."""
        dataset = self.measured.dataset
        kept = dataset.isel(time=np.flatnonzero(dataset["time"].values <= self.state.made_at))
        kept["reachable"] = ("mode", np.exp(self.state.goal))
        return LearningCurve(kept, recipe=self.measured.recipe, source=self.measured.source)

    @property
    def target(self) -> Float[np.ndarray, " mode"]:
        """The data's variances."""
        return np.asarray(self.measured.target.values)

    @cached_property
    def so_far(self) -> Float[np.ndarray, " record"]:
        """W₂ at the records so far, as a share of the data's norm."""
        return relative_distance(self.past.wasserstein().values, self.past.total_variance)

    def since(self, fraction: float) -> float:
        """Step since which W₂ has stayed below a share of the data's norm so far; NaN if it is not below now."""
        return float(stays_below(self.so_far, self.past.time.values, np.array([fraction]))[0])

    def close(self, fraction: float) -> Float[np.ndarray, " draw"]:
        """Step from which W₂ stays below a share of the data's norm, in some of the draws; infinite where it never does.

        A run that is close now has been `since` a past step, in the draws in which it does not leave again. NaN where nothing
        is known: far, and nothing has moved.
        """
        since = self.since(fraction)
        if self.future is None:
            return np.full(SOME, since)
        steps = np.array([stays_below(one, self.steps, np.array([fraction]))[0] for one in self.distance])
        if np.isfinite(since):
            steps = np.where((self.distance <= fraction).all(axis=1), since, steps)
        return np.where(np.isnan(steps), np.inf, steps)
