"""What is expected of a run that is still going: when modes begin and settle, when samples are close, draws (T20)."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Bool, Float

from ..checks import InputError, finite_array, integer, number, random_seed
from ..clocks.settling import WITHIN, log_ratio, settles
from ..clocks.words import as_html
from ..curve.closeness import CLOSE
from ..curve.learning_curve import LearningCurve
from ..spectrum.spatial import feature_size, pixels_in_words
from .drawn import Drawn
from .moment import BEFORE, Moment, quantiles, reached
from .outlook import Outlook, finest_frequency, outlook
from .weighing import DRAWS

COVERAGE = 0.8
"""Default probability of an interval."""

FINEST = 0.25
"""The finest quarter: this share of the modes, of smallest variance."""

MOST_OF = 0.9
"""A group of modes has begun when this share of it has."""

ENOUGH = 8
"""Fewer modes on their way leave a forecast that says how little it knows."""

Modes = Float[np.ndarray, " mode"]
Flags = Bool[np.ndarray, " mode"]


@dataclass(frozen=True, eq=False, repr=False)
class Forecast:
    """What is expected of every mode of a run, made after `made_at` steps.

    - `time`, `low`, `high`: (mode,) step at which each mode begins (T12) and its interval of probability `coverage`; the measured
      step where it has begun, NaN where there is no clock to forecast (gray zone, no prediction).
    - `emerged`: modes that have begun so far; `pending`: modes that are to begin; `gray_zone`: modes without a clear clock.
    - `weights`: probability of each level of theory. `time_scale`: steps per unit of predicted time of the likeliest level.
    - `moved`: number of modes that have moved or begun: below eight a forecast is wide, and says so.
    - `put_off`: how often in a row a probe's forecasts put samples within ¼ of the data later than the interval before had it.

    `curve` is the run so far and its expected future; `draws` are possible futures. "Begun" is not learned: `settling` and
    `closeness` say when modes are done and samples good.
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
    weights: dict[str, float]
    moved: int
    _begin: Float[np.ndarray, "draw mode"]
    _drawn: Drawn
    put_off: int = 0

    def variance_begun(self, fraction: float) -> Moment:
        """When modes that have begun will carry this fraction of the data's variance; gray zone from the start."""
        fraction = number("fraction", fraction, above=0, below=1)
        return self._moment(self.target, fraction)

    variance_learned = variance_begun
    """The name of version 0.1.0."""

    def finest(self, share: float = FINEST) -> Moment:
        """When nine in ten of this share of the modes, those of smallest positive variance, will have begun."""
        share = number("share", share, above=0, below=1)
        positive = np.flatnonzero(self.target > 0)
        order = positive[np.argsort(self.target[positive], kind="stable")]
        weight = np.zeros(self.target.size)
        weight[order[: max(1, round(share * positive.size))]] = 1.0
        return self._moment(weight, MOST_OF)

    def _moment(self, weight: Modes, fraction: float) -> Moment:
        """When modes that carry a fraction of the weight have begun."""
        known = np.nan_to_num(self._begun_at, nan=np.inf)
        past = float(reached(known[None], weight, fraction)[0])
        if past <= self.made_at:
            return Moment(past, past, past, known=True)
        if self._drawn.future is None:
            return Moment(np.nan, np.nan, np.nan)
        return Moment.of_draws(reached(self._begin, weight, fraction), self.coverage)

    @property
    def _begun_at(self) -> Modes:
        """Step at which each mode began, 0 in the gray zone, the first record where a late probe found it; NaN if it has not."""
        state = self._drawn.state
        return np.where(
            self.gray_zone, 0.0, np.where(state.before, state.first, np.where(self.emerged, self.time, np.nan))
        )

    def emergence(self) -> pd.DataFrame:
        """A row per mode: when it begins, with the interval."""
        kinds = [self.emerged, self._drawn.state.before, self.pending, self.gray_zone]
        status = np.select(kinds, ["emerged", "before the first record", "expected", "gray zone"], "no clock")
        columns = {"target": self.target, "status": status, "step": self.time, "low": self.low, "high": self.high}
        return pd.DataFrame({"mode": np.arange(self.target.size), **columns})

    def to_dataframe(self) -> pd.DataFrame:
        """The same as `emergence`."""
        return self.emergence()

    def settling(self, within: float = WITHIN) -> pd.DataFrame:
        """A row per mode: the step from which it stays within a factor of what the sampler can reach, with the interval.

        Of each mode's way, without the scatter from record to record that `draws` and `by` have. `step` is infinite where more
        than half of the draws do not settle within the future that is drawn, and NaN without a forecast. InputError for `within`
        that is not above 1.
        """
        within = number("within", within, above=1)
        nothing = np.full(self.target.size, np.nan)
        low = middle = high = nothing
        if self._drawn.future is not None:
            deviation = log_ratio(np.exp(self._drawn.log_variance), np.exp(self._drawn.state.goal))
            n, times, modes = deviation.shape
            flat = deviation.transpose(1, 0, 2).reshape(times, n * modes)
            moments = settles(flat, self._drawn.steps, float(np.log(within))).reshape(n, modes)
            low, middle, high = quantiles(np.where(np.isnan(moments), np.inf, moments), self.coverage)
        past = self._drawn.past.settling(within)
        early = True if self._drawn.future is None else np.nan_to_num(middle, nan=np.inf) <= self.made_at
        now = past.settled & early
        columns = (np.where(now, past.time, column) for column in (middle, low, high))
        status = np.where(now, np.where(past.provisional, "provisional", "in band"), "expected")
        names = dict(zip(("step", "low", "high"), columns, strict=True))
        return pd.DataFrame({"mode": np.arange(self.target.size), "target": self.target, "status": status, **names})

    def closeness(self, fractions: Any = CLOSE) -> pd.DataFrame:
        """A row per fraction: the step from which W₂ stays below that share of the data's norm √(Σ target), with the interval.

        For good: samples scatter on as the run's have so far, so a run that is close now may leave again, with `low` in the past
        and `step` or `high` ahead. Infinite where draws do not come so close, or leave again, within the future that is drawn.
        InputError for fractions that are not above 0.
        """
        given = np.atleast_1d(finite_array("fractions", fractions, "shares > 0 of the data's norm")).astype(float)
        if given.ndim != 1 or (given <= 0).any():
            raise InputError(f"fractions must be shares > 0 of the data's norm, got {fractions}")
        moments = [self.close(float(one)) for one in given]
        rows = [
            {"fraction": f, "step": m.step, "low": m.low, "high": m.high} for f, m in zip(given, moments, strict=True)
        ]
        return pd.DataFrame(rows)

    def close(self, fraction: float) -> Moment:
        """When samples stay within one fraction of the data's norm, in words: a row of `closeness`."""
        now = self.made_at if np.isfinite(self._drawn.since(fraction)) else BEFORE
        return Moment.of_draws(self._drawn.close(fraction), self.coverage, now)

    @property
    def curve(self) -> LearningCurve:
        """The run so far and its expected future, the median of the draws without their scatter: a LearningCurve that goes on.

        InputError before anything has moved.
        """
        self._need()
        return self._joined(np.median(self._drawn.log_variance, axis=0))

    def _joined(self, log_variance: Float[np.ndarray, "time mode"]) -> LearningCurve:
        past, later = self._drawn.past.dataset, self._drawn.steps[1:]
        kept = [name for name in past.data_vars if "time" not in past[name].dims]
        dataset = past[kept].copy()
        dataset.coords["time"] = ("time", np.concatenate([past["time"].values, later]))
        with np.errstate(over="ignore"):
            future = np.exp(log_variance[1:])
        dataset["variance"] = (("time", "mode"), np.concatenate([past["variance"].values, future]))
        if "null_variance" in past:
            null = np.concatenate([past["null_variance"].values, self._drawn.null(later)])
            dataset["null_variance"] = ("time", null)
        if "log_variance_error" in past:
            known = past["log_variance_error"].values
            values = np.concatenate([known, np.broadcast_to(known[-1], (later.size, known.shape[1]))])
            dataset["log_variance_error"] = (("time", "mode"), values)
        dataset.attrs |= {"forecast_from": self.made_at, "correlated": 0}
        return LearningCurve(dataset, recipe=self._drawn.measured.recipe, source="forecast")

    def draws(self, n: int, *, seed: int = 0) -> xr.DataArray:
        """`n` possible futures of the generated variance, (draw, time, mode), in squared data units, from now on.

        A network's scatter from record to record goes on in them, as large as it was lately.

        InputError for more than 200, or before anything has moved.
        """
        integer("n", n, at_least=1, at_most=DRAWS)
        random_seed(seed)
        self._need()
        which = np.sort(np.random.default_rng(seed).permutation(DRAWS)[:n])
        with np.errstate(over="ignore"):
            variance = np.exp(self._drawn.of(which) + self._drawn.scattered[which][:, :, None])
        coords = {"time": self._drawn.steps, "mode": np.arange(self.target.size)}
        attrs = {"long_name": "possible generated variance", "units": "data units²"}
        return xr.DataArray(variance, dims=("draw", "time", "mode"), coords=coords, attrs=attrs)

    def by(self, step: float) -> Outlook:
        """What a step of the run, past or to come, holds: shares begun and in band, frequencies, distance, samples (T18).

        InputError for a step before the first record, or beyond the future that is drawn, and before anything has moved.
        """
        step = number("step", step, above=0)
        self._need()
        past = self._drawn.past
        if step <= self.made_at:
            whole = past.variance_at(min(step, float(past.time.values[-1])))[None]
        else:
            if step > self._drawn.steps[-1]:
                raise InputError(
                    f"step must be <= {self._drawn.steps[-1]:,.0f}, as far as this forecast reaches, got {step:g}"
                )
            place = np.interp(np.log(step), np.log(self._drawn.steps), np.arange(self._drawn.steps.size))
            before = min(int(place), self._drawn.steps.size - 2)
            first, second = self._drawn.log_variance[:, before], self._drawn.log_variance[:, before + 1]
            with np.errstate(invalid="ignore"):
                moved = np.where(first == second, 0.0, second - first)
            common = self._drawn.scattered[self._drawn.some, before + 1, None]
            whole = np.exp(first + (place - before) * moved + common)
        begin = self._begin if step > self.made_at else self._begun_at[None]
        null = float(self._drawn.null(np.array([step]))[0]) if past.null_dimension else 0.0
        return outlook(float(step), whole, begin, past, np.exp(self._drawn.state.goal), null, self.coverage)

    def _need(self) -> None:
        if self._drawn.future is None:
            raise InputError(f"no mode has moved by step {self.made_at:,.0f}: there is no forecast yet")

    @property
    def in_band(self) -> float:
        """Share of the data's variance in modes within 1.25 of what the sampler can reach at the last record."""
        return self._drawn.past.settling().share()

    def __str__(self) -> str:
        band = f"{100 * self.in_band:.0f} % of the variance in its band"
        if self._drawn.future is None and self.pending.any():
            return f"{band}; no mode has moved by step {self.made_at:,.0f}: no forecast yet"
        finest = self.finest()
        begins = "has begun" if finest.known else f"begins {finest.when()}"
        moment = self.close(CLOSE[1])
        if np.isfinite(self._drawn.since(CLOSE[1])) and not moment.known:  # close, and likely to leave again
            ahead = replace(moment, low=max(moment.low, self.made_at))
            close = f"within ¼ of the data now, for good {ahead.when()}"
        else:
            close = f"within ¼ of the data {moment.when()}"
        few = "" if self.moved >= ENOUGH else f"; only {_modes(self.moved)} moved: wide"
        late = f" (put off {self.put_off} times in a row: do not plan by it)" if self.put_off > 1 else ""
        return f"{band}; finest quarter {begins}; samples {close}{late}{self._details()}{few}"

    def _details(self) -> str:
        """How fine the details are that have begun, in words of the image; empty where samples are no images."""
        spectrum = self._drawn.measured.spectrum
        begun = np.isfinite(self._begun_at)[None]
        pixels = feature_size(finest_frequency(begun, spectrum.cycles, self.target), spectrum.basis)[0]
        if not np.isfinite(pixels) or spectrum.basis is None:
            return ""
        whole = pixels >= max(spectrum.basis.shape[:2])
        return f"; details down to {'the whole image' if whole else pixels_in_words(pixels)} have begun"

    def _repr_html_(self) -> str:
        """For notebooks: the sentence, and when samples are expected close to the data."""
        near = {f"W₂ below {fraction:g} of the data's norm": self.close(fraction).when() for fraction in CLOSE}
        begun = {f"{100 * share:g} % of the variance begun": self.variance_begun(share).when() for share in (0.5, 0.9)}
        rows = begun | {"finest quarter of the modes begun": self.finest().when()} | near
        return as_html(str(self), pd.DataFrame({"what": list(rows), "expected": list(rows.values())}))

    def __repr__(self) -> str:
        modes = f"{int(self.emerged.sum())} modes begun, {int(self.pending.sum())} expected"
        return f"Forecast(after {self.made_at:g} steps: {modes}, time scale ×{self.time_scale:.3g})"


def _modes(number: int) -> str:
    return "1 mode has" if number == 1 else f"{number} modes have"
