"""When will it be learned? An expected step, with an interval, for every mode of a run that is still going (*ours*, T13).

A prediction fixes the order and the spacing of the emergence times, not their unit; the modes that have emerged so far, or are on
their way, fix the unit (`time_scale`), and every other mode has an expected step.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from ..checks import InputError, instance, number
from ..clocks.emergence import emergence
from ..curve.learning_curve import LearningCurve
from .compare import said_of_objective, started_late
from .time_scale import PARTIAL_NOISE, Status, TimeScale

COVERAGE = 0.8
"""Default probability of an interval."""

ON_THE_WAY = (0.35, 0.4, 0.45)
"""Fractions of the log-distance to the target whose passage says something about a mode's emergence."""

DRAWS = 400
"""Draws behind the interval of a moment that several modes decide."""

FINEST = 0.25
"""The finest quarter: this share of the modes, of smallest variance."""

WIDE, EVEN = 60.0, 15.0
"""An interval wider than this, or this much wider on one side, in percent, is said by both of its ends."""

MOST_OF = 0.9
"""A group of modes has emerged when this share of it has."""

Modes = Float[np.ndarray, " mode"]
Flags = Bool[np.ndarray, " mode"]


@dataclass(frozen=True)
class Moment:
    """An expected step and its interval; `known` if it has happened already."""

    step: float
    low: float
    high: float
    known: bool = False

    def __str__(self) -> str:
        if np.isnan(self.step):
            return "no forecast yet"
        if self.known:
            return f"step {self.step:,.0f}, reached"
        step, low, high = (f"{float(f'{value:.2g}'):,.0f}" for value in (self.step, self.low, self.high))
        below, above = 100 * (1 - self.low / self.step), 100 * (self.high / self.step - 1)
        even = max(below, above) <= WIDE and abs(below - above) <= EVEN
        return f"step {step} ± {max(below, above):.0f} %" if even else f"step {step} (between {low} and {high})"


@dataclass(frozen=True, eq=False, repr=False)
class Forecast:
    """The expected emergence of every mode, made after `made_at` steps.

    - `time`, `low`, `high`: (mode,) expected step and its interval of probability `coverage`; the measured step where a mode has
      emerged, NaN where there is no clock to forecast (gray zone, no prediction) or no mode has emerged yet.
    - `emerged`: modes that have emerged so far; `pending`: modes forecast to come. `gray_zone`: modes without a clear clock.
    - `time_of_all`, `draws`: expected times, and (draw, mode) draws of them, of all modes: 0 in the gray zone, the first record
      where a late probe found them learned.
    - `time_scale`: measured over predicted time, the one constant. `spread`: standard deviation of ln t about it.
    """

    time: Modes
    low: Modes
    high: Modes
    emerged: Flags
    pending: Flags
    gray_zone: Flags
    target: Modes
    made_at: float
    coverage: float
    time_scale: float
    spread: float
    time_of_all: Modes
    draws: Float[np.ndarray, "draw mode"]

    def variance_learned(self, fraction: float) -> Moment:
        """When the modes that have emerged will carry this fraction of the data's variance; gray zone from the start."""
        number("fraction", fraction, above=0, below=1)
        return self._moment(self.target, fraction)

    def finest(self, share: float = FINEST) -> Moment:
        """When nine in ten of this share of the modes, those of smallest positive variance, will have emerged."""
        number("share", share, above=0, below=1)
        positive = np.flatnonzero(self.target > 0)
        order = positive[np.argsort(self.target[positive], kind="stable")]
        weight = np.zeros(self.target.size)
        weight[order[: max(1, round(share * positive.size))]] = 1.0
        return self._moment(weight, MOST_OF)

    def _moment(self, weight: Modes, fraction: float) -> Moment:
        """When modes that carry a fraction of the weight have emerged."""
        if np.isnan(self.time_scale):
            return Moment(np.nan, np.nan, np.nan)
        expected = float(_reached(self.time_of_all[None], weight, fraction)[0])
        if expected <= self.made_at:
            return Moment(expected, expected, expected, known=True)
        moments = _reached(self.draws, weight, fraction)
        tail = (1 - self.coverage) / 2
        low, middle, high = (float(q) for q in np.quantile(moments, (tail, 0.5, 1 - tail), method="nearest"))
        return Moment(middle, low, high) if np.isfinite(middle) else Moment(np.nan, np.nan, np.nan)

    def to_dataframe(self) -> pd.DataFrame:
        """A row per mode."""
        status = np.select(
            [self.emerged, self.pending, self.gray_zone], ["emerged", "expected", "gray zone"], "no clock"
        )
        columns = {"target": self.target, "status": status, "step": self.time, "low": self.low, "high": self.high}
        return pd.DataFrame({"mode": np.arange(self.target.size), **columns})

    def __str__(self) -> str:
        if np.isnan(self.time_scale):
            return f"no mode has emerged by step {self.made_at:,.0f}: no forecast yet"
        return f"90 % of the variance by {self.variance_learned(0.9)}; finest quarter by {self.finest()}"

    def __repr__(self) -> str:
        return (
            f"Forecast(after {self.made_at:g} steps: {int(self.emerged.sum())} modes emerged, "
            f"{int(self.pending.sum())} expected, time scale ×{self.time_scale:.3g}, spread {self.spread:.2f})"
        )


def forecast(
    curve: LearningCurve, measured: LearningCurve, *, at: float | None = None, coverage: float = COVERAGE
) -> Forecast:
    """Expected step, with an interval, of every mode that has not emerged yet in a run; geometric thresholds (T12).

    Works as soon as one mode has gone a third of its way, and from a probe that started late: modes found learned at its
    first step count as learned before it, and emergence is counted from the predicted start.

    **Parameters**

    - `curve`: a prediction of the run, in any unit of time, that reaches as far as modes are to be forecast: level "c" of
      `predict_level` serves any network.
    - `measured`: what was measured so far. - `at`: use it only up to this step.
    - `coverage`: probability of the intervals.

    InputError if the two are not of the same modes, or nothing was measured by `at`.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> spectrum = ec.Spectrum.power_law(50, exponent=1.5)
    >>> slow = ec.predict(spectrum, optimizer=ec.GradientFlow(lr=0.01), time=np.geomspace(1, 1e3, 60))  # stands for a run
    >>> expected = ec.forecast(ec.predict(spectrum), slow)
    >>> expected, round(expected.time_scale, -1)
    (Forecast(after 1000 steps: 9 modes emerged, 41 expected, time scale ×100, spread 0.00), 100.0)

    ```
    """
    number("coverage", coverage, above=0, below=1)
    for name, one in (("curve", curve), ("measured", measured)):
        instance(name, one, LearningCurve, "a learning curve")
    if curve.target.size != measured.target.size or not np.allclose(curve.target, measured.target, rtol=1e-6):
        raise InputError(
            f"curve and measured must have the same modes, got {curve.target.size} and {measured.target.size} modes"
        )
    if at is not None:
        number("at", at, at_least=0)
    said_of_objective(None if curve.recipe is None else curve.recipe.objective, measured)
    late = started_late(measured)
    initial = curve.initial.values if late else measured.initial.values
    part = {fraction: np.nan_to_num(curve.emergence(fraction).time) for fraction in ON_THE_WAY}
    return _forecast(np.nan_to_num(curve.emergence().time), part, measured, initial, late, at, coverage)


def forecast_by_variance(
    curve: LearningCurve, measured: LearningCurve, *, at: float | None = None, coverage: float = COVERAGE
) -> Forecast:
    """The same from the plain law, time ∝ 1/variance, with nothing of `curve` but its start: the baseline to beat.

    Modes on their way count as they do for `forecast`, all passages in proportion.
    """
    target = measured.target.values
    late = started_late(measured)
    law = np.where(target > 0, 1 / np.where(target > 0, target, 1.0), 0.0)
    initial = curve.initial.values if late else measured.initial.values
    return _forecast(
        law, {fraction: 2 * fraction * law for fraction in ON_THE_WAY}, measured, initial, late, at, coverage
    )


def _forecast(
    predicted: Modes,
    part: dict[float, Modes],
    measured: LearningCurve,
    initial: Modes,
    late: bool,
    at: float | None,
    coverage: float,
) -> Forecast:
    """Status of every mode so far, the constant, and what follows for the rest. Predicted times of 0 are none."""
    times, target = measured.time.values, measured.target.values
    last = float(times[np.isfinite(times)][-1]) if at is None else float(at)
    until = times <= last
    if not until.any():
        raise InputError(f"at must be at or after the first record, step {times[0]:g}, got {last:g}")
    variance, times = measured.variance.values[until], times[until]
    table = emergence(variance, times, initial, target)
    passage, gray = np.nan_to_num(table.time), table.gray_zone
    clock = ~gray & (target > 0) & (predicted > 0)
    before = clock & late & (passage > 0) & (passage <= times[0])
    emerged = clock & ~before & (passage > 0)
    pending = clock & ~emerged & ~before
    y, noise = np.log(np.where(emerged, passage, 1.0)), np.zeros(target.size)
    seen = emerged.copy()
    for fraction, expected in part.items():
        passed = np.nan_to_num(emergence(variance, times, initial, target, fraction).time)
        here = pending & (expected > 0) & (passed > (times[0] if late else 0.0))
        y[here] = np.log(predicted[here] * passed[here] / expected[here])
        noise[here] = PARTIAL_NOISE * (1 - 2 * fraction)
        seen |= here
    x = np.log(np.where(clock, predicted, 1.0))
    ends = np.log(last) if last > 0 else -np.inf, np.log(times[0]) if late else -np.inf
    falling = table.direction == "falling"
    fit = TimeScale.of(Status(x, falling, y, noise, seen, pending & ~seen, before, *ends))
    if fit is None:
        nothing, none = np.full(target.size, np.nan), np.empty((0, target.size))
        return Forecast(
            nothing, nothing, nothing, emerged, pending, gray, target, last, coverage, np.nan, np.nan, nothing, none
        )
    known = np.where(emerged, passage, np.where(gray, 0.0, np.where(before, times[0], np.nan)))
    columns = np.repeat(known[None], 3, axis=0)
    columns[:, pending] = np.exp(fit.interval(pending, coverage))
    draws = np.repeat(known[None], DRAWS, axis=0)
    draws[:, pending] = np.exp(fit.draws(pending, DRAWS))
    low, middle, high = np.where(emerged | pending, columns, np.nan)
    return Forecast(
        middle, low, high, emerged, pending, gray, target, last, coverage, fit.factor, fit.spread, columns[1], draws
    )


def _reached(times: Float[np.ndarray, "draw mode"], weight: Modes, fraction: float) -> Float[np.ndarray, " draw"]:
    """First time at which modes that carry a fraction of the weight have emerged; NaN counts as never."""
    never = np.where(np.isnan(times), np.inf, times)
    order = np.argsort(never, axis=1, kind="stable")
    share = np.cumsum(weight[order], axis=1)
    first = (share >= fraction * weight.sum() * (1 - 1e-12)).argmax(axis=1)
    rows = np.arange(len(times))
    return never[rows, order[rows, first]]
