"""Clocks: when each mode emerges, and the law that ties emergence to variance (T12)."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from ..checks import choice, flag, integer, need_memory, number, random_seed
from .words import as_html

Direction: TypeAlias = Literal["rising", "falling"]
Threshold: TypeAlias = Literal["geometric", "harmonic", "arithmetic"] | float
Modes: TypeAlias = Float[np.ndarray, " mode"]

GRAY_ZONE = 2.0
"""A mode whose variance starts within this factor of its target has no clear emergence (T12)."""


@dataclass(frozen=True, eq=False)
class PowerLaw:
    """ln time = exponent·ln variance + intercept, by least squares, with a bootstrap interval over modes.

    `exponent`, `intercept`, `interval` (95 % percentile bootstrap of the exponent), `r2`, `n` modes used. `gray_zone`,
    `censored` and `undefined` (no threshold, as from a start of zero variance) count the modes of this direction that were
    left out. `inverse_exponent` is the slope of the opposite regression, ln variance on ln time: the two
    multiply to r2.
    """

    exponent: float
    intercept: float
    interval: tuple[float, float]
    r2: float
    n: int
    direction: str
    threshold: str
    gray_zone: int
    censored: int
    undefined: int

    @property
    def inverse_exponent(self) -> float:
        """Slope of ln variance on ln time."""
        return self.r2 / self.exponent if self.exponent else float("nan")

    def time(self, variance: Any) -> Any:
        """Emergence time, in steps, that the law gives to a mode of this variance."""
        return np.exp(self.intercept) * np.asarray(variance, dtype=np.float64) ** self.exponent

    def __str__(self) -> str:
        low, high = self.interval
        left_out = f"{self.gray_zone} gray-zone, {self.censored} censored, {self.undefined} without threshold"
        return (
            f"time ∝ variance^{self.exponent:.3f} [{low:.3f}, {high:.3f}] ({self.direction}, {self.threshold} threshold, "
            f"R² {self.r2:.3f}, n={self.n}; left out: {left_out})"
        )


COLUMNS = ("mode", "target", "initial", "level", "time", "direction", "censored", "gray_zone")
"""Columns of an emergence table."""


@dataclass(frozen=True, eq=False, repr=False)
class Emergence:
    """When each mode passes its threshold: one entry per mode in every field.

    - `target`, `initial`, `level`: variance aimed at, started from, and the threshold between them, in squared data units.
    - `time`: first passage in optimizer steps, NaN where censored.
    - `direction`: "rising" or "falling".
    - `censored`: not reached in the recorded time; includes modes without a threshold (`undefined`): a start of zero or infinite
      variance has no geometric or harmonic mean with a target.
    - `gray_zone`: started within 0.5–2× of its target.
    """

    target: Modes
    initial: Modes
    level: Modes
    time: Modes
    direction: np.ndarray
    censored: Bool[np.ndarray, " mode"]
    gray_zone: Bool[np.ndarray, " mode"]
    threshold: str
    last_time: float

    @property
    def undefined(self) -> Bool[np.ndarray, " mode"]:
        """Modes that have no threshold between their start and their target."""
        return np.isnan(self.level)

    @property
    def mode(self) -> np.ndarray:
        """Index of each mode."""
        return np.arange(self.target.size)

    def __repr__(self) -> str:
        rising, falling = ((self.direction == direction).sum() for direction in ("rising", "falling"))
        return (
            f"Emergence({self.target.size} modes: {rising} rising, {falling} falling; {self.gray_zone.sum()} gray zone, "
            f"{self.censored.sum()} censored; {self.threshold} threshold)"
        )

    def _repr_html_(self) -> str:
        """For notebooks: a sentence, and about eight modes, spread in the logarithm of their rank."""
        sentence = (
            f"{self.target.size} modes: {100 * self.share():.0f} % of the variance has begun by step {self.last_time:,.6g} "
            f"({self.threshold} threshold: begun, not done)"
        )
        return as_html(sentence, self.to_dataframe())

    def __getitem__(self, column: str) -> np.ndarray:
        """A column of the table by name."""
        choice("column", column, COLUMNS)
        return np.asarray(getattr(self, column))

    def to_dataframe(self) -> pd.DataFrame:
        """The table, a row per mode."""
        return pd.DataFrame({name: self[name] for name in COLUMNS})

    def select(self, direction: Direction, *, gray_zone: bool = False) -> Bool[np.ndarray, " mode"]:
        """Modes of a direction that emerged, with positive variance and time, gray zone left out unless asked for."""
        known = ~self.censored & (self.target > 0)
        usable = known & (np.where(known, self.time, 0) > 0)
        return usable & (self.direction == direction) & (gray_zone | ~self.gray_zone)

    def power_law(
        self, direction: Direction = "rising", *, gray_zone: bool = False, resamples: int = 2000, seed: int = 0
    ) -> PowerLaw:
        """Fit ln time on ln target variance over the modes of one direction.

        Censored modes are always left out, gray-zone modes unless `gray_zone`; both are counted in the result. Fewer than three
        usable modes give a law of NaN with its true `n`.
        """
        choice("direction", direction, ("rising", "falling"))
        integer("resamples", resamples, at_least=1)
        random_seed(seed)
        flag("gray_zone", gray_zone)
        need_memory(f"resamples = {resamples:,}", 40.0 * resamples * self.target.size)
        use = self.select(direction, gray_zone=gray_zone)
        same = self.direction == direction
        nothing = float("nan")
        slope = intercept = r2 = low = high = nothing
        x, y = np.log(self.target[use]), np.log(self.time[use])
        if use.sum() >= 3 and np.ptp(x) > 0:
            slope, intercept, r2 = (float(value[0]) for value in _least_squares(x[None], y[None]))
            rows = np.random.default_rng(seed).integers(0, x.size, (resamples, x.size))
            slopes = _least_squares(x[rows], y[rows])[0]
            slopes = slopes[np.isfinite(slopes)]
            if slopes.size:
                low, high = (float(q) for q in np.percentile(slopes, (2.5, 97.5)))
        return PowerLaw(
            exponent=slope,
            intercept=intercept,
            interval=(low, high),
            r2=r2,
            n=int(use.sum()),
            direction=direction,
            threshold=self.threshold,
            gray_zone=0 if gray_zone else int((same & self.gray_zone).sum()),
            censored=int((same & self.censored & ~self.undefined & (gray_zone | ~self.gray_zone)).sum()),
            undefined=int((same & self.undefined).sum()),
        )

    def share(self) -> float:
        """Share of the data's variance in modes that have begun, 0 to 1; gray-zone modes, right from the start, count."""
        total = self.target.sum()
        begun = self.gray_zone | ~self.censored
        return float(self.target[begun].sum() / total) if total > 0 else float("nan")

    def variance_begun(self, fraction: float) -> float:
        """Time at which the modes that have emerged carry this fraction of the data's variance; NaN if they never do.

        Begun is half way in the logarithm, not done: `LearningCurve.settling`. Gray-zone modes, right from the start, count from
        time 0.
        """
        number("fraction", fraction, above=0, below=1)
        time = np.where(self.gray_zone, 0.0, np.where(self.censored, np.inf, self.time))
        order = np.argsort(time, kind="stable")
        share = np.cumsum(self.target[order])
        if share[-1] == 0:
            return float("nan")
        share /= share[-1]
        moment = float(time[order][np.searchsorted(share, fraction)])
        return moment if np.isfinite(moment) else float("nan")

    def variance_learned(self, fraction: float) -> float:
        """Former name of `variance_begun`."""
        return self.variance_begun(fraction)


ALIKE = 1e-12
"""Spread of ln variance below which variances do not differ; rounding of a logarithm of any double is less."""


def _least_squares(x: Float[np.ndarray, "fit n"], y: Float[np.ndarray, "fit n"]) -> tuple[Any, Any, Any]:
    """Slope, intercept and R² of y on x, one fit per row; NaN where x does not vary."""
    dx, dy = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    xx, xy, yy = (dx * dx).sum(axis=1), (dx * dy).sum(axis=1), (dy * dy).sum(axis=1)
    xx = np.where(
        xx > x.shape[1] * ALIKE**2, xx, np.nan
    )  # of differences alone: not of the unit of what x is the ln of
    slope = xy / xx
    r2 = np.where(yy > 0, xy * slope / np.where(yy > 0, yy, 1), 1.0)
    return slope, y.mean(axis=1) - slope * x.mean(axis=1), r2


def threshold_level(initial: Modes, target: Modes, threshold: Threshold) -> Modes:
    """The variance to pass: a mean of initial and target, or a stated fraction of the log-distance between them.

    NaN where there is none: a start of zero or infinite variance is infinitely far from its target in the logarithm.
    """
    if isinstance(threshold, str):
        choice("threshold", threshold, ("geometric", "harmonic", "arithmetic"))
    else:
        threshold = number("threshold", threshold, above=0, below=1)
    with np.errstate(invalid="ignore", over="ignore"):
        match threshold:
            case "geometric":
                level = np.sqrt(initial) * np.sqrt(target)
            case "arithmetic":
                level = (initial + target) / 2
            case "harmonic":
                total = initial + target
                level = 2 * initial * (target / np.where(total > 0, total, 1))
            case _:
                level = initial ** (1 - float(threshold)) * target ** float(threshold)
    return np.where(np.isfinite(level) & ((level > 0) | (target == 0)), level, np.nan)


def first_passage(
    value: Float[np.ndarray, "time mode"], time: Float[np.ndarray, " time"], initial: Modes, level: Modes
) -> Modes:
    """First time each column reaches `level`, from `initial` at time 0; NaN if it does not within the finite times.

    Linear in (ln time, ln value) between records; linear in time from time 0 to the first record.
    """
    finite = np.isfinite(time)
    value, time = value[finite], time[finite]
    if time.size == 0 or time[0] > 0:
        value, time = np.vstack([initial, value]), np.concatenate([[0.0], time])
    sign = np.where(level >= initial, 1.0, -1.0)  # a level of NaN is never reached
    reached = (value - level) * sign >= 0
    after = reached.argmax(axis=0)
    columns = np.arange(level.size)
    before = np.maximum(after - 1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_value = np.log(value)
        start, end = log_value[before, columns], log_value[after, columns]
        fraction = np.clip((np.log(level) - start) / np.where(end != start, end - start, 1.0), 0, 1)
        # a jump from or to zero variance has no logarithm: it happens at its end
        fraction = np.where(np.isnan(fraction), 1.0, fraction)
        geometric = np.exp(np.log(time[before]) * (1 - fraction) + np.log(time[after]) * fraction)
    passage = np.where(time[before] > 0, geometric, fraction * time[after])
    passage = np.where(after == 0, time[0], passage)
    return np.where(reached.any(axis=0), passage, np.nan)


def emergence(
    variance: Float[np.ndarray, "time mode"],
    time: Float[np.ndarray, " time"],
    initial: Modes,
    target: Modes,
    threshold: Threshold = "geometric",
) -> Emergence:
    """Emergence of every mode of a variance trajectory."""
    level = threshold_level(initial, target, threshold)
    passage = first_passage(variance, time, initial, level)
    finite = time[np.isfinite(time)]
    return Emergence(
        target=target,
        initial=initial,
        level=level,
        time=passage,
        direction=np.where(target >= initial, "rising", "falling"),
        censored=np.isnan(passage),
        gray_zone=(initial <= GRAY_ZONE * target) & (initial >= target / GRAY_ZONE),
        threshold=threshold if isinstance(threshold, str) else f"{float(threshold):g} of log-distance",
        last_time=float(finite[-1]) if finite.size else 0.0,
    )
