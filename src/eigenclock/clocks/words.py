"""Times of clocks in words, and tables of modes for notebooks."""

import html

import numpy as np
import pandas as pd

SHOWN = 8
"""Rows of a table in a notebook."""


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


def as_html(sentence: str, table: pd.DataFrame) -> str:
    """A sentence and, below it, about eight rows of a table, spread in the logarithm of their place, first and last included."""
    rows = np.unique(np.round(np.geomspace(1, max(len(table), 1), SHOWN)).astype(int)) - 1
    few = table.iloc[rows[rows < len(table)]]
    return f"<p>{html.escape(sentence)}</p>{few.to_html(index=False, float_format='{:.4g}'.format, border=0)}"
