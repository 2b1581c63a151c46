"""Settling: when a mode is in its band for good; closeness: when samples are near the data for good (T18)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from ..checks import choice, number

WITHIN = 1.25
"""Default factor of the band about the variance that a run's own sampler can reach."""

LASTED = 1.25
"""A mode that has been in its band for less than this factor in steps has settled provisionally."""

NOISE = 2.0
"""Standard errors beyond the band by which a measured mode may stray and still count as settled."""

Modes = Float[np.ndarray, " mode"]
Flags = Bool[np.ndarray, " mode"]

COLUMNS = (
    "mode",
    "target",
    "reachable",
    "initial",
    "time",
    "data_time",
    "direction",
    "censored",
    "provisional",
    "unreachable",
)
"""Columns of a settling table."""


def settles(
    deviation: Float[np.ndarray, "time mode"],
    time: Float[np.ndarray, " time"],
    tolerance: float,
    slack: Float[np.ndarray, "time mode"] | float = 0.0,
) -> Modes:
    """When each column of deviations from a goal is within ±`tolerance` for good; NaN where it is not at the end.

    The last stretch of records begins after the last one beyond tolerance + `slack`; the time is its first entry into the band
    itself, linear in (ln time, deviation) between records, linear in time from time 0. Without slack, the last exit of a noisy
    record would be an extreme value. A deviation of NaN is outside.
    """
    finite = np.isfinite(time)
    deviation, time = deviation[finite], time[finite]
    if time.size == 0:
        return np.full(deviation.shape[1], np.nan)
    size = np.where(np.isnan(deviation), np.inf, np.abs(deviation))
    outside = size > tolerance + (slack if np.ndim(slack) == 0 else np.asarray(slack)[finite])
    records = np.arange(time.size)[:, None]
    begins = np.where(outside, records + 1, 0).max(axis=0)
    inside = (size <= tolerance) & (records >= begins)
    first, columns = inside.argmax(axis=0), np.arange(deviation.shape[1])
    before = np.maximum(first - 1, 0)
    start, end = deviation[before, columns], deviation[first, columns]
    with np.errstate(invalid="ignore"):
        way = (np.sign(start) * tolerance - start) / np.where(end != start, end - start, 1.0)
    way = np.where(np.isfinite(way), np.clip(way, 0, 1), 1.0)
    moment = np.where(first == 0, time[0], between(time[before], time[first], way))
    return np.where(inside.any(axis=0), moment, np.nan)


@dataclass(frozen=True, eq=False, repr=False)
class Settling:
    """When each mode is in its band for good: one entry per mode in every field.

    - `target`: variance of the data; `reachable`: what the run's own sampler makes of the optimal denoiser, the middle of the
      band (T6); `initial`: variance before training; all in squared data units.
    - `time`: steps after which generated variance stays within the factor `within` of `reachable`; NaN where it is outside at
      the last record (`censored`). `data_time`: the same about `target`.
    - `provisional`: settled, but for less than a factor of 1.25 in steps so far.
    - `unreachable`: the sampler's own bias puts `reachable` outside the band about the data: a perfect network would not help.
    - `direction`: "rising" or "falling" towards the target.
    """

    target: Modes
    reachable: Modes
    initial: Modes
    time: Modes
    data_time: Modes
    within: float
    last_time: float

    @property
    def mode(self) -> np.ndarray:
        """Index of each mode."""
        return np.arange(self.target.size)

    @property
    def direction(self) -> np.ndarray:
        """Of each mode: "rising" or "falling"."""
        return np.where(self.target >= self.initial, "rising", "falling")

    @property
    def settled(self) -> Flags:
        """Modes that are in their band at the last record, to stay as far as is known."""
        return np.isfinite(self.time)

    @property
    def censored(self) -> Flags:
        """Modes outside their band at the last record."""
        return np.isnan(self.time)

    @property
    def provisional(self) -> Flags:
        """Settled modes that have not lasted a factor of 1.25 in steps yet; right from the start never counts as such."""
        return self.settled & (np.nan_to_num(self.time) * LASTED > self.last_time)

    @property
    def unreachable(self) -> Flags:
        """Modes whose `reachable` variance lies outside the band about the data's."""
        return ~(np.abs(log_ratio(self.reachable, self.target)) <= np.log(self.within) * (1 + 1e-12))

    def share(self, *, of_data: bool = False) -> float:
        """Share of the data's variance in modes that have settled, 0 to 1; `of_data`: about the data's variance itself."""
        inside = np.isfinite(self.data_time) if of_data else self.settled
        total = self.target.sum()
        return float(self.target[inside].sum() / total) if total > 0 else float("nan")

    def variance_settled(self, fraction: float) -> float:
        """Time at which settled modes carry this fraction of the data's variance; NaN if they do not by the last record."""
        number("fraction", fraction, above=0, below=1)
        time = np.where(self.settled, self.time, np.inf)
        order = np.argsort(time, kind="stable")
        share = np.cumsum(self.target[order])
        if not share[-1] > 0:
            return float("nan")
        moment = float(time[order][np.searchsorted(share / share[-1], fraction)])
        return moment if np.isfinite(moment) else float("nan")

    def __getitem__(self, column: str) -> np.ndarray:
        """A column of the table by name."""
        choice("column", column, COLUMNS)
        return np.asarray(getattr(self, column))

    def to_dataframe(self) -> pd.DataFrame:
        """The table, a row per mode."""
        return pd.DataFrame({name: self[name] for name in COLUMNS})

    def __repr__(self) -> str:
        return (
            f"Settling({self.target.size} modes: {self.settled.sum()} in their band (within ×{self.within:g}), "
            f"{self.provisional.sum()} of them provisionally, {self.censored.sum()} not, {self.unreachable.sum()} unreachable)"
        )


def log_ratio(variance: Any, goal: Any) -> Any:
    """ln variance/goal; 0 where both are zero, infinite where one is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(variance) - np.log(goal)
    return np.where((np.asarray(variance) == 0) & (np.asarray(goal) == 0), 0.0, ratio)


def settling(
    variance: Float[np.ndarray, "time mode"],
    time: Float[np.ndarray, " time"],
    initial: Modes,
    target: Modes,
    reachable: Modes,
    log_error: Float[np.ndarray, "time mode"] | None = None,
    within: float = WITHIN,
) -> Settling:
    """Settling of every mode of a variance trajectory; `log_error` is the standard error of ln variance where it was measured."""
    within = number("within", within, above=1)
    finite = np.isfinite(time)
    variance, time = variance[finite], time[finite]
    slack = np.zeros_like(variance) if log_error is None else NOISE * np.nan_to_num(log_error[finite])
    if time.size == 0 or time[0] > 0:
        variance, time = np.vstack([initial, variance]), np.concatenate([[0.0], time])
        slack = np.vstack([np.zeros_like(initial), slack])
    tolerance = float(np.log(within))
    moment, of_data = (settles(log_ratio(variance, goal), time, tolerance, slack) for goal in (reachable, target))
    return Settling(target, reachable, initial, moment, of_data, within, float(time[-1]))


def stays_below(
    value: Float[np.ndarray, " time"], time: Float[np.ndarray, " time"], levels: Float[np.ndarray, " level"]
) -> Float[np.ndarray, " level"]:
    """First time after which `value` stays at or below each level; NaN where it is above at the end.

    Linear in (ln time, ln value) between records, linear in time from time 0. NaN counts as above.
    """
    finite = np.isfinite(time)
    value, time = value[finite], time[finite]
    if time.size == 0:
        return np.full(levels.shape, np.nan)
    with np.errstate(divide="ignore"):
        above = np.log(np.where(np.isnan(value), np.inf, value))[:, None] - np.log(levels)
    above = np.clip(above, -LARGEST_LOG, LARGEST_LOG)
    first = np.where(above > 0, np.arange(time.size)[:, None] + 1, 0).max(axis=0)
    last, columns = np.minimum(first, time.size - 1), np.arange(levels.size)
    before = np.maximum(last - 1, 0)
    start, end = above[before, columns], above[last, columns]
    way = np.where(start > end, start / np.where(start > end, start - end, 1), 1.0)
    return np.where(first < time.size, between(time[before], time[last], np.clip(way, 0, 1)), np.nan)


LARGEST_LOG = 700.0
"""Logarithms beyond this, of zero or infinity, count as this."""


def between(before: Modes, after: Modes, way: Modes) -> Modes:
    """Time a share of the way from one record to the next: geometric, linear from time 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        geometric = np.exp((1 - way) * np.log(before) + way * np.log(after))
    return np.where(before > 0, geometric, np.where(after > before, way * after, after))
