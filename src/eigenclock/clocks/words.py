"""Times of clocks in words."""

import numpy as np


def steps_text(value: float | None) -> str:
    """A number of steps for people; None, or NaN, is a time that has not come."""
    if value is None or np.isnan(value):
        return "not yet"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def by_step(value: float) -> str:
    """When a time came, for the end of a sentence: "by step 120", or "not yet"."""
    return f"by step {steps_text(value)}" if np.isfinite(value) else "not yet"


def ratios(times: dict[str, float]) -> str:
    """Times as multiples of the first, which is what carries over to another unit: "50 % = 1, 90 % = 5.2"."""
    first = next(iter(times.values()))
    known = {name: value / first for name, value in times.items() if np.isfinite(value) and first > 0}
    return ", ".join(f"{name} = {value:.2g}" for name, value in known.items())
