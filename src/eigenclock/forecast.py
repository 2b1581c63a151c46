"""When will it be learned? An expected step, with an interval, for every mode of a run that is still going (*ours*, T13).

A prediction p_k fixes the order and the spacing of the emergence times, not their unit. The modes that have emerged fix the unit:
ln t_k = m + b·(ln p_k − x̄) + residual, with b near 1 (one constant for all times) and residuals of one spread. Modes that have
not emerged say that t_k lies beyond the last step, modes that a late probe found learned that it lies before its first step: a
censored (Tobit) regression, whose three unknowns have weak priors and are found at the posterior's mode, with its curvature as
their uncertainty. Residuals of neighbouring modes are alike, so that many modes count as no more than `EFFECTIVE_MODES`
independent ones. The priors are set so that intervals cover what they say on finished runs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.optimize
import scipy.stats
from jaxtyping import Bool, Float

from .checks import InputError, number
from .clocks import Threshold, emergence
from .curve import LearningCurve

EFFECTIVE_MODES = 6.0
"""As how many independent modes those of one status count."""

SLOPE_PRIOR = 0.25
"""Standard deviation of b about 1."""

SPREAD_PRIOR = (0.2, 0.6)
"""Median of the residuals' spread in ln t, and the standard deviation of its logarithm."""

COVERAGE = 0.8
"""Default probability of an interval."""

DRAWS = 400
"""Draws behind the interval of a moment that several modes decide."""

FINEST = 0.25
"""The finest quarter: this share of the modes, of smallest variance."""

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
        spread = 100 * (np.sqrt(self.high / self.low) - 1)
        return f"step {float(f'{self.step:.2g}'):,.0f} ± {spread:.0f} %"


@dataclass(frozen=True, eq=False, repr=False)
class Forecast:
    """The expected emergence of every mode, made after `made_at` steps.

    - `time`, `low`, `high`: (mode,) expected step and its interval of probability `coverage`; the measured step where a mode has
      emerged, NaN where there is no clock to forecast (gray zone, no prediction) or no mode has emerged yet.
    - `emerged`: modes that have emerged so far; `pending`: modes forecast to come. `gray_zone`: modes without a clear clock.
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
        moments = _reached(np.vstack([self.time, self.draws]), weight, fraction)
        tail = (1 - self.coverage) / 2
        with np.errstate(invalid="ignore"):
            low, high = np.quantile(moments[1:], (tail, 1 - tail), method="nearest")
        known = bool(moments[0] <= self.made_at)
        return (
            Moment(float(moments[0]), float(low), float(high), known)
            if np.isfinite(moments[0])
            else Moment(np.nan, np.nan, np.nan)
        )

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
    curve: LearningCurve,
    measured: LearningCurve,
    *,
    at: float | None = None,
    coverage: float = COVERAGE,
    threshold: Threshold = "geometric",
) -> Forecast:
    """Expected step, with an interval, of every mode that has not emerged yet in a run.

    Works from as little as one emerged mode, and from a probe that started late: modes found learned at its first step count as
    learned before it. Emergence then is counted from the predicted start, else from the measured one.

    **Parameters**

    - `curve`: a prediction of the run, in any unit of time, that reaches as far as modes are to be forecast: level "c" of
      `predict_level` serves any network.
    - `measured`: what was measured so far. - `at`: use it only up to this step.
    - `coverage`: probability of the intervals. - `threshold`: see `LearningCurve.emergence`.

    InputError if the two are not of the same modes.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> spectrum = ec.Spectrum.power_law(50, exponent=1.5)
    >>> slow = ec.predict(spectrum, optimizer=ec.GradientFlow(lr=0.01), time=np.geomspace(1, 1e3, 60))  # stands for a run
    >>> expected = ec.forecast(ec.predict(spectrum), slow)
    >>> expected, round(expected.time_scale)
    (Forecast(after 1000 steps: 12 modes emerged, 38 expected, time scale ×100, spread 0.07), 100)

    ```
    """
    number("coverage", coverage, above=0, below=1)
    if curve.target.size != measured.target.size or not np.allclose(curve.target, measured.target, rtol=1e-6):
        raise InputError(
            f"curve and measured must have the same modes, got {curve.target.size} and {measured.target.size}"
        )
    predicted = curve.emergence(threshold)
    times = measured.time.values
    last = float(times[np.isfinite(times)][-1]) if at is None else float(at)
    until = times <= last
    if not until.any():
        raise InputError(f"at must be at or after the first record, step {times[0]:g}, got {last:g}")
    late = measured.dataset.attrs.get("first_step", 0) > 0
    initial = curve.initial.values if late else measured.initial.values
    target = measured.target.values
    return _forecast(
        predicted.time, measured.variance.values[until], times[until], initial, target, last, late, coverage, threshold
    )


def forecast_by_variance(
    measured: LearningCurve, *, at: float | None = None, coverage: float = COVERAGE, threshold: Threshold = "geometric"
) -> Forecast:
    """The same from the plain law, time ∝ 1/variance, in place of a prediction: the baseline to beat."""
    times, target = measured.time.values, measured.target.values
    last = float(times[np.isfinite(times)][-1]) if at is None else float(at)
    until = times <= last
    law = 1 / np.where(target > 0, target, np.nan)
    return _forecast(
        law,
        measured.variance.values[until],
        times[until],
        measured.initial.values,
        target,
        last,
        False,
        coverage,
        threshold,
    )


def _forecast(
    predicted: Modes,
    variance: Float[np.ndarray, "time mode"],
    times: Float[np.ndarray, " time"],
    initial: Modes,
    target: Modes,
    last: float,
    late: bool,
    coverage: float,
    threshold: Threshold,
) -> Forecast:
    """Status of every mode so far, the constant, and what follows for the rest."""
    table = emergence(variance, times, initial, target, threshold)
    passage, gray = np.nan_to_num(table.time), table.gray_zone
    before = late & (passage > 0) & (passage <= times[0])
    clock = ~gray & (target > 0) & (np.nan_to_num(predicted) > 0)
    before &= clock
    emerged = clock & ~before & (passage > 0)
    pending = clock & ~emerged & ~before
    x = np.log(np.where(clock, predicted, 1.0))
    nothing = np.full(target.size, np.nan)
    time = np.where(emerged, passage, np.where(gray, 0.0, np.where(before, times[0], nothing)))
    y = np.log(np.where(emerged, passage, 1.0))
    first = np.log(times[0]) if late else -np.inf
    fit = _Fit.of(x, y, emerged, pending, before, np.log(last) if last > 0 else -np.inf, first)
    if fit is None:
        shown = np.where(emerged, passage, np.nan)
        return Forecast(
            shown,
            shown,
            shown,
            emerged,
            pending,
            gray,
            target,
            last,
            coverage,
            np.nan,
            np.nan,
            np.empty((0, target.size)),
        )
    low, middle, high = fit.quantiles(x[pending], np.log(last), ((1 - coverage) / 2, 0.5, (1 + coverage) / 2))
    columns = [np.array(time) for _ in range(3)]
    for column, values in zip(columns, (low, middle, high), strict=True):
        column[pending] = np.exp(values)
    draws = np.repeat(columns[1][None], DRAWS, axis=0)
    draws[:, pending] = np.exp(fit.draws(x[pending], np.log(last), DRAWS))
    bounds = [np.where(emerged | pending, column, np.nan) for column in columns]
    return Forecast(
        bounds[1],
        bounds[0],
        bounds[2],
        emerged,
        pending,
        gray,
        target,
        last,
        coverage,
        float(np.exp(fit.scale)),
        fit.spread,
        draws,
    )


def _reached(times: Float[np.ndarray, "draw mode"], weight: Modes, fraction: float) -> Float[np.ndarray, " draw"]:
    """First time at which modes that carry a fraction of the weight have emerged; NaN counts as never."""
    never = np.where(np.isnan(times), np.inf, times)
    order = np.argsort(never, axis=1, kind="stable")
    share = np.cumsum(weight[order], axis=1)
    first = (share >= fraction * weight.sum() * (1 - 1e-12)).argmax(axis=1)
    rows = np.arange(len(times))
    return never[rows, order[rows, first]]


@dataclass(frozen=True, eq=False)
class _Fit:
    """ln t = m + b(x − centre) + residual: the posterior of (m, b, ln spread) about its mode."""

    mean: Float[np.ndarray, " three"]
    covariance: Float[np.ndarray, "three three"]
    centre: float

    @classmethod
    def of(
        cls, x: Modes, y: Modes, emerged: Flags, pending: Flags, before: Flags, last: float, first: float
    ) -> "_Fit | None":
        """The fit; None before any mode has emerged."""
        if not emerged.any():
            return None
        centre = float(np.median(x[emerged]))
        weight = {
            name: min(1.0, EFFECTIVE_MODES / max(1, int(flags.sum())))
            for name, flags in (("emerged", emerged), ("pending", pending), ("before", before))
        }

        def negative_log_posterior(parameters: Any) -> float:
            m, b, log_spread = parameters
            spread = np.exp(log_spread)
            z = (y[emerged] - m - b * (x[emerged] - centre)) / spread
            total = weight["emerged"] * (0.5 * (z**2).sum() + emerged.sum() * log_spread)
            beyond = (last - m - b * (x[pending] - centre)) / spread
            total -= weight["pending"] * scipy.stats.norm.logsf(beyond).sum()
            earlier = (first - m - b * (x[before] - centre)) / spread
            total -= weight["before"] * scipy.stats.norm.logcdf(earlier).sum()
            total += 0.5 * ((b - 1) / SLOPE_PRIOR) ** 2
            return float(total + 0.5 * ((log_spread - np.log(SPREAD_PRIOR[0])) / SPREAD_PRIOR[1]) ** 2)

        start = np.array([np.median(y[emerged]), 1.0, np.log(SPREAD_PRIOR[0])])
        found = scipy.optimize.minimize(
            negative_log_posterior, start, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-6, "maxiter": 2000}
        )
        return cls(found.x, np.linalg.inv(_hessian(negative_log_posterior, found.x)), centre)

    @property
    def spread(self) -> float:
        return float(np.exp(self.mean[2]))

    @property
    def scale(self) -> float:
        """ln of measured over predicted time where modes have emerged."""
        return float(self.mean[0] - self.centre)

    def _location_and_spread(self, x: Any) -> tuple[Any, Any]:
        design = np.stack([np.ones_like(x), x - self.centre])
        location = self.mean[0] + self.mean[1] * design[1]
        uncertain = np.einsum("im,ij,jm->m", design, self.covariance[:2, :2], design)
        return location, np.sqrt(self.spread**2 + np.maximum(uncertain, 0))

    def quantiles(self, x: Any, last: float, levels: tuple[float, ...]) -> list[Any]:
        """Quantiles of ln t, given that it lies beyond `last`."""
        location, spread = self._location_and_spread(x)
        remaining = scipy.stats.norm.sf((last - location) / spread)
        return [np.maximum(last, location + spread * scipy.stats.norm.isf(remaining * (1 - level))) for level in levels]

    def draws(self, x: Any, last: float, n: int) -> Float[np.ndarray, "draw mode"]:
        """Draws of ln t beyond `last`: constant and slope are common to all modes of a draw."""
        rng = np.random.default_rng(0)
        common = rng.multivariate_normal(self.mean[:2], self.covariance[:2, :2], n, check_valid="ignore")
        location = common[:, :1] + common[:, 1:] * (x - self.centre)
        remaining = scipy.stats.norm.sf((last - location) / self.spread)
        drawn = location + self.spread * scipy.stats.norm.isf(remaining * rng.uniform(size=location.shape))
        return np.where(np.isfinite(drawn), np.maximum(drawn, last), last)


def _hessian(function: Any, at: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n n"]:
    """Second derivatives by central differences, made positive definite."""
    n, step = at.size, 1e-3
    shifts = step * np.eye(n)
    matrix = np.array(
        [
            [function(at + a + b) - function(at + a - b) - function(at - a + b) + function(at - a - b) for b in shifts]
            for a in shifts
        ]
    ) / (4 * step**2)
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.maximum(values, 1e-3)) @ vectors.T
