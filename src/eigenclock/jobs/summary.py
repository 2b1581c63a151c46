"""The numbers of a run: what begins, settles and is close when; exponents, agreement."""

from typing import Any

import numpy as np

from ..comparison.compare import Comparison
from ..curve.closeness import CLOSE, relative_distance
from ..curve.learning_curve import LearningCurve

FRACTIONS = (0.5, 0.75, 0.9, 0.95, 0.99)
"""Shares of the variance whose beginning and settling are reported."""

AGREEMENT = ("rank_correlation", "time_scale", "median_error", "error_90", "slope", "explained")
"""Numbers of a comparison that a run keeps."""


def clocks_of(curve: LearningCurve) -> dict[str, Any]:
    """The three clocks of a curve: what has begun, what has settled, how close samples are (T18)."""
    table, settled, close = curve.emergence(), curve.settling(), curve.closeness(CLOSE)
    relative = relative_distance(curve.wasserstein().values, curve.total_variance)
    positive = curve.target.values > 0
    finite = np.isfinite(curve.time.values)
    relative = relative[finite] if finite.any() else relative
    return {
        "close": float(close.values[-1]),
        "closeness": {f"{fraction:g}": float(moment) for fraction, moment in zip(CLOSE, close.values, strict=True)},
        "sampler_share": float(close.attrs["sampler_share"]),
        "best": curve.best(),
        "least_distance": float(relative[np.isfinite(relative)].min()) if np.isfinite(relative).any() else float("nan"),
        "distance": float(relative[np.isfinite(relative)][-1]) if np.isfinite(relative).any() else float("nan"),
        "variance_learned": {f"{fraction:g}": table.variance_learned(fraction) for fraction in FRACTIONS},
        "variance_settled": {f"{fraction:g}": settled.variance_settled(fraction) for fraction in FRACTIONS},
        "begun_share": table.share(),
        "settled_share": settled.share(),
        "settled": int((settled.settled & positive).sum()),
        "provisional": int((settled.provisional & positive).sum()),
        "unreachable": int((settled.unreachable & positive).sum()),
        "modes": int(positive.sum()),
        "not_reached": int((table.censored & ~table.gray_zone).sum()),
        "gray_zone": int(table.gray_zone.sum()),
    }


def measure(predicted: LearningCurve, other: LearningCurve | None, comparison: Comparison | None) -> dict[str, Any]:
    """The numbers of a run: the three clocks of each share of the variance, exponents, agreement.

    `other` is what the prediction is set against: a simulation or a measurement.
    """
    curves = {"predicted": predicted} | ({} if other is None else {other.kind: other})
    result: dict[str, Any] = {}
    for name, curve in curves.items():
        table = curve.emergence()
        laws = {direction: table.power_law(direction) for direction in ("rising", "falling")}
        result[name] = clocks_of(curve) | {
            "power_law": {
                direction: {**vars(law), "inverse_exponent": law.inverse_exponent} for direction, law in laws.items()
            },
        }
    if comparison is not None:
        result["comparison"] = {
            "modes": int(comparison.used.sum()),
            **{name: getattr(comparison, name) for name in AGREEMENT},
            "disagreeing": comparison.disagreeing.tolist(),
        }
    return result
