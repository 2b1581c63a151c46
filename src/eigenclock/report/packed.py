"""What a page carries compressed: Plotly, the charts and the pictures of the slider, unpacked by the browser itself."""

import base64
import json
import zlib
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs
from plotly.utils import PlotlyJSONEncoder

DIGITS = 4
"""Significant digits of the numbers of a chart: more than a screen shows."""

CONFIG = {"responsive": True, "displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d"]}
"""How charts behave."""


def packed(text: str) -> str:
    """Text, deflated, in base 85 (Python's alphabet, which has no slash: it may stand in a script element)."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    return base64.b85encode(deflate.compress(text.encode()) + deflate.flush()).decode("ascii")


def packed_plotly() -> str:
    """Plotly's script, packed: 1.8 MB in place of 4.8."""
    return packed(get_plotlyjs())


def charts_of(figures: dict[str, go.Figure]) -> str:
    """Charts by name as JSON: what `Plotly.newPlot` takes, data, layout and how they behave."""
    charts = {name: [*(short(part) for part in _parts(figure)), CONFIG] for name, figure in figures.items()}
    return json.dumps(charts, cls=PlotlyJSONEncoder, separators=(",", ":"))


def _parts(figure: go.Figure) -> tuple[Any, Any]:
    """Traces and layout, arrays as they are: a whole figure would encode them."""
    return [trace.to_plotly_json() for trace in figure.data], figure.layout.to_plotly_json()


def short(value: Any) -> Any:
    """The same with its numbers cut to a few digits: arrays as lists, what is not finite as null."""
    if isinstance(value, dict):
        return {key: short(one) for key, one in value.items() if key != "template"} | (
            {"template": value["template"]} if "template" in value else {}
        )
    if isinstance(value, np.ndarray):
        return short(value.tolist())
    if isinstance(value, list | tuple):
        return [short(one) for one in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
    return value
