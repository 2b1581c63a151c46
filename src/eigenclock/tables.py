"""Tables as Markdown, for pages and reports."""

import pandas as pd


def markdown(table: pd.DataFrame) -> str:
    """A GitHub-flavoured Markdown table; numbers to three digits, vertical bars escaped."""
    header = "| " + " | ".join(str(name).replace("_", " ") for name in table.columns) + " |"
    rule = (
        "|" + "|".join("---:" if pd.api.types.is_numeric_dtype(table[name]) else "---" for name in table.columns) + "|"
    )
    rows = ["| " + " | ".join(_cell(value) for value in row) + " |" for row in table.itertuples(index=False)]
    return "\n".join([header, rule, *rows])


def _cell(value: object) -> str:
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
