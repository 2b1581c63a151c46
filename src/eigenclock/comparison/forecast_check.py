"""How good forecasts of a finished run were, made early on: error, coverage, and two baselines."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import scipy
from jaxtyping import Float

from ..checks import InputError, number, numeric_array, sequence, shown
from ..clocks.emergence import Emergence
from ..curve.learning_curve import LearningCurve
from .compare import check_pair, measured_emergence
from .forecast import by_name, forecast
from .forecast_result import COVERAGE, Forecast

FRACTIONS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Shares of the run after which forecasts are made."""

MOST = 1e12
"""Steps beyond which a guess from the loss is none."""

Modes = Float[np.ndarray, " mode"]


MOMENT = 0.9
"""The moment that is checked too: when modes with this share of the variance have begun."""


def check_forecasts(
    curve: LearningCurve | Mapping[str, LearningCurve],
    measured: LearningCurve,
    *,
    loss: tuple[Any, Any] | None = None,
    fractions: tuple[float, ...] = FRACTIONS,
    coverage: float = COVERAGE,
    schedule: Any = None,
) -> pd.DataFrame:
    """Forecasts made after shares of a finished run, against what came.

    **Parameters**

    - `curve`: one or several by name; `measured`, `schedule`: see `forecast`; `measured` is the whole run.
    - `loss`: (step,) steps and (step,) losses, for the baseline that extrapolates the loss.
    - `fractions`: shares of the run. - `coverage`: probability of the intervals.

    A row per share and method ("theory", "1/variance", "loss"): `emerged` modes by then; `forecast` modes that began later
    and had a forecast, `without` those that had none; `error` the median |ln(expected/actual)|, `error_90`, `bias` the median ln
    ratio; `covered` the share of the modes that began later whose interval holds the step; `open` the share of the modes that
    never began whose interval reaches the end of the run; `moment_covered` whether the interval of "90 % of the variance" holds;
    `close` the ln ratio of the expected to the actual step from which W₂ stays below a quarter of the data's norm.
    """
    named = by_name(curve)
    for one in named.values():
        check_pair(one, measured)
    for i, fraction in enumerate(sequence("fractions", fractions)):
        number(f"fractions[{i}]", fraction, above=0, at_most=1)
    if loss is not None:
        loss = _losses(loss)
    last = float(measured.time.values[-1])
    table = measured_emergence(measured, named["c"] if "c" in named else next(iter(named.values())))
    near = float(measured.closeness((CLOSE,)).values[0])
    rows = []
    for fraction in fractions:
        at = fraction * last
        if measured.time.values[0] > at:
            continue
        made = forecast(named, measured, at=at, coverage=coverage, schedule=schedule)
        expected = float(made.closeness((CLOSE,)).step.iloc[0])
        close = np.log(expected / near) if near > at and np.isfinite(expected) else np.nan
        rows.append(_row("theory", fraction, made, made.time, table, last) | {"close": float(close)})
        rows.append(_row("1/variance", fraction, made, by_variance(made, table.time), table, last))
        if loss is not None:
            rows.append(_row("loss", fraction, made, by_loss(*loss, at, made, table.time), table, last))
    return pd.DataFrame(rows)


CLOSE = 0.25
"""The closeness that is checked too: W₂ below this share of the data's norm."""


def by_variance(made: Forecast, actual: Modes) -> Modes:
    """The plain law, time ∝ 1/variance: its constant is the median of the modes that have begun."""
    expected = np.full(made.target.size, np.nan)
    known = made.emerged & (made.target > 0)
    if known.any():
        constant = np.median(actual[known] * made.target[known])
        positive = made.target > 0
        expected[positive] = np.maximum(constant / made.target[positive], made.made_at)
    return expected


def _losses(loss: Any) -> tuple[Any, Any]:
    """Steps and losses, as many of both."""
    if not isinstance(loss, tuple | list) or len(loss) != 2:
        raise InputError(f"loss must be two arrays, steps and losses, got {shown(loss)}")
    steps, values = (numeric_array("loss", one, "numbers") for one in loss)
    if steps.ndim != 1 or steps.shape != values.shape:
        raise InputError(f"loss must be as many losses as steps, got shapes {values.shape} and {steps.shape}")
    return steps, values


def _row(
    method: str, fraction: float, made: Forecast, expected: Modes, table: Emergence, last: float
) -> dict[str, Any]:
    came = made.pending & np.isfinite(table.time)
    judged, never = came & np.isfinite(expected), made.pending & ~np.isfinite(table.time)
    ratio = np.log(expected[judged] / table.time[judged])
    error = np.abs(ratio)
    interval = method == "theory" and bool(made.weights)
    inside = (made.low[came] <= table.time[came]) & (table.time[came] <= made.high[came])
    return {
        "fraction": fraction,
        "method": method,
        "emerged": int(made.emerged.sum()),
        "forecast": int(judged.sum()),
        "without": int(came.sum() - judged.sum()),
        "error": float(np.median(error)) if error.size else np.nan,
        "error_90": float(np.quantile(error, 0.9)) if error.size else np.nan,
        "bias": float(np.median(ratio)) if error.size else np.nan,
        "covered": float(inside.mean()) if interval and came.any() else np.nan,
        "open": float((made.high[never] >= last).mean()) if interval and never.any() else np.nan,
        "moment_covered": _moment_covered(made, table) if interval else np.nan,
    }


def _moment_covered(made: Forecast, table: Emergence) -> float:
    """1 if the interval of the moment holds what came, 0 if not, NaN if it had come already or never did."""
    moment, actual = made.variance_learned(MOMENT), table.variance_learned(MOMENT)
    if moment.known or not np.isfinite(moment.step) or not np.isfinite(actual) or actual <= made.made_at:
        return float("nan")
    return float(moment.low <= actual <= moment.high)


def by_loss(steps: Any, losses: Any, at: float, made: Forecast, actual: Modes) -> Modes:
    """What one would guess from the loss alone: a fit of floor + scale·(step + delay)^−power to its past.

    The share of its whole fall that is done is taken for the share of the variance learned, largest modes first; one constant
    comes from the modes that have emerged, as for the other methods.

    NaN where the fall never reaches a mode's share. It needs four losses and one emerged mode.
    """
    target, nothing = made.target, np.full(made.target.size, np.nan)
    past = (steps <= at) & np.isfinite(losses.astype(np.float64))
    if past.sum() < 4 or not made.emerged.any():
        return nothing
    x, y = steps[past].astype(np.float64), losses[past].astype(np.float64)

    def residual(parameters: Any) -> Any:
        floor, scale, delay, power = parameters
        return floor + scale * (x + delay) ** -power - y

    start = (0.9 * y[-1], max(y[0] - y[-1], 1e-3 * y[0]), x[0], 0.5)
    bounds = ([0, 0, 0, 0.01], [np.inf, np.inf, 10 * at, 5])
    floor, scale, delay, power = scipy.optimize.least_squares(residual, start, bounds=bounds, x_scale="jac").x
    share = np.empty(target.size)
    order = np.argsort(-target, kind="stable")
    share[order] = np.cumsum(target[order]) / target.sum()
    left = max(y[0] - floor, 1e-300) * (1 - share)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        guess = (scale / np.maximum(left, 1e-300)) ** (1 / power) - delay
    known = made.emerged & (guess > 0) & np.isfinite(guess)
    if known.any():
        guess = guess * np.exp(np.median(np.log(actual[known] / guess[known])))
    return np.where(np.isfinite(guess) & (guess < MOST), np.maximum(guess, at), np.nan)
