"""Power laws, orders and spreads of emergence over the seeds of a case."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from eigenclock.clocks.emergence import Direction, Emergence
from eigenclock.clocks.replicates import Estimate
from eigenclock.comparison.levels import Levels
from .resampling import Resampled, alpha, fit, inverse_alpha, rank_correlation, resampled, spread

DIRECTIONS: tuple[Direction, Direction] = ("rising", "falling")

FEWEST = 8
"""Fewest modes of a law, an order, a spread or a comparison."""


@dataclass(frozen=True, eq=False)
class Law:
    """What the modes of one direction say over seeds.

    `alpha`: of time ∝ variance^−α, from ln time on ln variance; `inverse`: from ln variance on ln time; `r2`; `order`: Spearman's
    correlation of time and variance; `spread`: ln of the ratio of the times that 90 % and 10 % of the modes need, modes not
    begun counted at the last step. `modes`, `gray`, `open`: per seed, modes used, in the gray zone, not begun. `factor`:
    geometric mean over seeds of the law's steps at variance 1.
    """

    direction: Direction
    alpha: Resampled
    inverse: Resampled
    r2: Resampled
    order: Resampled
    spread: Resampled
    factor: float
    modes: tuple[int, ...]
    gray: tuple[int, ...]
    open: tuple[int, ...]

    @classmethod
    def of(cls, tables: Sequence[Emergence], direction: Direction) -> "Law":
        """The law of the emergence tables of several seeds of one data set; nothing is measured if one has too few modes."""
        laws = [table.power_law(direction, resamples=1) for table in tables]
        enough = min((law.n for law in laws), default=0) >= FEWEST
        pairs, whole = [], []
        for table in tables if enough else ():
            use = table.select(direction)
            waits = _waiting(table, direction)
            x, y = _logs(table.target, use | waits), _logs(table.time, use)
            pairs.append((np.where(use, x, np.nan), y))
            whole.append((x, np.where(waits, np.log(table.last_time), y)))
        return cls(
            direction,
            resampled(alpha, pairs),
            resampled(inverse_alpha, pairs),
            resampled(fit, pairs),
            resampled(rank_correlation, pairs),
            resampled(spread, whole),
            float(np.exp(np.mean([law.intercept for law in laws]))) if enough else float("nan"),
            tuple(law.n for law in laws),
            tuple(law.gray_zone for law in laws),
            tuple(int(_waiting(table, direction).sum()) for table in tables),
        )

    @property
    def waiting(self) -> float:
        """Largest share, over seeds, of the direction's modes that had not begun."""
        shares = [waits / max(1, waits + came) for came, waits in zip(self.modes, self.open, strict=True)]
        return max(shares, default=0.0)

    def row(self) -> dict[str, Any]:
        """The law as a row of a table."""
        found, inverse, order, apart = (one.estimate for one in (self.alpha, self.inverse, self.order, self.spread))
        return {
            "direction": self.direction,
            "alpha": found.value,
            "low": found.low,
            "high": found.high,
            "seeds": words(self.alpha.values),
            "inverse_alpha": inverse.value,
            "r2": self.r2.estimate.value,
            "factor": self.factor,
            "order": order.value,
            "order_low": order.low,
            "order_high": order.high,
            "spread": apart.value,
            "spread_low": apart.low,
            "spread_high": apart.high,
            "modes": np.mean(self.modes),
            "gray_zone": np.mean(self.gray),
            "not_reached": np.mean(self.open),
        }


def _waiting(table: Emergence, direction: Direction) -> Bool[np.ndarray, " mode"]:
    """Modes of a direction that had not begun; those of no variance are no modes of a law."""
    known = table.censored & ~table.undefined & ~table.gray_zone & (table.target > 0)
    return known & (table.direction == direction)


def _logs(values: Float[np.ndarray, " mode"], use: Bool[np.ndarray, " mode"]) -> Float[np.ndarray, " mode"]:
    return np.where(use, np.log(np.where(use, values, 1.0)), np.nan)


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
        middle, most = (float(np.quantile(every, q)) if known else float("nan") for q in (0.5, 0.9))
        found[direction] = (middle, most)
    return found


def repeated_words(differ: tuple[float, float]) -> str:
    """What two seeds of the same run differ by, in words."""
    middle, most = differ
    known = "unknown" if np.isnan(middle) else f"{middle:.2f} (90 %: {most:.2f})"
    return f"two seeds of the run differ by {known}"


def _common(one: Emergence, other: Emergence, direction: str) -> Bool[np.ndarray, " mode"]:
    same = np.zeros(one.target.size, dtype=bool)
    for each in DIRECTIONS:
        if direction in (each, "both"):
            same |= one.select(each) & other.select(each)
    return same


def level_table(levels: Levels, repeated: dict[str, tuple[float, float]], **labels: Any) -> pd.DataFrame:
    """A row per level and direction of one run, with what two seeds of the same run differ by beside it."""
    parts = [("both", levels.to_dataframe()), *((d, levels.to_dataframe(d)) for d in DIRECTIONS)]
    table = pd.concat([part.assign(direction=name) for name, part in parts]).drop(columns=["meaning", "disagreeing"])
    table["repetition"], table["repetition_90"] = zip(*(repeated[d] for d in table["direction"]), strict=True)
    return table.assign(**labels)[[*labels, *table.columns]]
