"""What the parts of this study share: power laws of a curve as table rows, over thresholds, directions and seeds."""

from typing import Any

import numpy as np
import pandas as pd

from ...clocks import Direction, PowerLaw
from ...compare import Comparison
from ...curve import LearningCurve

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


def level_rows(comparisons: dict[str, Comparison], **labels: Any) -> list[dict[str, Any]]:
    """A row per level of theory."""
    return [
        {
            **labels,
            "level": level,
            "modes": int(c.used.sum()),
            "rank_correlation": c.rank_correlation,
            "time_scale": c.time_scale,
            "median_error": c.median_error,
            "error_90": c.error_90,
            "slope": c.slope,
            "explained": c.explained,
        }
        for level, c in comparisons.items()
    ]


def over_seeds(values: Any) -> str:
    """Mean and range of a number over seeds, in words."""
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    if known.size == 0:
        return "not measurable"
    if known.size == 1:
        return f"{known[0]:.2f}"
    return f"{known.mean():.2f} ({known.min():.2f} … {known.max():.2f})"


def interval(rows: pd.DataFrame) -> str:
    """The bootstrap interval over modes where there is one seed, the range over seeds where there are more."""
    known = rows.dropna(subset=["exponent"])
    if known.empty:
        return "–"
    if len(known) == 1:
        return f"{known['low'].iloc[0]:.2f} … {known['high'].iloc[0]:.2f} (bootstrap over modes)"
    return f"{known['exponent'].min():.2f} … {known['exponent'].max():.2f} (over {len(known)} seeds)"


def rank_correlation(curve: LearningCurve, direction: Direction) -> float:
    """Spearman's, of emergence time and variance over the modes of a direction that emerged outside the gray zone."""
    import scipy.stats

    table = curve.emergence()
    use = table.select(direction)
    if use.sum() < 3:
        return float("nan")
    return float(scipy.stats.spearmanr(table.target[use], table.time[use]).statistic)
