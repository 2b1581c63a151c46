"""How good forecasts of a finished run were, made early on: error, coverage, and two baselines."""

from typing import Any

import numpy as np
import pandas as pd
import scipy.optimize
from jaxtyping import Float

from .curve import LearningCurve
from .forecast import COVERAGE, Forecast, forecast, forecast_by_variance

FRACTIONS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Shares of the run after which forecasts are made."""

Modes = Float[np.ndarray, " mode"]


def check_forecasts(
    curve: LearningCurve,
    measured: LearningCurve,
    *,
    loss: tuple[Any, Any] | None = None,
    fractions: tuple[float, ...] = FRACTIONS,
    coverage: float = COVERAGE,
) -> pd.DataFrame:
    """Forecasts made after shares of a finished run, against what came.

    **Parameters**

    - `curve`, `measured`: see `forecast`; `measured` is the whole run.
    - `loss`: (step,) steps and (step,) losses, for the baseline that extrapolates the loss.
    - `fractions`: shares of the run. - `coverage`: probability of the intervals.

    A row per share and method ("theory", "1/variance", "loss"): `emerged` modes by then; `forecast` modes that emerged later and
    had a forecast; `error` their median |ln(expected/actual)|, `error_90`, `bias` the median ln ratio; `covered` the share within
    its interval. Modes that never emerged in the run are left out of the errors; they are covered if their interval reaches
    its end.
    """
    last = float(measured.time.values[-1])
    actual = measured.emergence().time
    rows = []
    for fraction in fractions:
        at = fraction * last
        if measured.time.values[0] > at:
            continue
        ours = forecast(curve, measured, at=at, coverage=coverage)
        rows.append(_row("theory", fraction, ours, ours.time, actual, last))
        plain = forecast_by_variance(measured, at=at, coverage=coverage)
        rows.append(_row("1/variance", fraction, plain, plain.time, actual, last))
        if loss is not None:
            expected = by_loss(np.asarray(loss[0]), np.asarray(loss[1]), at, measured.target.values, last)
            rows.append(_row("loss", fraction, ours, expected, actual, last))
    return pd.DataFrame(rows)


def _row(method: str, fraction: float, made: Forecast, expected: Modes, actual: Modes, last: float) -> dict[str, Any]:
    judged = made.pending & np.isfinite(actual) & np.isfinite(expected)
    ratio = np.log(expected[judged] / actual[judged])
    covered = float("nan")
    if method != "loss" and made.pending.any() and np.isfinite(made.time_scale):
        came = np.where(np.isfinite(actual), actual, np.inf)[made.pending]
        low, high = made.low[made.pending], made.high[made.pending]
        covered = float(np.mean(np.where(np.isfinite(came), (low <= came) & (came <= high), high >= last)))
    error = np.abs(ratio)
    return {
        "fraction": fraction,
        "method": method,
        "emerged": int(made.emerged.sum()),
        "forecast": int(judged.sum()),
        "error": float(np.median(error)) if error.size else np.nan,
        "error_90": float(np.quantile(error, 0.9)) if error.size else np.nan,
        "bias": float(np.median(ratio)) if error.size else np.nan,
        "covered": covered,
    }


def by_loss(steps: Any, losses: Any, at: float, target: Modes, last: float) -> Modes:
    """What one would guess from the loss alone: fit loss = floor + scale·step^−p to the past, take the share of its fall as the
    share of the variance learned, largest modes first.

    NaN where the fall never reaches a mode's share. Needs at least four losses.
    """
    past = (steps <= at) & np.isfinite(losses.astype(np.float64))
    nothing = np.full(target.size, np.nan)
    if past.sum() < 4:
        return nothing
    x, y = steps[past].astype(np.float64), losses[past].astype(np.float64)

    def curve(step: Any, floor: float, scale: float, power: float) -> Any:
        return floor + scale * step**-power

    try:
        fitted, _ = scipy.optimize.curve_fit(
            curve,
            x,
            y,
            p0=(0.9 * y[-1], max(y[0] - y[-1], 1e-3 * y[0]), 0.5),
            bounds=([0, 0, 0.01], [np.inf, np.inf, 5]),
        )
    except (RuntimeError, ValueError):
        return nothing
    floor, scale, power = (float(value) for value in fitted)
    start = curve(1.0, floor, scale, power)
    order = np.argsort(-target, kind="stable")
    share = np.empty(target.size)
    share[order] = np.cumsum(target[order]) / target.sum()
    left = (start - floor) * (1 - share)
    with np.errstate(divide="ignore", over="ignore"):
        expected = (scale / np.maximum(left, 1e-300)) ** (1 / power)
    return np.where(expected < 1e3 * last, np.maximum(expected, at), np.nan)
