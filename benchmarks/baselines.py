"""What forecasts are held against: version 0.1.0's, the law 1/variance, extrapolating the loss, a curve fitted to each mode.

0.1.0's forecast is kept as it was (its constant by a censored regression over modes that have emerged, are on their way, or
not yet). A baseline gives the expected step of every mode with the ends of its interval, NaN where it has none.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.optimize
import scipy.stats
from jaxtyping import Bool, Float

from eigenclock.clocks.emergence import emergence
from eigenclock.comparison.forecast import forecast
from eigenclock.comparison.forecast_check import by_loss
from eigenclock.curve.learning_curve import LearningCurve

ON_THE_WAY = (0.35, 0.4, 0.45)
"""Fractions of the log-distance to the target whose passage said something about a mode's emergence."""

COVERAGE = 0.8

EFFECTIVE_MODES = 8.0
"""As how many independent modes those of one status count."""

SLOPE_PRIOR = 0.4
"""Standard deviation of b about 1."""

DIRECTION_PRIOR = 0.6
"""Standard deviation of d about 0."""

SPREAD_PRIOR = (0.4, 0.8)
"""Median of the residuals' spread in ln t, and the standard deviation of its logarithm."""

DRIFT = 0.6
"""Standard deviation of the error of a forecast, as a share of the ln time that it looks ahead: a run's speed drifts."""

INFLATION = 2.4
"""By which spreads are widened, so that intervals of modes covered on finished runs what they said."""

PARTIAL_NOISE = 2.0
"""Standard deviation in ln t of what a mode that has barely moved says about its emergence; falls to 0 on the way."""

Modes = Float[np.ndarray, " mode"]
Flags = Bool[np.ndarray, " mode"]


@dataclass(frozen=True, eq=False)
class Status:
    """What is known of every mode so far.

    `x`: ln of predicted time; `falling`; `y`: ln of measured time of the modes in `seen`, `noise` its standard deviation (0 where
    the mode has emerged, more where it is on its way); `waiting`: not moved by `last`, ln of the last step; `before`: learned
    before `first`.
    """

    x: Modes
    falling: Flags
    y: Modes
    noise: Modes
    seen: Flags
    waiting: Flags
    before: Flags
    last: float
    first: float


@dataclass(frozen=True, eq=False)
class TimeScale:
    """The posterior of (m, b, d, ln spread) about its mode."""

    mean: Float[np.ndarray, " four"]
    covariance: Float[np.ndarray, "four four"]
    centre: tuple[float, float]
    status: Status

    @classmethod
    def of(cls, status: Status) -> "TimeScale | None":
        """The fit; None before any mode has moved."""
        seen = status.seen
        if not seen.any():
            return None
        centre = float(np.median(status.x[seen])), float(status.falling[seen].mean())
        x, falling = status.x - centre[0], status.falling - centre[1]
        emerged, partial = seen & (status.noise == 0), seen & (status.noise > 0)
        groups = [(group, min(1.0, EFFECTIVE_MODES / group.sum())) for group in (emerged, partial) if group.any()]
        waiting, before = (
            (flags, min(1.0, EFFECTIVE_MODES / max(1, flags.sum()))) for flags in (status.waiting, status.before)
        )

        def negative_log_posterior(parameters: Any) -> float:
            m, b, d, log_spread = parameters
            spread, location = np.exp(log_spread), m + b * x + d * falling
            total = 0.5 * ((b - 1) / SLOPE_PRIOR) ** 2 + 0.5 * (d / DIRECTION_PRIOR) ** 2
            total += 0.5 * ((log_spread - np.log(SPREAD_PRIOR[0])) / SPREAD_PRIOR[1]) ** 2
            for group, weight in groups:
                variance = spread**2 + status.noise[group] ** 2
                error = (status.y[group] - location[group]) ** 2 / variance
                total += weight * 0.5 * (error + np.log(variance)).sum()
            total -= waiting[1] * scipy.stats.norm.logsf((status.last - location[waiting[0]]) / spread).sum()
            total -= before[1] * scipy.stats.norm.logcdf((status.first - location[before[0]]) / spread).sum()
            return float(total)

        start = np.array([np.median(status.y[seen]), 1.0, 0.0, np.log(SPREAD_PRIOR[0])])
        found = scipy.optimize.minimize(negative_log_posterior, start, method="BFGS", options={"gtol": 1e-4})
        return cls(found.x, np.linalg.inv(_hessian(negative_log_posterior, found.x)), centre, status)

    @property
    def spread(self) -> float:
        """Standard deviation of ln t about the law."""
        return float(np.exp(self.mean[3]))

    def _design(self, modes: Flags) -> Float[np.ndarray, "three chosen"]:
        status = self.status
        chosen = status.falling[modes]
        return np.stack([np.ones(chosen.size), status.x[modes] - self.centre[0], chosen - self.centre[1]])

    def _own(self, modes: Flags) -> tuple[Any, Any, Any]:
        """How much each mode's own passage counts, what it says, and the spread that remains."""
        status = self.status
        known = status.seen[modes]
        weight = np.where(known, self.spread**2 / (self.spread**2 + status.noise[modes] ** 2), 0.0)
        return weight, np.where(known, status.y[modes], 0.0), self.spread * np.sqrt(np.maximum(1 - weight, 0.02))

    def interval(self, modes: Flags, coverage: float) -> list[Float[np.ndarray, " chosen"]]:
        """Low end, expected value and high end of ln t of modes that have not emerged, given that it lies beyond the last step.

        Expected is the most likely value, or the median where that has passed already.
        """
        design, last = self._design(modes), self.status.last
        weight, own, left = self._own(modes)
        uncertain = np.einsum("im,ij,jm->m", design, self.covariance[:3, :3], design)
        location = (1 - weight) * (self.mean[:3] @ design) + weight * own
        ahead = DRIFT * np.maximum(location - last, 0)
        spread = np.sqrt(left**2 + (1 - weight) ** 2 * np.maximum(uncertain, 0) + ahead**2) * INFLATION
        remaining = scipy.stats.norm.sf((last - location) / spread)
        low, median, high = (
            self._beyond(location + spread * scipy.stats.norm.isf(remaining * (1 - level)))
            for level in ((1 - coverage) / 2, 0.5, (1 + coverage) / 2)
        )
        return [low, np.where(location > last, np.maximum(location, low), median), high]

    def _beyond(self, log_time: Any) -> Any:
        return np.where(np.isfinite(log_time), np.maximum(log_time, self.status.last), self.status.last)


def _hessian(function: Any, at: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n n"]:
    """Second derivatives by central differences, made positive definite."""
    step = 1e-3 * np.eye(at.size)
    matrix = np.array(
        [
            [function(at + a + b) - function(at + a - b) - function(at - a + b) + function(at - a - b) for b in step]
            for a in step
        ]
    ) / (4e-6)
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.maximum(values, 1e-3)) @ vectors.T


Expected = tuple[Modes, Modes, Modes]
"""Expected step of every mode, and the ends of its interval."""


def version_0_1_0(curve: LearningCurve, measured: LearningCurve, at: float) -> Expected:
    """The forecast of version 0.1.0 from level (c)."""
    part = {fraction: np.nan_to_num(curve.emergence(fraction).time) for fraction in ON_THE_WAY}
    return _by_one_constant(np.nan_to_num(curve.emergence().time), part, measured, at)


def one_over_variance(measured: LearningCurve, at: float) -> Expected:
    """The same machinery with time ∝ 1/variance in place of a prediction: version 0.1.0's baseline."""
    target = measured.target.values
    law = np.where(target > 0, 1 / np.where(target > 0, target, 1.0), 0.0)
    return _by_one_constant(law, {fraction: 2 * fraction * law for fraction in ON_THE_WAY}, measured, at)


def _by_one_constant(predicted: Modes, part: dict[float, Modes], measured: LearningCurve, at: float) -> Expected:
    """Status of every mode so far, the constant, and what follows for the rest."""
    times, target, initial = measured.time.values, measured.target.values, measured.initial.values
    until = times <= at
    variance, times = measured.variance.values[until], times[until]
    table = emergence(variance, times, initial, target)
    passage = np.nan_to_num(table.time)
    clock = ~table.gray_zone & (target > 0) & (predicted > 0)
    emerged = clock & (passage > 0)
    pending = clock & ~emerged
    y, noise = np.log(np.where(emerged, passage, 1.0)), np.zeros(target.size)
    seen = emerged.copy()
    for fraction, expected in part.items():
        passed = np.nan_to_num(emergence(variance, times, initial, target, fraction).time)
        here = pending & (expected > 0) & (passed > 0)
        y[here] = np.log(predicted[here] * passed[here] / expected[here])
        noise[here] = PARTIAL_NOISE * (1 - 2 * fraction)
        seen |= here
    x = np.log(np.where(clock, predicted, 1.0))
    falling = table.direction == "falling"
    nothing = np.full(target.size, np.nan)
    fit = TimeScale.of(Status(x, falling, y, noise, seen, pending & ~seen, np.zeros_like(pending), np.log(at), -np.inf))
    low, middle, high = nothing.copy(), nothing.copy(), nothing.copy()
    if fit is not None:
        low[pending], middle[pending], high[pending] = (np.exp(one) for one in fit.interval(pending, COVERAGE))
    return middle, low, high


def loss_extrapolated(curve: LearningCurve, measured: LearningCurve, at: float, steps: Any, losses: Any) -> Expected:
    """What one would guess from the loss alone (`comparison.forecast_check.by_loss`)."""
    nothing = np.full(measured.target.size, np.nan)
    made = forecast(curve, measured, at=at)
    return by_loss(steps, losses, at, made, measured.emergence().time), nothing, nothing


def fitted_curves(measured: LearningCurve, at: float) -> Expected:
    """A log-logistic curve from start to target fitted to each mode alone, its time and slope free: learning-curve extrapolation.

    (LC-PFN, a network trained to extrapolate learning curves, fetches its weights from a server: not used here.)
    """
    times, target, initial = measured.time.values, measured.target.values, measured.initial.values
    until = (times <= at) & (times > 0)
    u, y = np.log(times[until]), np.log(measured.variance.values[until])
    middle = np.full(target.size, np.nan)
    with np.errstate(divide="ignore"):
        start, way = np.log(initial), np.log(target) - np.log(initial)
    for mode in np.flatnonzero((target > 0) & (np.abs(way) > np.log(2))) if u.size >= 3 else []:
        progress = (y[:, mode] - start[mode]) / way[mode]
        fit = scipy.optimize.least_squares(
            lambda p, seen=progress: 1 / (1 + np.exp(-np.exp(p[1]) * (u - p[0]))) - seen,
            (np.log(at) + 1, 0.0),
            bounds=([-5, -2], [30, 2]),
        )
        middle[mode] = np.exp(fit.x[0])
    nothing = np.full(target.size, np.nan)
    return np.maximum(middle, at), nothing, nothing
