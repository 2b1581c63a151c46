"""What the parts of this study share: power laws of a curve as table rows, over thresholds, directions and seeds."""

from typing import Any

import numpy as np
import pandas as pd

from eigenclock.clocks.emergence import Direction, PowerLaw
from eigenclock.comparison.levels import Levels
from eigenclock.curve.learning_curve import LearningCurve

FEWEST, TIGHT = 8, 0.5
"""Fewest modes, and smallest R², of a power law that is taken for one."""

DIRECTIONS: tuple[Direction, Direction] = ("rising", "falling")


def law_rows(curve: LearningCurve, **labels: Any) -> list[dict[str, Any]]:
    """A row per direction and threshold: exponent of ln time on ln variance, its interval, R², and the inverse regression."""
    rows = []
    for threshold in ("geometric", "harmonic"):
        table = curve.emergence(threshold)
        for direction in DIRECTIONS:
            law = table.power_law(direction)
            rows.append({**labels, "direction": direction, "threshold": threshold, **_numbers(law)})
    return rows


def _numbers(law: PowerLaw) -> dict[str, Any]:
    return {
        "exponent": law.exponent,
        "low": law.interval[0],
        "high": law.interval[1],
        "inverse": law.inverse_exponent,
        "one_over_inverse": 1 / law.inverse_exponent if law.inverse_exponent else np.nan,
        "r2": law.r2,
        "modes": law.n,
        "gray_zone": law.gray_zone,
        "censored": law.censored,
    }


def level_rows(levels: Levels, **labels: Any) -> list[dict[str, Any]]:
    """A row per level of theory."""
    table = levels.to_dataframe().drop(columns=["meaning", "disagreeing"])
    return [labels | {str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def over_seeds(values: Any) -> str:
    """Mean and range of a number over seeds, in words."""
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    if known.size == 0:
        return "not measurable"
    if known.size == 1:
        return f"{known[0]:.2f}"
    return f"{known.mean():.2f} ({known.min():.2f} … {known.max():.2f})"


def bootstrap(rows: pd.DataFrame) -> tuple[float, float]:
    """Ends of α over seeds and modes: the widest of the seeds' bootstrap intervals, in α = −exponent."""
    known = rows.dropna(subset=["exponent"])
    if known.empty:
        return float("nan"), float("nan")
    return float(-known["high"].max()), float(-known["low"].min())


def interval(rows: pd.DataFrame) -> str:
    """The same in words, with the number of modes."""
    low, high = bootstrap(rows)
    if np.isnan(low):
        return "–"
    modes = rows.dropna(subset=["exponent"])["modes"].mean()
    return f"{low:.2f} … {high:.2f} (95 % bootstrap over {modes:.0f} modes, all seeds)"


def inverse(rows: pd.DataFrame) -> str:
    """α by the inverse regression, where the fit is tight enough for it to mean something."""
    tight = rows[rows["r2"] > TIGHT]
    return over_seeds(-tight["one_over_inverse"]) if len(tight) else f"not meaningful (R² < {TIGHT:g})"


def law_verdict(rows: pd.DataFrame, paper: float | None = None) -> str:
    """What an exponent shows: a law at all, and the paper's.

    A law is shown if there are `FEWEST` modes, R² is above `TIGHT` for every seed and no seed's interval reaches 0; the
    paper's exponent if it lies within the interval or within 0.15 of the mean.
    """
    known = rows.dropna(subset=["exponent"])
    if known.empty or known["modes"].min() < FEWEST:
        return "too few modes emerged"
    low, high = bootstrap(known)
    if known["r2"].min() < TIGHT or low <= 0 <= high:
        return "no clear law"
    mean = -known["exponent"].mean()
    if mean < 0:
        return "reversed: larger variance later"
    if paper is None:
        return "law shown"
    near = low <= paper <= high or abs(mean - paper) <= 0.15
    return "shown" if near else "law shown, other exponent"


def rank_correlation(curve: LearningCurve, direction: Direction) -> float:
    """Spearman's, of emergence time and variance over the modes of a direction that emerged outside the gray zone."""
    import scipy.stats

    table = curve.emergence()
    use = table.select(direction)
    if use.sum() < 3:
        return float("nan")
    return float(scipy.stats.spearmanr(table.target[use], table.time[use]).statistic)


def level_claim(what: str, levels: pd.DataFrame) -> dict[str, str]:
    """Which level of theory sets the clocks: shown for (c) if it beats (a), and one time for all modes, in every seed."""
    by = {level: levels[levels["level"] == level].reset_index(drop=True) for level in "abcd"}
    c, error = by["c"], {level: over_seeds(rows["median_error"]) for level, rows in by.items()}
    better = (c["median_error"] < by["a"]["median_error"]) & (c["median_error"] < c["null_error"])
    ordered = c["rank_correlation"] > 0.8
    if c["median_error"].isna().any():
        verdict = "too few modes emerged"
    elif (better & ordered).all():
        verdict = "shown"
    elif better.all():
        verdict = "in part: better than both controls, order only partly"
    else:
        best = min("abc", key=lambda level: by[level]["median_error"].mean())
        beaten = c["null_error"].mean() > by[best]["median_error"].mean()
        verdict = f"not shown: best is ({best})" if beaten else "not shown: one time for all modes is as good"
    return {
        "claim": f"{what}: preconditioned theory with the real sampler, level (c), sets the clocks (T13)",
        "paper": "not in the paper",
        "here": f"median |ln ratio| {error['c']}, rank correlation {over_seeds(c['rank_correlation'])}, "
        f"slope {over_seeds(c['slope'])}",
        "interval": f"nine in ten modes within {over_seeds(c['error_90'])}",
        "control": f"(a) {error['a']}, (b) {error['b']}, (d) {error['d']}; one time for all modes {over_seeds(c['null_error'])}",
        "verdict": verdict,
    }
