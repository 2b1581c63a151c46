"""Power laws, orders, spreads and errors over the seeds of a case, each with an interval over seeds and modes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats
from jaxtyping import Bool, Float

from eigenclock.clocks.emergence import Direction, Emergence
from eigenclock.clocks.replicates import RESAMPLES, Estimate
from eigenclock.comparison.levels import BEFORE, Levels

DIRECTIONS: tuple[Direction, Direction] = ("rising", "falling")

FEWEST = 8
"""Fewest modes of a law, an order or a spread."""

Modes = Float[np.ndarray, "resample mode"]
Statistic = Callable[[Modes, Modes], Float[np.ndarray, " resample"]]

NOTHING = Estimate(float("nan"), float("nan"), float("nan"), 0)


@dataclass(frozen=True, eq=False)
class Resampled:
    """A statistic over seeds: each seed's value, and draws of the mean over resampled seeds of resampled modes."""

    values: Float[np.ndarray, " seed"]
    draws: Float[np.ndarray, " resample"]

    @property
    def estimate(self) -> Estimate:
        """The mean over seeds with its 95 % interval."""
        if self.values.size == 0 or not np.isfinite(self.draws).any():
            return NOTHING
        low, high = np.nanquantile(self.draws, (0.025, 0.975))
        return Estimate(float(self.values.mean()), float(low), float(high), self.values.size)

    @property
    def shuffled(self) -> Float[np.ndarray, " resample"]:
        """The draws in another order: independent of those of another case."""
        return np.random.default_rng(1).permutation(self.draws)

    def minus(self, other: "Resampled") -> Estimate:
        """The difference of two independent means with its interval."""
        if not self.values.size or not other.values.size:
            return NOTHING
        difference = self.draws - other.shuffled
        low, high = np.nanquantile(difference, (0.025, 0.975))
        return Estimate(float(self.values.mean() - other.values.mean()), float(low), float(high), self.values.size)

    def over(self, other: "Resampled") -> Estimate:
        """The ratio of two independent means with its interval."""
        if not self.values.size or not other.values.size:
            return NOTHING
        low, high = np.nanquantile(self.draws / other.shuffled, (0.025, 0.975))
        return Estimate(float(self.values.mean() / other.values.mean()), float(low), float(high), self.values.size)


def resampled(statistic: Statistic, pairs: Sequence[tuple[Any, Any]], seed: int = 0) -> Resampled:
    """A statistic of (x, y) over modes, for several seeds, by a bootstrap on two levels: modes within seeds, then seeds."""
    rng, values, draws = np.random.default_rng(seed), [], []
    for x, y in pairs:
        rows = rng.integers(0, x.size, (RESAMPLES, x.size))
        values.append(statistic(x[None], y[None])[0])
        draws.append(statistic(x[rows], y[rows]))
    if not pairs:
        return Resampled(np.empty(0), np.empty(0))
    chosen = rng.integers(0, len(pairs), (RESAMPLES, len(pairs)))
    which = rng.integers(0, RESAMPLES, (RESAMPLES, len(pairs)))
    return Resampled(np.array(values), np.array(draws)[chosen, which].mean(axis=1))


def _slope(x: Modes, y: Modes) -> Float[np.ndarray, " resample"]:
    dx, dy = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    return (dx * dy).sum(axis=1) / (dx * dx).sum(axis=1)


def _alpha(x: Modes, y: Modes) -> Float[np.ndarray, " resample"]:
    return -_slope(x, y)


def _inverse_alpha(x: Modes, y: Modes) -> Float[np.ndarray, " resample"]:
    return -1 / _slope(y, x)


def _rank_correlation(x: Modes, y: Modes) -> Float[np.ndarray, " resample"]:
    first, second = (scipy.stats.rankdata(one, axis=1) for one in (x, y))
    return _slope(first, second) * first.std(axis=1) / second.std(axis=1)


def _spread(_: Modes, y: Modes) -> Float[np.ndarray, " resample"]:
    low, high = np.quantile(y, (0.1, 0.9), axis=1)
    return high - low


def _fit(x: Modes, y: Modes) -> Float[np.ndarray, " resample"]:
    return _slope(x, y) * _slope(y, x)


@dataclass(frozen=True, eq=False)
class Law:
    """What the modes of one direction say over seeds.

    `alpha`: of time ∝ variance^−α, from ln time on ln variance; `inverse`: from ln variance on ln time; `r2`; `order`: Spearman's
    correlation of time and variance; `spread`: ln of the ratio of the times that 90 % and 10 % of the modes need. `modes`,
    `gray`, `open`: per seed, modes used, in the gray zone, not reached. `factor`: geometric mean of steps at variance 1.
    """

    direction: Direction
    alpha: Resampled
    inverse: Resampled
    r2: Float[np.ndarray, " seed"]
    order: Resampled
    spread: Resampled
    factor: float
    modes: tuple[int, ...]
    gray: tuple[int, ...]
    open: tuple[int, ...]

    @classmethod
    def of(cls, tables: Sequence[Emergence], direction: Direction) -> "Law":
        """The law of the emergence tables of several seeds; seeds with fewer than `FEWEST` modes count as not measured."""
        use = [table.select(direction) for table in tables]
        pairs = [
            (np.log(table.target[some]), np.log(table.time[some]))
            for table, some in zip(tables, use, strict=True)
            if some.sum() >= FEWEST
        ]
        laws = [table.power_law(direction, resamples=1) for table in tables]
        known = [law.intercept for law in laws if law.n >= FEWEST]
        return cls(
            direction,
            resampled(_alpha, pairs),
            resampled(_inverse_alpha, pairs),
            np.array([_fit(x[None], y[None])[0] for x, y in pairs]),
            resampled(_rank_correlation, pairs),
            resampled(_spread, pairs),
            float(np.exp(np.mean(known))) if known else float("nan"),
            tuple(law.n for law in laws),
            tuple(law.gray_zone for law in laws),
            tuple(law.censored for law in laws),
        )

    @property
    def enough(self) -> bool:
        """Whether every seed has modes enough for a law."""
        return min(self.modes, default=0) >= FEWEST

    def row(self) -> dict[str, Any]:
        """The law as a row of a table."""
        alpha, inverse, order, spread = (one.estimate for one in (self.alpha, self.inverse, self.order, self.spread))
        return {
            "direction": self.direction,
            "alpha": alpha.value,
            "low": alpha.low,
            "high": alpha.high,
            "seeds": words(self.alpha.values),
            "inverse_alpha": inverse.value,
            "r2": self.r2.mean() if self.r2.size else np.nan,
            "factor": self.factor,
            "order": order.value,
            "order_low": order.low,
            "order_high": order.high,
            "spread": spread.value,
            "spread_low": spread.low,
            "spread_high": spread.high,
            "modes": np.mean(self.modes),
            "gray_zone": np.mean(self.gray),
            "not_reached": np.mean(self.open),
        }


def words(values: Any) -> str:
    """Numbers of the seeds in words: "0.71, 0.76, 0.80"."""
    return ", ".join(f"{value:.2f}" for value in np.asarray(values, dtype=float)) or "–"


def interval(found: Estimate) -> str:
    """An estimate in words: "0.76 [0.70, 0.82]"."""
    return "–" if np.isnan(found.value) else f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def counts(values: Sequence[int]) -> str:
    """Counts over seeds in words: "52", or "50 to 53"."""
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{low} to {high}"


def repeated_words(differ: tuple[float, float]) -> str:
    """What two seeds of the same run differ by, in words."""
    median, tail = differ
    known = "unknown" if np.isnan(median) else f"{median:.2f} (90 %: {tail:.2f})"
    return f"two seeds of the run differ by {known}"


@dataclass(frozen=True, eq=False)
class Errors:
    """|ln(measured/predicted)| after one constant, over modes and seeds, of a level and of what it must beat on the same modes.

    `level`, `plain`, `one_time`: medians of the level, of level (a) and of one time for all modes; `tail`: the level's 90 %
    quantile; `against_plain`, `against_one_time`: differences of medians, below 0 where the level is better.
    """

    level: Resampled
    plain: Resampled
    one_time: Resampled
    tail: Resampled
    against_plain: Resampled
    against_one_time: Resampled
    modes: tuple[int, ...]

    @property
    def better(self) -> bool:
        """Whether the level beats both, intervals and all."""
        return self.against_plain.estimate.high < 0 and self.against_one_time.estimate.high < 0


def level_errors(seeds: Sequence[Levels], level: str) -> Errors:
    """Errors of a level over the seeds of a case, where it and level (a) know the mode."""
    pairs, others, both = [], [], []
    for levels in seeds:
        ours, plain = levels[level], levels["a"]
        used = ours.used & plain.used
        if used.sum() < FEWEST:
            continue
        own, that = (_remaining(np.log(one.ratio[used])) for one in (ours, plain))
        null = _remaining(np.log(ours.measured.time[used]))
        pairs.append((own, own))
        both.append((own, that))
        others.append((own, null))
    return Errors(
        resampled(_median, pairs),
        resampled(_median_of_second, both),
        resampled(_median_of_second, others),
        resampled(_tail, pairs),
        resampled(_difference, both),
        resampled(_difference, others),
        tuple(int(levels[level].used.sum()) for levels in seeds),
    )


def _remaining(log_ratio: Float[np.ndarray, " mode"]) -> Float[np.ndarray, " mode"]:
    return np.abs(log_ratio - np.median(log_ratio))


def _median(x: Modes, _: Modes) -> Float[np.ndarray, " resample"]:
    return np.median(x, axis=1)


def _median_of_second(_: Modes, y: Modes) -> Float[np.ndarray, " resample"]:
    return np.median(y, axis=1)


def _tail(x: Modes, _: Modes) -> Float[np.ndarray, " resample"]:
    return np.quantile(x, 0.9, axis=1)


def _difference(x: Modes, y: Modes) -> Float[np.ndarray, " resample"]:
    return np.median(x, axis=1) - np.median(y, axis=1)


def better_start(seeds: Sequence[Levels]) -> str:
    """Which of level (e)'s named starts leaves less, of those that time nearly all the modes that level (c) times."""
    known = {}
    for level in BEFORE[3:]:
        found = level_errors(seeds, level)
        if found.level.values.size and sum(found.modes) >= 0.9 * sum(levels["c"].used.sum() for levels in seeds):
            known[level] = found.level.values.mean()
    return min(known, key=lambda level: known[level]) if known else "e"


def repetition(tables: Sequence[Emergence]) -> dict[str, tuple[float, float]]:
    """Median and 90 % quantile of |ln ratio| of the same mode's time in two seeds, over pairs of seeds, by direction."""
    found = {}
    for direction in (*DIRECTIONS, "both"):
        ratios = [
            np.abs(np.log(one.time[use] / other.time[use]))
            for one, other in combinations(tables, 2)
            for use in (_common(one, other, direction),)
        ]
        every = np.concatenate(ratios) if ratios else np.empty(0)
        known = every.size >= FEWEST
        found[direction] = tuple(float(np.quantile(every, q)) if known else float("nan") for q in (0.5, 0.9))
    return found  # type: ignore[return-value]


def _common(one: Emergence, other: Emergence, direction: str) -> Bool[np.ndarray, " mode"]:
    same = np.zeros(one.target.size, dtype=bool)
    for each in DIRECTIONS:
        if direction in (each, "both"):
            same |= one.select(each) & other.select(each)
    return same


def level_table(levels: Levels, repeated: dict[str, tuple[float, float]], **labels: Any) -> pd.DataFrame:
    """A row per level and direction of one run, with what two seeds of the same run differ by beside it."""
    table = levels.to_dataframe().drop(columns=["meaning", "disagreeing"])
    table["repetition"], table["repetition_90"] = zip(*(repeated[d] for d in table["direction"]), strict=True)
    return table.assign(**labels)[[*labels, *table.columns]]
