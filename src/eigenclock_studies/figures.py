"""How the studies draw: one set of colours, panels of one size, a thin line or mark per seed, arrows for censored times."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from eigenclock.clocks.passage import Passages
from eigenclock.curve.palette import MEASURED, PREDICTED

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = PREDICTED, MEASURED, "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
DARK, GRAY, LIGHT = "0.3", "0.45", "0.6"
CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
"""Colours that stay apart for colour-blind readers and in print (Okabe & Ito)."""

WIDTH, HEIGHT = 3.2, 3.3
"""Of a panel, in inches."""


def panels(
    columns: int = 1, rows: int = 1, *, width: float = WIDTH, height: float = HEIGHT, share: str = ""
) -> tuple[Figure, Any]:
    """A figure and its axes: one, a row (columns,), or a grid (rows, columns). `share`: "x", "y" or both."""
    figure = Figure(figsize=(width * columns + 0.6, height * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex="x" in share, sharey="y" in share)
    return figure, axes[0, 0] if rows == columns == 1 else axes[0] if rows == 1 else axes


def pixels(figure: Figure, per_inch: float) -> Image.Image:
    """The figure as a picture, drawn once; `savefig` draws it twice, first without pixels, and takes nearly twice as long."""
    figure.set_dpi(per_inch)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return Image.fromarray(drawn).convert("RGB")


def seeds(ax: Axes, x: Any, values: Any, colour: str, label: str = "", **style: Any) -> None:
    """A thin line for every seed, `values` (seed, x), and one entry of the legend for all of them."""
    many = np.atleast_2d(np.asarray(values, dtype=float))
    ax.plot(x, many.T, color=colour, **{"lw": 1.0, "alpha": 0.75, **style})
    if label:
        ax.plot([], [], color=colour, lw=2, label=label, **{k: v for k, v in style.items() if k in ("ls", "linestyle")})


def times(ax: Axes, x: float, clock: Passages, colour: str, marker: str = "o") -> None:
    """A clock of every seed at one place; an open triangle where it was not reached by then, pointing to where it lies."""
    hit, low, high = clock.hit, clock.low, clock.high
    later, earlier = np.isinf(high) & (low > 0), (low == 0) & np.isfinite(high)
    ax.plot(np.full(hit.sum(), x), clock.time[hit], marker, color=colour, ms=5, alpha=0.75)
    ax.plot(np.full(later.sum(), x), low[later], "^", color=colour, ms=7, mfc="none")
    ax.plot(np.full(earlier.sum(), x), high[earlier], "v", color=colour, ms=7, mfc="none")


def key(ax: Axes, colour: str, label: str, marker: str = "o", **style: Any) -> None:
    """An entry of the legend for marks."""
    ax.plot([], [], marker, color=colour, label=label, **style)


def not_reached(ax: Axes, label: str = "not reached by then") -> None:
    """The entry of the legend for censored times."""
    key(ax, DARK, label, "^", mfc="none")


def legend(ax: Axes, **more: Any) -> None:
    """A legend without a frame, in small type, if there is something to name."""
    if ax.get_legend_handles_labels()[1]:
        ax.legend(**{"frameon": False, "fontsize": 8, **more})


def ticks(ax: Axes, values: Sequence[float], names: Sequence[str] | None = None, *, axis: str = "x") -> None:
    """Ticks at just these values, plainly written."""
    words = list(names) if names is not None else [f"{value:,g}" for value in values]
    (ax.set_xticks if axis == "x" else ax.set_yticks)(list(values), words)
    ax.minorticks_off()


def level(ax: Axes, value: float, label: str = "", **style: Any) -> None:
    """A dotted line at a target."""
    ax.axhline(value, label=label or None, **{"color": LIGHT, "lw": 0.8, "ls": ":", **style})


def picture_rows(rows: Sequence[tuple[str, Any]], *, scale: float = 0.9) -> Figure:
    """Rows of small images (image, row, column[, channel]), each with its name at the left."""
    widest = max(len(images) for _, images in rows)
    figure = Figure(figsize=(scale * widest + 1.6, scale * len(rows)), layout="constrained")
    for line, (name, images) in zip(figure.subplots(len(rows), widest, squeeze=False), rows, strict=True):
        for ax, image in zip(line, images, strict=False):
            ax.imshow(
                np.clip(image, 0, 255) if np.issubdtype(image.dtype, np.integer) else np.clip(image, 0, 1),
                interpolation="nearest",
            )
        for ax in line:
            ax.set_xticks([])
            ax.set_yticks([])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    return figure
