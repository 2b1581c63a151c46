"""Times of clocks in words."""

import numpy as np


def steps_text(value: float | None) -> str:
    """A number of steps for people; None, or NaN, is a time that never came."""
    if value is None or np.isnan(value):
        return "not reached"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def by_step(value: float) -> str:
    """When a time came, for the end of a sentence: "by step 120", or "not reached"."""
    return f"by step {steps_text(value)}" if np.isfinite(value) else "not reached"
