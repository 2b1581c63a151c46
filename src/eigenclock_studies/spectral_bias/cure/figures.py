"""Figures of the cure: curves of all methods, speed-ups along the run, samples at equal steps."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from .methods import ALL, EDM_ALONE, MODE
from .tables import QUANTITIES, Found, speed_ups

if TYPE_CHECKING:
    from .pictures import Pictures

COLOURS = {method.name: f"C{i}" for i, method in enumerate(ALL)} | {"muon": "0.4"}
SHOWN = 8
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
            ax.set(xscale="log", yscale="log", title=f"{network}: {quantity.title}", xlabel="training steps")
            ax.title.set_fontsize(9)
    handles, labels = axes[0, 1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, fontsize=9)
    return figure


def speed_figure(found: Found, source: "Pictures") -> Figure:
    """Steps of EDM to the value that SpectralEDM has, over its own; arrows up where EDM's run was too short."""
    speeds = {key: one for key, one in speed_ups(found).items() if key[0].source == source and key[0].method == MODE}
    networks = list(dict.fromkeys(arm.network for arm, _, _ in speeds))
    figure = Figure(figsize=(4.6 * len(networks), 3.4), layout="constrained")
    axes = figure.subplots(1, len(networks), squeeze=False, sharey=True)[0]
    for ax, network in zip(axes, networks, strict=True):
        for i, quantity in enumerate(QUANTITIES[:4]):
            known = sorted(
                (step, one)
                for (arm, name, step), one in speeds.items()
                if (arm.network, name) == (network, quantity.name)
            )
            steps, values = [step for step, _ in known], [one.value for _, one in known]
            ax.plot(steps, values, "o-", ms=3, color=f"C{i}", label=quantity.title)
            inside = [(s, one) for s, one in known if np.isfinite(one.low)]
            ax.vlines(
                [s for s, _ in inside], [o.low for _, o in inside], [o.high for _, o in inside], color=f"C{i}", lw=1
            )
            open_ = [(s, one.value) for s, one in known if one.censored]
            ax.plot([s for s, _ in open_], [1.12 * v for _, v in open_], "^", ms=5, mfc="none", color=f"C{i}")
        ax.axhline(1, color="0.6", lw=1)
        ax.set(xscale="log", yscale="log", title=network, xlabel="steps of SpectralEDM")
    axes[0].set_ylabel("steps of EDM to the same, over these")
    axes[-1].legend(frameon=False, fontsize=8)
    return figure


def samples_figure(found: Found, source: "Pictures", network: str) -> Figure:
    """Samples from the same noise at equal steps: EDM and SpectralEDM side by side, the data below."""
    runs = {arm.method.name: found[arm][0] for arm in found if (arm.source, arm.network) == (source, network)}
    ours, edm = runs[MODE.name], runs[EDM_ALONE.name]
    steps = [int(s) for s in _spread([int(s) for s in ours["step"].values])]
    figure = Figure(figsize=(9, 0.58 * len(steps) + 0.9), layout="constrained")
    axes = figure.subplots(len(steps), 2, squeeze=False)
    for row, step in zip(axes, steps, strict=True):
        for ax, run in zip(row, (edm, ours), strict=True):
            _strip(ax, run.sel(step=step)["images"].values[:SHOWN])
        row[0].set_ylabel(f"{step:,}", rotation=0, ha="right", va="center", fontsize=9)
    axes[0, 0].set_title(EDM_ALONE.title, fontsize=10)
    axes[0, 1].set_title(MODE.title, fontsize=10)
    figure.supylabel("training steps", fontsize=9)
    return figure


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
