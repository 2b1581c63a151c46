"""A step that is expected, with its interval, in words."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Modes = Float[np.ndarray, " mode"]

WIDE, EVEN = 60.0, 15.0
"""An interval wider than this, or this much wider on one side, in percent, is said by both of its ends."""

OPEN = 30.0
"""An interval whose end is more than this factor away from its beginning says only: after."""

BEFORE = -1.0
"""A step before all others, at which nothing has happened."""

BEYOND = "a step beyond this forecast"
"""A moment that not even the earliest draws reach."""


@dataclass(frozen=True)
class Moment:
    """An expected step and its interval; `known` if it has happened already, for good unless `high` lies later."""

    step: float
    low: float
    high: float
    known: bool = False

    @classmethod
    def of_draws(cls, steps: np.ndarray, coverage: float, now: float = BEFORE) -> "Moment":
        """Median and interval of draws, some of which may be infinite; `known` if the median lies at or before the step `now`."""
        tail = (1 - coverage) / 2
        low, middle, high = (float(q) for q in np.quantile(steps, (tail, 0.5, 1 - tail), method="nearest"))
        return cls(middle, low, high, known=middle <= now)

    @property
    def one_sided(self) -> bool:
        """Whether the draws say no more than "after"."""
        return not np.isfinite(self.step) or not self.high <= OPEN * max(self.low, 1)

    def __str__(self) -> str:
        if np.isnan(self.step):
            return "no forecast yet"
        if self.known:
            return f"step {self.step:,.0f}, past{self._again}"
        step, low, high = (_round(value) for value in (self.step, self.low, self.high))
        if np.isinf(self.low):
            return BEYOND
        if self.one_sided:
            return f"after step {low}"
        below, above = 100 * (1 - self.low / self.step), 100 * (self.high / self.step - 1)
        even = max(below, above) <= WIDE and abs(below - above) <= EVEN
        return f"step {step} ± {max(below, above):.0f} %" if even else f"step {step} (between {low} and {high})"

    @property
    def _again(self) -> str:
        """Of what has happened, but perhaps not for good."""
        until = f" until {_round(self.high)}" if np.isfinite(self.high) else ""
        return f", though perhaps not for good{until}" if self.high > self.step else ""

    def when(self) -> str:
        """For the end of a sentence: "by 4,100 (3,400–5,200)", "after 410", "since 41"."""
        if np.isnan(self.step):
            return "at a step not known yet"
        if self.known:
            return f"since {_round(self.step)}{self._again}"
        if np.isinf(self.low):
            return f"by {BEYOND}"
        if self.one_sided:
            return f"after {_round(self.low)}"
        return f"by {_round(self.step)} ({_round(self.low)}–{_round(self.high)})"


def _round(value: float) -> str:
    return f"{float(f'{value:.2g}'):,.0f}" if np.isfinite(value) else "∞"


def quantiles(draws: Float[np.ndarray, "draw mode"], coverage: float) -> list[Modes]:
    """Low end, median and high end of draws, some of which may be infinite."""
    tail = (1 - coverage) / 2
    known = np.where(np.isnan(draws), np.inf, draws)
    found = np.quantile(known, (tail, 0.5, 1 - tail), axis=0, method="nearest")
    return [np.where(np.isnan(draws[0]), np.nan, one) for one in found]


def reached(times: Float[np.ndarray, "draw mode"], weight: Modes, fraction: float) -> Float[np.ndarray, " draw"]:
    """First time at which modes that carry a fraction of the weight have begun; NaN counts as never."""
    never = np.where(np.isnan(times), np.inf, times)
    order = np.argsort(never, axis=1, kind="stable")
    share = np.cumsum(weight[order], axis=1)
    first = (share >= fraction * weight.sum() * (1 - 1e-12)).argmax(axis=1)
    rows = np.arange(len(times))
    return never[rows, order[rows, first]]
