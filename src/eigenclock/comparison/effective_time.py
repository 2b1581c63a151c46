"""Time that counts: steps weighed by the learning rate, and the delay of averaged weights (T20)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ..checks import InputError, finite_array, number

SAMPLES = 4000
"""Steps at which a schedule given as a function is asked."""

NETWORKS = 0.25
"""Power of the rate that a network's steps count by: under Adam a small rate costs less than under gradient descent."""

Times = Float[np.ndarray, "*any"]


@dataclass(frozen=True, eq=False)
class EffectiveTime:
    """Steps of a run as steps of one whose learning rate is constant and whose weights are not averaged.

    `steps`, `counted`: increasing steps and the time that has gone by there; beyond the last one it goes on at `rate`. `average`:
    time constant of averaged weights, in steps.
    """

    steps: Float[np.ndarray, " step"]
    counted: Float[np.ndarray, " step"]
    rate: float
    average: float

    @classmethod
    def of(cls, schedule: Any, average: float, horizon: float, power: float = 1.0) -> "EffectiveTime":
        """From a schedule: None, a function of the step, or the rate of every step; in units of its largest rate, to a power.

        A function is asked up to `horizon` and taken to stay at its last value; once a schedule has fallen below a thousandth
        of its largest rate it has ended. InputError for rates that are not finite, or all zero, or negative in an array.
        """
        average = number("average", average, at_least=0)
        if schedule is None:
            return cls(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 1.0, average)
        if callable(schedule):
            steps = np.unique(np.concatenate([np.geomspace(1, horizon, SAMPLES), np.linspace(0, horizon, SAMPLES)]))
            rates = finite_array("schedule", [_rate(schedule, step) for step in steps.tolist()], "rates >= 0")
        else:
            rates = finite_array("schedule", schedule, "a function of the step, or rates >= 0 of every step")
            if rates.ndim != 1 or rates.size == 0:
                raise InputError(f"schedule must be the rate of every step, (step,), got shape {rates.shape}")
            rates, steps = np.append(rates, rates[-1]), np.arange(rates.size + 1.0)
        if (not callable(schedule) and rates.min() < 0) or not rates.max() > 0:
            raise InputError(f"schedule must give rates >= 0, not all 0, got {rates.min():g} to {rates.max():g}")
        rates = _ended(rates / rates.max()) ** power
        gone = rates[:-1] * np.diff(steps) if not callable(schedule) else (rates[1:] + rates[:-1]) / 2 * np.diff(steps)
        return cls(steps, np.concatenate([[0.0], np.cumsum(gone)]), float(rates[-1]), average)

    def counts(self, step: Times) -> Times:
        """Effective time of steps."""
        step = np.asarray(step, dtype=np.float64)
        if self.average:
            step = step + self.average * np.expm1(-step / self.average)
        beyond = self.counted[-1] + self.rate * np.maximum(step - self.steps[-1], 0)
        return np.where(step > self.steps[-1], beyond, np.interp(step, self.steps, self.counted))

    @property
    def end(self) -> float:
        """Effective time, all but a millionth, that goes by in all; infinite where the rate does not end."""
        return float("inf") if self.rate else float(self.counted[-1]) * (1 - 1e-6)

    def step(self, counted: Times) -> Times:
        """The step at which so much effective time has gone by; infinite where the schedule never gets there."""
        left = np.maximum(counted - self.counted[-1], 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            beyond = np.where(left > 0, self.steps[-1] + left / self.rate, np.interp(counted, self.counted, self.steps))
        return self._behind(beyond) if self.average else beyond

    def _behind(self, step: Times) -> Times:
        """Inverse of t ↦ t − a(1 − e^{−t/a}), by Newton's method."""
        a = self.average
        known = np.where(np.isfinite(step), step, 1.0)
        time = known + np.minimum(np.sqrt(2 * a * known), a)
        for _ in range(12):
            rate = np.maximum(-np.expm1(-time / a), 1e-9)
            time = np.maximum(time - (time + a * np.expm1(-time / a) - known) / rate, 1e-12)
        return np.where(np.isfinite(step), time, np.inf)


END = 1e-3
"""Share of the largest rate below which a schedule that has been there has ended: what it gives later does not count."""


def _ended(rates: Float[np.ndarray, " step"]) -> Float[np.ndarray, " step"]:
    """Rates, zero from where they first fall to nearly nothing after their largest."""
    after = np.arange(rates.size) > rates.argmax()
    low = after & (rates < END)
    return np.where(np.maximum.accumulate(low), 0.0, rates)


def _rate(schedule: Callable[[float], Any], step: float) -> float:
    try:
        return float(schedule(step))
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        reason = f"{type(error).__name__} at step {step:g}"
        raise InputError(f"schedule must be a function of the step that gives a rate, got {reason}") from None
