"""A plate of the documentation: one figure and the numbers behind it, as PNG and CSV of one name, and tables as Markdown."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe & Ito, those first that stay apart in print."""


def save(figure: Figure, numbers: pd.DataFrame, out: Path, name: str, **more: pd.DataFrame) -> None:
    """Write out/name.png and out/name.csv, and out/name_key.csv for numbers of another shape; close the figure."""
    out.mkdir(parents=True, exist_ok=True)
    figure.savefig(out / f"{name}.png", dpi=110)
    plt.close(figure)
    for key, table in {"": numbers, **{f"_{key}": table for key, table in more.items()}}.items():
        table.to_csv(out / f"{name}{key}.csv", index=False, float_format="%.5g")


def markdown(rows: list[dict[str, str]]) -> str:
    """Rows as a Markdown table."""
    lines = ["| " + " | ".join(rows[0]) + " |", "|---" * len(rows[0]) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row.values()) + " |" for row in rows])


def law_text(law: object) -> str:
    """An exponent with its interval and the number of modes behind it; a dash where there is none."""
    exponent, (low, high), n = law.exponent, law.interval, law.n  # type: ignore[attr-defined]
    return f"{exponent:+.2f} [{low:+.2f}, {high:+.2f}] ({n})" if exponent == exponent else f"– ({n})"
