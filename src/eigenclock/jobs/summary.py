"""The numbers of a run: when what emerges, when samples are close, exponents, agreement."""

from typing import Any

import numpy as np

from ..comparison.compare import Comparison
from ..curve.learning_curve import LearningCurve

CLOSE = 0.1
"""Distance from the data, as a share of their root-mean-square norm, that a report calls close."""

FRACTIONS = (0.5, 0.75, 0.9, 0.95, 0.99)
"""Shares of the variance whose emergence is reported."""

AGREEMENT = ("rank_correlation", "time_scale", "median_error", "error_90", "slope", "explained")
"""Numbers of a comparison that a run keeps."""


def first_close(curve: LearningCurve) -> float:
    """First recorded time of a Wasserstein distance below a tenth of the data's root-mean-square norm; NaN if there is none."""
    near = curve.wasserstein().values < CLOSE * np.sqrt(curve.target.values.sum())
    return float(curve.time.values[near.argmax()]) if near.any() else float("nan")


def measure(predicted: LearningCurve, other: LearningCurve | None, comparison: Comparison | None) -> dict[str, Any]:
    """The numbers of a run: when each share of the variance emerges, when samples are close, exponents, agreement.

    `other` is what the prediction is set against: a simulation or a measurement.
    """
    curves = {"predicted": predicted} | ({} if other is None else {other.kind: other})
    result: dict[str, Any] = {}
    for name, curve in curves.items():
        table = curve.emergence()
        laws = {direction: table.power_law(direction) for direction in ("rising", "falling")}
        result[name] = {
            "close": first_close(curve),
            "variance_learned": {f"{fraction:g}": table.variance_learned(fraction) for fraction in FRACTIONS},
            "not_reached": int((table.censored & ~table.gray_zone).sum()),
            "gray_zone": int(table.gray_zone.sum()),
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
