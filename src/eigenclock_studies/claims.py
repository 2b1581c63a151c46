"""Claims of a study: numbers with intervals, held against the ranges that a claim needs; verdicts follow from them alone."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from eigenclock.checks import InputError
from eigenclock.clocks.replicates import Estimate, LogRatio, proportion, student_interval

Answer: TypeAlias = bool | None
"""Whether a number lies where it must; None where its interval leaves that open."""

Outcome: TypeAlias = Literal["shown", "not shown", "in part", "inconclusive", "not run"]

COLUMNS = ("claim", "here", "control", "verdict")
"""Of the table of claims."""

TINY = "the preset tiny judges nothing"


@dataclass(frozen=True)
class Verdict:
    """What the numbers of a claim show, and why where that needs saying."""

    outcome: Outcome
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.outcome} ({self.reason})" if self.reason else self.outcome


@dataclass(frozen=True)
class Measure:
    """A number with its interval, and the open range (`above`, `below`) in which a claim needs it.

    The whole interval inside: yes. The whole interval outside: no. Else, and without an interval, open. A censored time makes
    one end of the interval infinite, so that it can never count as a time that was seen. `unit` follows the number in words.
    """

    name: str
    found: Estimate
    above: float = -math.inf
    below: float = math.inf
    unit: str = ""

    @property
    def answer(self) -> Answer:
        """Whether the number lies in the range; None where the interval leaves that open."""
        low, high = self.found.low, self.found.high
        if math.isnan(low) or math.isnan(high):
            return None
        if (low > self.above or self.above == -math.inf) and (high < self.below or self.below == math.inf):
            return True
        return False if high <= self.above or low >= self.below else None

    @property
    def needed(self) -> str:
        """The range in words: "> 1.6", "1.6 to 2.4"; empty where nothing is asked."""
        low, high = f"{self.above:.3g}", f"{self.below:.3g}"
        if self.above == -math.inf:
            return "" if self.below == math.inf else f"< {high}"
        return f"> {low}" if self.below == math.inf else f"{low} to {high}"

    def __str__(self) -> str:
        """The number in words, and what is needed: "half 1.97 [1.8, 2.1] (> 1.6 needed)"."""
        asked = f" ({self.needed} needed)" if self.needed else ""
        return f"{self.name} {in_words(self.found)}{self.unit}{asked}".strip()


def in_words(found: Estimate) -> str:
    """A number with its interval, or the bounds that censoring leaves: "1.97 [1.8, 2.1]", "> 3.2 (censored)"."""
    low, high = found.low, found.high
    if math.isnan(low):
        return (
            "not measured"
            if math.isnan(found.value)
            else f"{found.value:.3g}" + (" (one replicate)" if found.n == 1 else "")
        )
    if math.isfinite(found.value):
        return f"{found.value:.3g}" if low == high else f"{found.value:.3g} [{low:.3g}, {high:.3g}]"
    known = [f"> {low:.3g}"] if math.isfinite(low) and low != 0 else []
    known += [f"< {high:.3g}"] if math.isfinite(high) else []
    return f"{' and '.join(known) or 'unknown'} (censored)"


@dataclass(frozen=True)
class Claim:
    """One sentence that can be true or false, the numbers that decide it, and the controls it must survive.

    - `measures`: every one must lie in its range; where some do and some do not, the claim is shown in part.
    - `controls`: what must hold for the numbers to mean anything, and what the sentence takes for granted (an order that is
      reversed was there before). One that fails, or is open, leaves the claim inconclusive.
    - `rivals`: what must hold if the claim, and not something simpler, explains the numbers. One that fails fails the claim.
    - `here`, `beside`: words before the numbers and before the controls. - `missing`: why it was not run, if it was not.
    """

    words: str
    measures: tuple[Measure, ...] = ()
    controls: tuple[Measure, ...] = ()
    rivals: tuple[Measure, ...] = ()
    here: str = ""
    beside: str = ""
    missing: str = ""

    def __post_init__(self) -> None:
        if not self.measures and not self.missing:
            raise InputError(f"a claim must have measures, or say why it was not run, got none: {self.words}")

    @property
    def verdict(self) -> Verdict:
        """The verdict that the numbers give, by one rule for all claims."""
        if self.missing:
            return Verdict("not run", self.missing)
        answers = [one.answer for one in self.measures]
        if failed := _named(self.controls, False):
            return Verdict("inconclusive", f"the control failed: {failed}")
        if left := _named(self.controls, None):
            return Verdict("inconclusive", f"{_why(self.controls)}: {left}")
        if failed := _named(self.rivals, False):
            return Verdict("not shown", f"the rival explains it: {failed}")
        if all(answer is False for answer in answers):
            return Verdict("not shown")
        if False in answers and True not in answers:
            return Verdict("not shown", f"open: {_named(self.measures, None)}")
        if left := _named(self.rivals, None):
            return Verdict("inconclusive", f"{_why(self.rivals)}: {left}")
        if False in answers:
            return Verdict("in part", f"not {_named(self.measures, False)}")
        if left := _named(self.measures, None):
            return Verdict("inconclusive", f"{_why(self.measures)}: {left}")
        return Verdict("shown")

    def row(self, *, judged: bool = True) -> dict[str, str]:
        """The claim as a row of the table of claims; without a verdict where it is not `judged`."""
        verdict = self.verdict if judged or self.missing else Verdict("not run", TINY)
        return {
            "claim": self.words,
            "here": _cell(self.here, self.measures),
            "control": _cell(self.beside, (*self.controls, *self.rivals)),
            "verdict": str(verdict),
        }

    def numbers(self) -> list[dict[str, Any]]:
        """A row for every number behind the claim."""
        roles = (("claim", self.measures), ("control", self.controls), ("rival", self.rivals))
        return [
            {
                "claim": self.words,
                "role": role,
                "number": one.name,
                "value": one.found.value,
                "low": one.found.low,
                "high": one.found.high,
                "replicates": one.found.n,
                "needed": one.needed or "–",
                "holds": {True: "yes", False: "no", None: "open"}[one.answer],
            }
            for role, several in roles
            for one in several
        ]


NUMBERS = ("claim", "role", "number", "value", "low", "high", "replicates", "needed", "holds")


def _named(measures: Iterable[Measure], answer: Answer) -> str:
    return ", ".join(one.name for one in measures if one.answer is answer)


def _why(measures: Iterable[Measure]) -> str:
    left = [one.found for one in measures if one.answer is None]
    if all(math.isnan(one.low) for one in left):
        return "one replicate has no interval" if any(one.n == 1 for one in left) else "not measured"
    if all(math.isinf(one.low) or math.isinf(one.high) or math.isnan(one.value) for one in left):
        return "censored"
    return "the interval straddles what is needed"


def _cell(words: str, measures: Sequence[Measure]) -> str:
    alike = len(measures) > 2 and len({one.needed for one in measures}) == 1 and measures[0].needed
    numbers = [f"{one.name} {in_words(one.found)}{one.unit}" if alike else str(one) for one in measures]
    said = "; ".join(numbers) + (f" (each {measures[0].needed} needed)" if alike else "")
    return ": ".join(part for part in (words, said) if part) or "–"


def table_of(claims: Sequence[Claim], *, judged: bool = True) -> pd.DataFrame:
    """Claims as a table: claim, here, control, verdict."""
    return pd.DataFrame([claim.row(judged=judged) for claim in claims], columns=list(COLUMNS))


def numbers_of(claims: Sequence[Claim]) -> pd.DataFrame:
    """Every number behind the claims, with the range that it must lie in."""
    return pd.DataFrame([row for claim in claims for row in claim.numbers()], columns=list(NUMBERS))


def ratio(name: str, found: LogRatio, *, above: float = -math.inf, below: float = math.inf) -> Measure:
    """A ratio of paired times as its geometric mean, censored ones as bounds."""
    mean = found.mean
    with np.errstate(over="ignore"):
        value, low, high = np.exp([mean.value, mean.low, mean.high]).tolist()
    return Measure(name, Estimate(value, low, high, mean.n), above, below)


def unlike(name: str, found: LogRatio, effect: LogRatio) -> Measure:
    """A control without the effect: its ratio may go the effect's way by half of it in ln, by a factor of 1.5 at most.

    A move the other way cannot explain the effect, and is allowed. An effect of no known direction, or a small one, leaves
    the control 5 % either way.
    """
    mean = effect.mean
    size = mean.value if np.isfinite(mean.value) else max(mean.low, 0.0) or min(mean.high, 0.0)
    reach = math.exp(min(max(abs(size) / 2, LEAST), MOST))
    sure = mean.low > 0 or mean.high < 0
    if not sure:
        return ratio(name, found, above=1 / math.exp(LEAST), below=math.exp(LEAST))
    return ratio(name, found, below=reach) if size > 0 else ratio(name, found, above=1 / reach)


LEAST, MOST = math.log(1.05), math.log(1.5)
"""A control's ratio nearer to 1 than the first is none; farther than the second it is one, whatever the effect."""


def mean(name: str, values: Any, *, above: float = -math.inf, below: float = math.inf, unit: str = "") -> Measure:
    """Mean over replicates with Student's interval; not measured if it is not in one of them."""
    return Measure(
        name, student_interval(values) if np.isfinite(values).all() else _nothing(values), above, below, unit
    )


def factor(name: str, values: Any, *, above: float = -math.inf, below: float = math.inf) -> Measure:
    """Geometric mean of positive ratios over replicates; not measured if it is not in one of them."""
    if not np.isfinite(values).all():
        return Measure(name, _nothing(values), above, below)
    return ratio(name, LogRatio(np.log(values), np.log(values)), above=above, below=below)


def _nothing(values: Any) -> Estimate:
    return Estimate(math.nan, math.nan, math.nan, np.size(values))


def bounded(name: str, low: Any, high: Any, *, above: float = -math.inf, below: float = math.inf) -> Measure:
    """Mean over replicates of which some are only known within bounds."""
    return Measure(name, LogRatio(np.asarray(low, dtype=float), np.asarray(high, dtype=float)).mean, above, below)


def share(name: str, successes: int, n: int, *, above: float = -math.inf, below: float = math.inf) -> Measure:
    """A share of n replicates with Clopper and Pearson's interval."""
    return Measure(name, proportion(successes, n, method="exact"), above, below, f", {successes} of {n}")


def exact(name: str, value: float, *, above: float = -math.inf, below: float = math.inf, unit: str = "") -> Measure:
    """A number without an error of its own: an identity, a count over everything there is."""
    number = float(value)
    return Measure(name, Estimate(number, number, number, 1), above, below, unit)
