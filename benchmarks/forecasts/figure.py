"""The picture of docs/forecasts.md: expected against actual steps of modes that were still to begin."""

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

SHARES = ((0.02, "#8fb3d9", "after 2 %"), (0.05, "#1f4e79", "after 5 %"))
"""Shares of a run after which it is forecast, each with its colour and name."""

FACTOR = 1.5
"""Error that the grey band shows."""

COLUMNS = 4
"""Panels in a row."""


def figure(runs: Sequence[Any], to_come: Callable[[Any, float], Any], title: Callable[[Any], str]) -> Figure:
    """A panel per run, a colour per share of the run."""
    rows = -(-len(runs) // COLUMNS)
    drawn, axes = plt.subplots(rows, COLUMNS, figsize=(12, 3.1 * rows), layout="constrained", squeeze=False)
    for place in axes.flat[len(runs) :]:
        place.axis("off")
    for place, run in zip(axes.flat, runs, strict=False):
        ends = []
        for share, colour, _ in SHARES:
            came, actual = to_come(run, share * run.last)
            if not came.any():
                continue
            middle, low, high = (
                np.clip(one[came], 1, 1e3 * run.last) for one in run.expected("forecast", share * run.last)
            )
            place.vlines(actual, low, high, lw=0.4, color=colour, alpha=0.35)
            place.plot(actual, middle, ".", ms=4, color=colour)
            ends += [actual.min(), actual.max()]
        if not ends:
            continue
        span = np.array([min(ends) / 2, max(ends) * 3])
        place.fill_between(span, span / FACTOR, span * FACTOR, color="0.88", lw=0, zorder=0)
        place.plot(span, span, color="0.5", lw=0.8, zorder=0)
        place.set(xscale="log", yscale="log", xlim=span, ylim=(span[0] / 2, span[1] * 2))
        place.set_title(title(run), fontsize=9)
        place.minorticks_off()
    for place in axes[:, 0]:
        place.set_ylabel("expected step")
    for place in axes.flat[max(len(runs) - COLUMNS, 0) : len(runs)]:  # the lowest of every column
        place.set_xlabel("actual step")
    handles = [axes.flat[0].plot([], [], ".", color=colour)[0] for _, colour, _ in SHARES]
    names = [f"expected {name}" for _, _, name in SHARES]
    drawn.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False, fontsize=11)
    return drawn
