"""Two learning curves side by side: do their clocks agree, and up to which single time constant?"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import scipy
from jaxtyping import Bool, Float

from ..checks import InputError, choice, instance, say
from ..clocks.emergence import Direction, Emergence, PowerLaw, Threshold, emergence
from ..curve.learning_curve import LearningCurve
from ..recipe.objectives import Objective

DISAGREEMENT = 2.0
"""A mode disagrees when its time is off by more than this factor after the common time constant."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Per-mode clocks of two curves and what remains after one common time constant.

    - `predicted`, `measured`: the two emergence tables; `used`: modes compared (emerged in both, gray zone out in both, same
      direction).
    - `rank_correlation`: Spearman's, of the two emergence times over `used`.
    - `time_scale`: median of measured/predicted time; `median_error`, `error_90`: median and 90 % quantile of the |ln ratio|
      left after it.
    - `slope`: of ln measured on ln predicted time, 1 for one time scale at all times; `explained`: share of the variance of ln
      measured time that the prediction explains after that one scale (1 − residual/total; negative if worse than no order).
    - `disagreeing`: modes whose remaining ratio is beyond a factor of 2.
    """

    predicted: Emergence
    measured: Emergence
    used: Bool[np.ndarray, " mode"]
    rank_correlation: float
    time_scale: float
    median_error: float
    error_90: float
    slope: float
    explained: float

    def of(self, direction: Direction) -> "Comparison":
        """The same over the rising, or the falling, modes alone, with a time constant of their own."""
        choice("direction", direction, ("rising", "falling"))
        return _statistics(self.predicted, self.measured, self.used & (self.measured.direction == direction))

    @property
    def null_error(self) -> float:
        """Median |ln ratio| if all compared modes were given one and the same time: what knowing nothing of them leaves."""
        time = np.log(self.measured.time[self.used])
        return float(np.median(np.abs(time - np.median(time)))) if time.size >= 2 else float("nan")

    @property
    def ratio(self) -> Float[np.ndarray, " mode"]:
        """Measured over predicted emergence time, NaN for modes not compared."""
        return np.where(self.used, self.measured.time / np.where(self.used, self.predicted.time, 1), np.nan)

    @property
    def disagreeing(self) -> np.ndarray:
        """Indices of the modes that remain off by more than a factor of two."""
        remaining = np.abs(np.log(np.where(self.used, self.ratio / self.time_scale, 1)))
        return np.flatnonzero(remaining > np.log(DISAGREEMENT))

    def laws(self) -> dict[str, tuple[PowerLaw, PowerLaw]]:
        """For each direction, the power laws of the predicted and the measured curve."""
        return {
            direction: (self.predicted.power_law(direction), self.measured.power_law(direction))
            for direction in ("rising", "falling")
        }

    def to_dataframe(self) -> pd.DataFrame:
        """A row per mode: target, direction, both times, their ratio, whether compared."""
        return pd.DataFrame(
            {
                "mode": self.predicted.mode,
                "target": self.predicted.target,
                "direction": self.predicted.direction,
                "predicted": self.predicted.time,
                "measured": self.measured.time,
                "ratio": self.ratio,
                "used": self.used,
            }
        )

    def __str__(self) -> str:
        if np.isnan(self.median_error):
            return f"{int(self.used.sum())} of {self.used.size} modes emerged in both with a clear clock: nothing to compare"
        return (
            f"{int(self.used.sum())} of {self.used.size} modes compared: rank correlation {self.rank_correlation:.3f}, "
            f"time scale ×{self.time_scale:.3g}, then median |ln ratio| {self.median_error:.3f} (90 %: {self.error_90:.3f}), "
            f"{self.disagreeing.size} mode{'s' * (self.disagreeing.size != 1)} beyond a factor of 2"
        )


def measured_emergence(
    measured: LearningCurve, predicted: LearningCurve, threshold: Threshold = "geometric"
) -> Emergence:
    """Emergence of a measured curve; of one that started late, from the predicted start, earlier times unknown."""
    if not started_late(measured):
        return measured.emergence(threshold)
    times = measured.time.values
    table = emergence(measured.variance.values, times, predicted.initial.values, measured.target.values, threshold)
    unknown = np.nan_to_num(table.time, nan=np.inf) <= times[0]
    return replace(table, time=np.where(unknown, np.nan, table.time), censored=table.censored | unknown)


def started_late(measured: LearningCurve) -> bool:
    """Whether a probe's first record is not of the untrained model."""
    return bool(measured.dataset.attrs.get("first_step", 0) > 0)


def said_of_objective(predicted: Objective | None, measured: LearningCurve) -> None:
    """Warn where a network was probed as one that predicts something else than the theory that it is set against."""
    known = measured.dataset.attrs.get("objective")
    if predicted is not None and known is not None and known != type(predicted).__name__:
        say(
            f"the prediction is of {type(predicted).__name__}, the probed network predicts as {known} says: give the same "
            "objective to both",
            level=3,
        )


def compare(curve: LearningCurve, measured: LearningCurve, *, threshold: Threshold = "geometric") -> Comparison:
    """Compare the clocks of a predicted and a measured (or simulated) curve of the same modes.

    Fewer than two comparable modes give NaN statistics. A measurement that started late is read from the predicted start, and
    modes that it found begun are left out.

    InputError if the curves have different modes. Warns where the measured network predicts another target than the curve's.

    ```python
    >>> import eigenclock as ec
    >>> spectrum = ec.Spectrum.power_law(32, exponent=1.0)
    >>> slow = ec.predict(spectrum, optimizer=ec.GradientFlow(lr=0.25))
    >>> round(ec.compare(ec.predict(spectrum), slow).time_scale, 3)
    4.0

    ```
    """
    check_pair(curve, measured)
    said_of_objective(None if curve.recipe is None else curve.recipe.objective, measured)
    return comparison_of(curve, measured, threshold)


def check_pair(curve: LearningCurve, measured: LearningCurve) -> None:
    """Raise unless both are learning curves of the same modes."""
    for name, one in (("curve", curve), ("measured", measured)):
        instance(name, one, LearningCurve, "a learning curve")
    if curve.target.size != measured.target.size:
        raise InputError(f"curves must have the same modes, got {curve.target.size} and {measured.target.size}")
    if not np.allclose(curve.target, measured.target, rtol=1e-6):
        raise InputError(
            "curves must have the same target variances, got different ones: compare curves of one spectrum"
        )


def comparison_of(curve: LearningCurve, measured: LearningCurve, threshold: Threshold) -> Comparison:
    """`compare` of curves known to belong together."""
    first, second = curve.emergence(threshold), measured_emergence(measured, curve, threshold)
    used = np.zeros(first.target.size, dtype=bool)
    for direction in ("rising", "falling"):
        used |= first.select(direction) & second.select(direction)
    return _statistics(first, second, used)


def _statistics(first: Emergence, second: Emergence, used: Bool[np.ndarray, " mode"]) -> Comparison:
    scale = median = high = correlation = slope = explained = float("nan")
    if used.sum() >= 2:
        log_ratio = np.log(second.time[used] / first.time[used])
        scale = float(np.exp(np.median(log_ratio)))
        error = np.abs(log_ratio - np.median(log_ratio))
        x, y = np.log(first.time[used]), np.log(second.time[used])
        median, high = float(np.median(error)), float(np.quantile(error, 0.9))
        if np.ptp(first.time[used]) > 0 and np.ptp(second.time[used]) > 0:
            correlation = float(scipy.stats.spearmanr(x, y).statistic)
            slope = float(np.polyfit(x - x.mean(), y, 1)[0])
            explained = float(1 - log_ratio.var() / y.var())
    return Comparison(first, second, used, correlation, scale, median, high, slope, explained)
