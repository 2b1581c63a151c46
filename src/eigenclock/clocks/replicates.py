"""What replicates (seeds) say together: means, proportions and paired log ratios, each with its interval."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy
from jaxtyping import Float

from ..checks import InputError, finite_array, integer, number
from .passage import Passages

RESAMPLES = 2000
"""Bootstrap resamples."""


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, and the number of observations behind it."""

    value: float
    low: float
    high: float
    n: int

    def mapped(self, function: Callable[[float], float]) -> "Estimate":
        """The same through an increasing function."""
        return Estimate(function(self.value), function(self.low), function(self.high), self.n)

    def excludes(self, number: float) -> bool:
        """Whether a number lies outside the interval; False where there is no interval."""
        return bool(self.low > number or self.high < number)

    def __str__(self) -> str:
        if np.isnan(self.low):
            return f"{self.value:.3g}"
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


def student_interval(values: Any, *, confidence: float = 0.95) -> Estimate:
    """Mean of replicates with Student's interval; NaN for the interval of a single one.

    ```python
    >>> from eigenclock.clocks.replicates import student_interval
    >>> print(student_interval([0.9, 1.0, 1.1]))  # t = 4.303 for two degrees of freedom
    1 [0.752, 1.25]

    ```
    """
    number("confidence", confidence, above=0, below=1)
    array = finite_array("values", values, "a 1-D array of finite numbers").ravel()
    if array.size == 0:
        raise InputError("values must hold at least one replicate, got none")
    mean = float(array.mean())
    if array.size == 1:
        return Estimate(mean, float("nan"), float("nan"), 1)
    reach = float(scipy.stats.t.ppf((1 + confidence) / 2, array.size - 1) * array.std(ddof=1) / np.sqrt(array.size))
    return Estimate(mean, mean - reach, mean + reach, array.size)


def mean_correlation(values: Any) -> Estimate:
    """Mean of correlations over replicates with Student's interval, cut off at −1 and 1."""
    found = student_interval(values)
    return Estimate(found.value, float(np.maximum(found.low, -1.0)), float(np.minimum(found.high, 1.0)), found.n)


def bootstrap_interval(values: Any, *, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = 0) -> Estimate:
    """Mean of replicates with a percentile bootstrap interval over them; too narrow for a handful: there take Student's."""
    number("confidence", confidence, above=0, below=1)
    integer("resamples", resamples, at_least=1)
    array = finite_array("values", values, "a 1-D array of finite numbers").ravel()
    if array.size == 0:
        raise InputError("values must hold at least one replicate, got none")
    rows = np.random.default_rng(seed).integers(0, array.size, (resamples, array.size))
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    low, high = np.quantile(array[rows].mean(axis=1), tails)
    return Estimate(float(array.mean()), float(low), float(high), array.size)


def proportion(
    successes: Any, n: Any, *, method: Literal["wilson", "exact"] = "wilson", confidence: float = 0.95
) -> Estimate:
    """A share of n trials with its interval: Wilson's score, or Clopper and Pearson's exact one. NaN of no trials.

    ```python
    >>> from eigenclock.clocks.replicates import proportion
    >>> print(proportion(8, 8, method="exact"))
    1 [0.631, 1]

    ```
    """
    number("confidence", confidence, above=0, below=1)
    integer("n", n, at_least=0)
    integer("successes", successes, at_least=0)
    if successes > n:
        raise InputError(f"successes must be <= n = {n}, got {successes}")
    if n == 0:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    found = scipy.stats.binomtest(int(successes), int(n)).proportion_ci(confidence, method=method)
    return Estimate(successes / n, float(found.low), float(found.high), int(n))


def difference(first: Estimate, second: Estimate) -> Estimate:
    """Difference of two shares, with Newcombe's interval (1998, method 10) from their Wilson intervals."""
    value = first.value - second.value
    low = value - np.hypot(first.value - first.low, second.high - second.value)
    high = value + np.hypot(first.high - first.value, second.value - second.low)
    return Estimate(value, float(low), float(high), min(first.n, second.n))


@dataclass(frozen=True, eq=False)
class LogRatio:
    """ln(a/b) of paired times, replicate by replicate, as bounds where one of them is censored.

    `low`, `high` (replicate,): equal where both times were seen; infinite on a side that nothing bounds (both censored:
    both sides).
    """

    low: Float[np.ndarray, " replicate"]
    high: Float[np.ndarray, " replicate"]

    @classmethod
    def of(cls, a: Passages, b: Passages) -> "LogRatio":
        """Of two clocks of the same replicates; InputError if their numbers differ."""
        if len(a) != len(b):
            raise InputError(f"paired clocks must have the same replicates, got {len(a)} and {len(b)}")
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = np.log(a.low) - np.log(b.high), np.log(a.high) - np.log(b.low)
        return cls(low, high)

    @property
    def undetermined(self) -> np.ndarray:
        """Replicates of which not even a bound is known."""
        return np.isneginf(self.low) & np.isposinf(self.high)

    @property
    def mean(self) -> Estimate:
        """Mean over replicates with Student's interval; where only bounds are known, `value` is NaN and one end infinite."""
        ends = [student_interval(bound) if np.isfinite(bound).all() else None for bound in (self.low, self.high)]
        low = -np.inf if ends[0] is None else ends[0].low
        high = np.inf if ends[1] is None else ends[1].high
        value = float(self.low.mean()) if (self.low == self.high).all() else float("nan")
        return Estimate(value, low, high, self.low.size)

    @property
    def positive(self) -> Estimate:
        """Share of replicates whose ratio is surely positive among those whose sign is known, Clopper–Pearson; ties left out."""
        bound = self.low < self.high  # a censored time lies strictly beyond its bound
        up = int(((self.low > 0) | ((self.low == 0) & bound)).sum())
        down = int(((self.high < 0) | ((self.high == 0) & bound)).sum())
        return proportion(up, up + down, method="exact")

    @property
    def ties(self) -> int:
        """Replicates where both times are exactly the same."""
        return int(((self.low == 0) & (self.high == 0)).sum())

    def __str__(self) -> str:
        """The mean in words: "0.69 [0.5, 0.9]", or a bound, and how many replicates have which sign."""
        signs = self.positive
        sign = f"{round(signs.value * signs.n) if signs.n else 0} of {signs.n} positive"
        sign += f", {self.ties} tied" if self.ties else ""
        mean = self.mean
        if self.undetermined.all():
            return "undetermined (both censored)"
        if np.isfinite(mean.value):
            return f"{mean} ({sign})"
        if np.isfinite(self.low).all():
            return f">= {self.low.mean():.3g}, interval from {mean.low:.3g} ({sign}; bounds of censored times)"
        if np.isfinite(self.high).all():
            return f"<= {self.high.mean():.3g}, interval to {mean.high:.3g} ({sign}; bounds of censored times)"
        return f"bounds on both sides ({sign})"


def slope_bounds(
    x: Any, bounds: Sequence[tuple[Any, Any]]
) -> tuple[Float[np.ndarray, " replicate"], Float[np.ndarray, " replicate"]]:
    """Least-squares slope of each replicate on `x`, as bounds where some of its values are only known within bounds.

    A slope is a weighted sum of the values, so that its least and largest value take each of them at one of its ends: a time that
    was not reached by the end of a run bounds a slope, and is neither left out nor put there.

    **Parameters**

    - `x`: (point,) where the values are, at least two different ones. - `bounds`: of each point (low, high), each (replicate,),
      equal where the value was seen; infinite where nothing bounds it.

    Raises InputError for fewer than two different points, or bounds that do not fit them.

    ```python
    >>> import numpy as np
    >>> from eigenclock.clocks.replicates import slope_bounds
    >>> seen = [(np.array([y]), np.array([y])) for y in (0.0, 1.0)]
    >>> slope_bounds([0, 1, 2], [*seen, (np.array([2.0]), np.array([np.inf]))])  # the last is at least 2
    (array([1.]), array([inf]))

    ```
    """
    places = finite_array("x", x, "a 1-D array of places")
    if places.ndim != 1 or places.size != len(bounds) or np.ptp(places) == 0:
        raise InputError(f"x must have {len(bounds)} places, not all the same, got {places.size}")
    weight = (places - places.mean()) / ((places - places.mean()) ** 2).sum()
    low, high = (np.stack([np.asarray(pair[i], dtype=np.float64) for pair in bounds]) for i in (0, 1))
    ends = []
    for some, other in ((low, high), (high, low)):
        taken = np.where(weight[:, None] > 0, some, other)
        terms = np.where(weight[:, None] == 0, 0.0, weight[:, None] * np.where(weight[:, None] == 0, 0.0, taken))
        ends.append(terms.sum(axis=0))
    return ends[0], ends[1]
