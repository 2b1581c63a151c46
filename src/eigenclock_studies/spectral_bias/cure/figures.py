"""Figures of the cure: curves of all methods, speed-ups along the run, samples at equal steps."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from .methods import ALL, EDM_ALONE, LOSSES, MODE, Method
from .speed_up import SpeedUp
from .tables import QUANTITIES, Found, speed_ups

if TYPE_CHECKING:
    from .arms import Arm
    from .pictures import Pictures

COLOURS = {method.name: f"C{i}" for i, method in enumerate(ALL)} | {"muon": "0.4"}
TITLES = {"unet": "U-Net"}
SHOWN = 6
"""Samples in a row."""


def curves_figure(found: Found, source: "Pictures") -> Figure:
    """Every quantity against steps, a line per method, seeds as thin lines; a row per network."""
    arms = [arm for arm in found if arm.source == source]
    networks = list(dict.fromkeys(arm.network for arm in arms))
    shown = QUANTITIES[:4]
    figure = Figure(figsize=(3.3 * len(shown), 2.9 * len(networks) + 0.5), layout="constrained")
    axes = figure.subplots(len(networks), len(shown), squeeze=False)
    for row, network in zip(axes, networks, strict=True):
        for ax, quantity in zip(row, shown, strict=True):
            for arm in (one for one in arms if one.network == network):
                if arm.method.whitened and quantity.name == "denoising":
                    continue  # another task
                lines = [quantity.along(run) for run in found[arm]]
                for steps, values in lines:
                    ax.plot(steps, values, color=COLOURS[arm.method.name], lw=0.6, alpha=0.4)
                mean = np.exp(np.mean([np.log(values) for _, values in lines], axis=0))
                ax.plot(lines[0][0], mean, "o-", ms=3, color=COLOURS[arm.method.name], label=arm.method.title)
            ax.set(
                xscale="log",
                yscale="log",
                title=f"{TITLES.get(network, network)}: {quantity.title}",
                xlabel="training steps",
            )
            ax.title.set_fontsize(9)
            _plain_ticks(ax)
    handles, labels = axes[0, 1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, fontsize=9)
    return figure


def speed_figure(found: Found, source: "Pictures") -> Figure:
    """Steps of EDM to the value that SpectralEDM has, over its own; arrows up where EDM's run was too short.

    A row per network, a column per loss.
    """
    speeds = {key: one for key, one in speed_ups(found).items() if key[0].source == source and key[0].method in LOSSES}
    networks = list(dict.fromkeys(arm.network for arm, _, _ in speeds))
    methods = [method for method in LOSSES if any(arm.method == method for arm, _, _ in speeds)]
    figure = Figure(figsize=(4.2 * len(methods), 3.1 * len(networks) + 0.4), layout="constrained")
    axes = figure.subplots(len(networks), len(methods), squeeze=False, sharey="row", sharex="row")
    for row, network in zip(axes, networks, strict=True):
        for ax, method in zip(row, methods, strict=True):
            of = {(name, step): one for (arm, name, step), one in speeds.items() if _is(arm, network, method)}
            for i, quantity in enumerate(QUANTITIES[:4]):
                _speeds(ax, sorted((step, one) for (name, step), one in of.items() if name == quantity.name), i)
            ax.axhline(1, color="0.6", lw=1)
            ax.set(xscale="log", yscale="log", title=f"{TITLES.get(network, network)}, {method.title}")
            ax.set_xlabel("steps of SpectralEDM")
            _plain_ticks(ax)
        row[0].set_ylabel("steps of EDM to the same, over these")
    handles = [Line2D([], [], color=f"C{i}", marker="o", ms=3, label=q.title) for i, q in enumerate(QUANTITIES[:4])]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return figure


def _is(arm: "Arm", network: str, method: Method) -> bool:
    return (arm.network, arm.method) == (network, method)


def _speeds(ax: Axes, known: Sequence[tuple[int, SpeedUp]], i: int) -> None:
    """One quantity's line: values, intervals, arrows where they are lower bounds."""
    ax.plot([step for step, _ in known], [one.value for _, one in known], "o-", ms=3, color=f"C{i}")
    inside = [(s, one) for s, one in known if np.isfinite(one.low)]
    ax.vlines([s for s, _ in inside], [o.low for _, o in inside], [o.high for _, o in inside], color=f"C{i}", lw=1)
    bounds = [(s, 1.12 * one.value) for s, one in known if one.censored]
    ax.plot([s for s, _ in bounds], [v for _, v in bounds], "^", ms=5, mfc="none", color=f"C{i}")


def samples_figure(found: Found, source: "Pictures", network: str) -> Figure:
    """Samples from the same noise at equal steps: EDM and SpectralEDM side by side."""
    runs = {arm.method: found[arm][0] for arm in found if (arm.source, arm.network) == (source, network)}
    methods = [method for method in (EDM_ALONE, *LOSSES) if method in runs]
    steps = [int(s) for s in _spread([int(s) for s in runs[MODE]["step"].values])]
    figure = Figure(figsize=(3.6 * len(methods), 0.62 * len(steps) + 0.5), layout="constrained")
    axes = figure.subplots(len(steps), len(methods), squeeze=False)
    for row, step in zip(axes, steps, strict=True):
        for ax, method in zip(row, methods, strict=True):
            _strip(ax, runs[method].sel(step=step)["images"].values[:SHOWN])
        row[0].set_ylabel(f"{step:,}", rotation=0, ha="right", va="center", fontsize=9)
    for ax, method in zip(axes[0], methods, strict=True):
        ax.set_title(method.title, fontsize=10)
    figure.supylabel("training steps", fontsize=9)
    return figure


def _plain_ticks(ax: Axes) -> None:
    """Both logarithmic axes with plain numbers, as many as their length leaves room for."""
    for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        few, some = (1.0, 3.0), (1.0, 2.0, 5.0)
        many = (1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0)
        subs = many if high < 4 * low else some if high < 30 * low else few
        axis.set_major_locator(LogLocator(subs=subs))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter("{x:,g}")


def _spread(steps: Sequence[int]) -> Sequence[int]:
    """Five of the steps, from first to last."""
    return [steps[int(i)] for i in np.unique(np.linspace(0, len(steps) - 1, 5).round())]


def _strip(ax: object, images: "xr.DataArray | np.ndarray") -> None:
    """Images in a row, in the data's range."""
    row = np.concatenate(
        [
            np.pad(image, ((0, 0), (0, 1), *[(0, 0)] * (image.ndim - 2)), constant_values=2.0)
            for image in np.asarray(images)
        ],
        axis=1,
    )
    shown = np.clip(row / 3 + 0.5, 0, 1)
    ax.imshow(shown, cmap="gray", vmin=0, vmax=1)  # type: ignore[attr-defined]
    ax.set(xticks=[], yticks=[])  # type: ignore[attr-defined]
    for spine in ax.spines.values():  # type: ignore[attr-defined]
        spine.set_visible(False)
