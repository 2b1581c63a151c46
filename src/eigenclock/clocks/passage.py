"""First passage of any observable through a target, with its censoring, over seeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
import scipy
import xarray as xr
from jaxtyping import Float

from ..checks import InputError, choice, instance, number, number_option, numeric_array

Direction: TypeAlias = Literal["rising", "falling"]
Smoothing: TypeAlias = Literal["none", "isotonic", "twice"]
Status: TypeAlias = Literal["hit", "right-censored", "left-censored", "unknown"]
STATUSES: tuple[Status, ...] = get_args(Status)

Replicates: TypeAlias = Float[np.ndarray, " replicate"]


@dataclass(frozen=True, eq=False, repr=False)
class Passages:
    """When an observable passed its target, one entry per replicate (seed) in every field.

    - `low`, `high`: what is known of the time, in steps: equal where it was seen; [last record, ∞] where the target was not
      reached (right-censored); [0, first record] where it was already met at the first one (left-censored); [0, ∞] where
      nothing was recorded (unknown).
    - `reason`: why a passage is censored, where it is not that the target was not met; else empty.
    - `time`: the time where it was seen, NaN elsewhere: a censored time is never replaced by the end of the run.
    """

    low: Replicates
    high: Replicates
    target: float
    observable: str = ""
    reason: str = ""

    @property
    def time(self) -> Replicates:
        """Passage in steps; NaN where censored or unknown."""
        return np.where(self.hit, self.low, np.nan)

    @property
    def hit(self) -> np.ndarray:
        """Where the passage was seen."""
        return (self.low == self.high) & (self.low > 0)

    @property
    def status(self) -> list[Status]:
        """Of each replicate: hit, right-censored, left-censored or unknown."""
        right, left = np.isinf(self.high), self.low == 0
        kinds = np.select([self.hit, right & left, right], [0, 3, 1], 2)
        return [STATUSES[k] for k in kinds]

    @property
    def geometric_mean(self) -> float:
        """Of the times over replicates; NaN unless every one was seen."""
        return float(np.exp(np.log(self.time).mean())) if self.hit.all() else float("nan")

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Student's interval of the geometric mean over replicates, in steps.

        With censored replicates only the side that they leave is known: that of the mean of what is known at least (of times cut
        off at the end of the run), which the true mean exceeds; the other is 0 or ∞. One replicate has no interval: NaN.
        """
        number("confidence", confidence, above=0, below=1)
        n = self.low.size
        if n < 2:
            return float("nan"), float("nan")
        reach = scipy.stats.t.ppf((1 + confidence) / 2, n - 1) / np.sqrt(n)
        ends = [0.0, np.inf]
        for i, bound in enumerate((self.low, self.high)):
            if (bound > 0).all() and np.isfinite(bound).all():
                log = np.log(bound)
                ends[i] = float(np.exp(log.mean() + (-1, 1)[i] * reach * log.std(ddof=1)))
        return ends[0], ends[1]

    def __len__(self) -> int:
        return int(self.low.size)

    def __str__(self) -> str:
        """The time in words: mean, interval, and how many replicates were censored."""
        seen, n = int(self.hit.sum()), self.low.size
        if n > 1 and seen == n:
            low, high = self.interval()
            return f"{self.geometric_mean:,.0f} [{low:,.0f}, {high:,.0f}] ({n} of {n})"
        if seen == n == 1:
            return f"{self.low[0]:,.0f}"
        counts = ", ".join(f"{self.status.count(s)} {s}" for s in STATUSES[1:] if s in self.status)
        known = [f"{t:,.0f}" for t in self.time[self.hit]]
        bounds = [f"> {low:,.0f}" for low, s in zip(self.low, self.status, strict=True) if s == "right-censored"]
        bounds += [f"<= {high:,.0f}" for high, s in zip(self.high, self.status, strict=True) if s == "left-censored"]
        return f"{', '.join([*known, *dict.fromkeys(bounds)]) or '–'} ({seen} of {n}; {counts})"

    def __repr__(self) -> str:
        why = f"; {self.reason}" if self.reason else ""
        return f"Passages({self.observable or 'observable'} through {self.target:g}: {self}{why})"

    def to_dataframe(self) -> pd.DataFrame:
        """A row per replicate: time, low, high, status."""
        return pd.DataFrame({"time": self.time, "low": self.low, "high": self.high, "status": self.status})


@dataclass(frozen=True)
class Clock:
    """An observable recorded along training, and the target that its first passage is read at.

    **Parameters**

    - `observable`: name of what is recorded: a variable (time,) of a learning curve, such as what a probe's `watch` adds.
    - `target`: value to pass, in units of the observable. - `direction`: "rising" or "falling" through it.
    - `smooth`: "none" takes the first record beyond the target; "isotonic" the first of the best monotone fit up to the
      extreme (pool adjacent violators), so that noise does not read early; "twice" the first of two in a row.

    Between records the time is linear in (ln time, value); records at time 0 only say whether the target was met before
    training.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> time = np.geomspace(1, 1000, 31)
    >>> learned = 1 / (1 + 100 / time)  # one curve per seed, or a probe's curve by name
    >>> ec.Clock("learned", target=0.5).of(time, learned).time.round(6)
    array([100.])
    >>> ec.Clock("learned", target=0.95).of(time, np.stack([learned, learned]))
    Passages(learned through 0.95: > 1,000 (0 of 2; 2 right-censored))

    ```
    """

    observable: str
    target: float
    direction: Direction = "rising"
    smooth: Smoothing = "none"

    def __post_init__(self) -> None:
        instance("observable", self.observable, str, "the name of what is recorded")
        number_option(self, "target")
        choice("direction", self.direction, get_args(Direction))
        choice("smooth", self.smooth, get_args(Smoothing))

    def of(self, time: Any, value: Any) -> Passages:
        """Passages of records: `time` (time,) in steps, increasing; `value` (time,) or (replicate, time), NaN where not recorded.

        Raises InputError for times that do not increase, or values that do not fit them.
        """
        steps = numeric_array("time", time, "increasing steps >= 0").astype(np.float64)
        values = np.atleast_2d(
            numeric_array("value", value, "numbers, every replicate as long as time").astype(np.float64)
        )
        if steps.ndim != 1 or steps.size == 0 or np.isnan(steps).any() or steps[0] < 0 or (np.diff(steps) <= 0).any():
            raise InputError(f"time must be increasing steps >= 0, got {steps.size} values from {np.shape(time)}")
        if values.ndim != 2 or values.shape[1] != steps.size:
            raise InputError(
                f"value must have shape (time,) or (replicate, time) with {steps.size} times, got {np.shape(value)}"
            )
        bounds = np.array([self._bounds(steps, row) for row in values])
        return Passages(bounds[:, 0], bounds[:, 1], self.target, self.observable)

    def read(self, curves: Any) -> Passages:
        """Passages of one learning curve (or xarray Dataset with a "time") or of several, one per seed; each on its own times.

        Raises InputError if a curve has no such observable.
        """
        several = curves if isinstance(curves, Sequence) else [curves]
        found = [self._of_curve(curve) for curve in several]
        low, high = (np.array([getattr(one, side)[0] for one in found]) for side in ("low", "high"))
        return Passages(low, high, self.target, self.observable)

    def sampling_interval(
        self,
        time: Any,
        share: Any,
        n: Any,
        *,
        transform: Callable[[Any], Any] = lambda share: share,
        resamples: int = 200,
        confidence: float = 0.95,
        seed: int = 0,
    ) -> tuple[float, float]:
        """Interval of the passage of one run from the noise of counting: shares of n samples are drawn and read again (binomial).

        **Parameters**

        - `time`, `share`, `n`: (time,) steps, shares in [0, 1] and numbers of samples behind them; NaN where not recorded.
        - `transform`: from shares to the observable. - `resamples`, `seed`: of the parametric bootstrap.

        Ends are 0 or ∞ where more than the tail of the redrawn runs are censored.
        """
        shares, counts = np.asarray(share, dtype=np.float64), np.nan_to_num(np.broadcast_to(n, np.shape(share)))
        trials = np.where(np.isfinite(shares), counts, 0).astype(int)
        rng = np.random.default_rng(seed)
        drawn = rng.binomial(trials, np.clip(np.nan_to_num(shares), 0, 1), (resamples, shares.size))
        again = np.where(trials > 0, drawn / np.maximum(trials, 1), np.nan)
        found = self.of(time, transform(again))
        tails = ((1 - confidence) / 2, (1 + confidence) / 2)
        low = np.quantile(found.low, tails[0], method="lower")
        high = np.quantile(found.high, tails[1], method="higher")
        return float(low), float(high)

    def _of_curve(self, curve: Any) -> Passages:
        dataset = curve if isinstance(curve, xr.Dataset) else getattr(curve, "dataset", curve)
        if not isinstance(dataset, xr.Dataset):
            raise InputError(f"curves must be learning curves or xarray Datasets, got {type(curve).__name__}")
        over_time = [str(name) for name, one in dataset.data_vars.items() if one.dims == ("time",)]
        if not over_time:
            raise InputError(f"curves must hold an observable over time to read {self.observable!r} from, got none")
        choice("observable", self.observable, over_time)
        return self.of(dataset["time"].values, dataset[self.observable].values)

    def _bounds(self, time: Float[np.ndarray, " time"], value: Float[np.ndarray, " time"]) -> tuple[float, float]:
        known = np.isfinite(value) & np.isfinite(time)
        time, value = time[known], value[known]
        if time.size == 0:
            return 0.0, np.inf
        sign = 1.0 if self.direction == "rising" else -1.0
        height = self._smoothed(sign * value) - sign * self.target
        after = int((height >= 0).argmax())
        if height[after] < 0:
            return (float(time[-1]), np.inf) if time[-1] > 0 else (0.0, np.inf)
        if after == 0:  # met before the first record; if that is the untrained model, certainly by the next
            return 0.0, float(time[0] if time[0] > 0 else time[1] if time.size > 1 else np.inf)
        if time[after - 1] == 0:  # passed between the untrained model and the first record: no ln to interpolate in
            return 0.0, float(time[after])
        below, above = height[after - 1 : after + 1]
        share = -below / (above - below)
        passage = float(time[after - 1] ** (1 - share) * time[after] ** share)
        return passage, passage

    def _smoothed(self, value: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
        """The record as a rising clock should read it."""
        match self.smooth:
            case "isotonic":
                top = int(value.argmax()) + 1
                rising = scipy.optimize.isotonic_regression(value[:top]).x
                return np.concatenate([rising, np.minimum(value[top:], rising[-1])])
            case "twice":
                return np.append(np.minimum(value[:-1], value[1:]), -np.inf)
            case _:
                return value
