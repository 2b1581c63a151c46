"""Answers to a claim's criteria: yes, no, or open where censoring or an interval leaves it so; and the verdict that they make."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from eigenclock.clocks.passage import Passages
from eigenclock.clocks.replicates import student_interval

Answer = bool | None
"""True, False, or None where censoring or the interval leaves it open."""


@dataclass(frozen=True)
class Found:
    """What a claim's data say: words, interval in words, controls (name, passed), and the answer to each criterion."""

    here: str
    interval: str
    controls: tuple[tuple[str, Answer], ...]
    answers: tuple[Answer, ...]

    @property
    def verdict(self) -> str:
        """shown, not shown or undetermined; a control that fails leaves the claim undetermined."""
        if any(passed is not None and not passed for _, passed in self.controls):
            return "undetermined (a control failed)"
        if any(answer is not None and not answer for answer in self.answers):
            return "not shown"
        if any(answer is None for answer in (*self.answers, *(passed for _, passed in self.controls))):
            return "undetermined"
        return "shown"


def above(low: Any, high: Any, bound: float, *, mean: float | None = None) -> Answer:
    """Whether the mean over seeds lies above a bound with its interval, and is at least `mean`; from bounds of each seed."""
    if np.isfinite(low).all() and np.size(low) > 1:
        surely = student_interval(low)
        if surely.low > bound and surely.value >= (bound if mean is None else mean):
            return True
    if np.isfinite(high).all() and np.size(high) > 1:
        most = student_interval(high)
        if most.high < bound or (mean is not None and most.high < mean):
            return False
    return None


def every(yes: Any, no: Any) -> Answer:
    """True if `yes` holds for every seed, False if `no` for at least one, else None."""
    return True if np.all(yes) else False if np.any(no) else None


def censored(clock: Passages) -> Answer:
    """Whether a clock that should never be reached was not, in any seed."""
    return every(np.isinf(clock.high) & (clock.low > 0), np.isfinite(clock.high))


def inside(slopes: Any, low: float, high: float) -> Answer:
    """Whether the mean over seeds lies in a range; None if only its interval reaches in."""
    found = student_interval(slopes)
    if low <= found.value <= high:
        return True
    return False if found.high < low or found.low > high else None
