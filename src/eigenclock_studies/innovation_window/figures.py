"""Figures of the innovation window."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..figures import BLUE, DARK, GRAY, GREEN, VERMILION, key, legend, level, not_reached, panels, seeds, ticks, times
from .basins import LEVELS
from .cases import AFFINE, Options, gpt_case, parity, width
from .clocks import Runs, opening, point
from .forecast import frozen

RULE, MEMORY = BLUE, VERMILION


def curves_figure(runs: Runs, options: Options) -> Figure:
    """Rule and copies over training, a panel per training-set size, all seeds."""
    shown = [n for n, _ in options.sizes if runs.has(parity(options.G, n))]
    figure, axes = panels(len(shown), width=2.5, height=3.3, share="y")
    for ax, n in zip(np.atleast_1d(axes), shown, strict=True):
        words = (("q", RULE, "rule: novel and valid, beyond chance"), ("M_ex", MEMORY, "copies beyond chance"))
        for name, colour, label in words:
            steps, values = runs.record(parity(options.G, n), name)
            seeds(ax, steps, values, colour, label)
        level(ax, 0.1)
        ax.set(xscale="log", xlabel="training step", title=f"N = {n:,}", ylim=(-0.05, 1.02))
    first = np.atleast_1d(axes)[0]
    first.set_ylabel("share of samples")
    figure.legend(*first.get_legend_handles_labels(), loc="outside upper center", frameon=False, ncols=2)
    return figure


def memory_figure(runs: Runs, options: Options) -> Figure:
    """Both clocks against the size of the training set, of both families, with the forecast from the small sets."""
    figure, axes = panels(2, width=5, height=4.2, share="y")
    families: tuple[tuple[str, list[int], Callable[[int], str]], ...] = (
        ("denoiser", [n for n, _ in options.sizes], lambda n: parity(options.G, n)),
        ("GPT", [n for n, _ in options.gpt_sizes], gpt_case),
    )
    for ax, (title, sizes, case) in zip(axes, families, strict=True):
        shown = [n for n in sizes if runs.has(case(n))]
        for n in shown:
            times(ax, n * 0.97, runs.rule(case(n)), RULE)
            times(ax, n * 1.03, runs.memory(case(n)), MEMORY, "s")
        ax.set(xscale="log", yscale="log", xlabel="training samples N", title=title)
        ticks(ax, shown)
    law = frozen(runs, options).get("linear")
    if law is not None:
        ends = np.array([options.sizes[0][0], options.sizes[-1][0]], dtype=float)
        axes[0].plot(ends, law.c * ends, color=MEMORY, lw=1.2, ls="--", label=f"c·N, fitted on N < {options.open_at}")
        low, high = zip(*(law.interval(int(n)) for n in ends), strict=True)
        axes[0].fill_between(ends, low, high, color=MEMORY, alpha=0.12, lw=0, label="95 % of single runs, predicted")
    key(axes[0], RULE, "rule clock")
    key(axes[0], MEMORY, "memory clock", "s")
    not_reached(axes[0])
    axes[0].set_ylabel("training step")
    legend(axes[0])
    return figure


def window_figure(runs: Runs, options: Options) -> Figure:
    """W = ln(memory/rule) of every size and rule; hatched where only a bound is known."""
    groups, sizes = options.groups, [n for n, _ in options.sizes]
    widths = np.full((len(groups), len(sizes)), np.nan)
    figure, ax = panels(width=1.2 * len(sizes) + 1.6, height=0.75 * len(groups) + 1.6)
    for i, j in np.ndindex(widths.shape):
        if not runs.has(parity(groups[i], sizes[j])):
            continue
        found = runs.window(parity(groups[i], sizes[j]))
        points, bound = point(found), not (found.low == found.high).all()
        widths[i, j] = points.mean() if np.isfinite(points).all() else np.nan
        sign = "≥" if np.isinf(found.high).any() else "≤" if bound else ""
        number = f"{sign}{widths[i, j]:.1f}\n" if np.isfinite(widths[i, j]) else ""
        box = {"fc": "white", "ec": "none", "alpha": 0.75, "pad": 1}
        ax.text(j, i, f"{number}{opening(found)}", ha="center", va="center", fontsize=8, bbox=box)
        if bound:
            ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, hatch="///", ec="0.6", lw=0))
    reach = max(1.0, float(np.nanmax(np.abs(widths)))) if np.isfinite(widths).any() else 1.0
    picture = ax.imshow(widths, cmap="RdBu", vmin=-reach, vmax=reach, aspect="auto")
    figure.colorbar(picture, ax=ax, label="ln(memory/rule)")
    ax.set_xticks(range(len(sizes)), [f"{n:,}" for n in sizes])
    ax.set_yticks(range(len(groups)), [str(g) for g in groups])
    ax.set_title("hatched: only a bound is known; white: not run", fontsize=9)
    ax.set(
        xlabel="training samples N",
        ylabel="bits per group G",
        xlim=(-0.5, len(sizes) - 0.5),
        ylim=(len(groups) - 0.5, -0.5),
    )
    return figure


def capacity_figure(runs: Runs, options: Options) -> Figure:
    """The rule clock against width, at one rate and at rates ∝ 1/width."""
    figure, ax = panels(width=5.2)
    every = sorted({*options.widths, options.model.width})
    for w in every:
        case = parity(options.simpler, options.open_at) if w == options.model.width else width(w)
        for name, place, colour, marker in (
            (case, w, RULE, "o"),
            (width(w, corrected=True), w * 1.06, GREEN, "s"),
        ):
            if runs.has(name):
                times(ax, place, runs.rule(name), colour, marker)
    if runs.has(AFFINE):
        times(ax, every[0] / 2, runs.rule(AFFINE), DARK)
    key(ax, RULE, "one learning rate")
    key(ax, GREEN, "rate ∝ 1/width", "s")
    not_reached(ax)
    ax.set(xscale="log", yscale="log", xlabel="width", ylabel="rule clock (training step)")
    ticks(ax, [every[0] / 2, *every], ["affine", *map(str, every)])
    legend(ax)
    return figure


def basin_figure(runs: Runs, options: Options) -> Figure:
    """Share of corners found again against the noise level at the last checkpoint, and both scores over training."""
    cases = [parity(options.G, options.sizes[0][0]), parity(options.simpler, options.open_at)]
    figure, axes = panels(2, 2, width=4.2, height=3)
    named = {
        "T": ("training samples", MEMORY),
        "R": ("valid, unseen", RULE),
        "I": ("one bit off", GRAY),
        "C": ("control set", GREEN),
    }
    scores = (
        ("basin_E_R", RULE, "rule basins: r(valid) − r(one bit off)"),
        ("basin_D_m", MEMORY, "training basins: r(training) − r(valid)"),
    )
    for column, case in enumerate(cases):
        above, below = axes[0, column], axes[1, column]
        last = runs.dataset["r"].sel(case=case).dropna("checkpoint", how="all").isel(checkpoint=-1)
        for corner, (label, colour) in named.items():
            seeds(above, LEVELS, last.sel(corner=corner).transpose("seed", "sigma").values, colour, label)
        title = f"{case.replace('=', ' = ')}, last checkpoint"
        above.set(xlabel="noise level σ that corners start from", title=title, ylim=(-0.03, 1.03))
        for name, colour, label in scores:
            steps, values = runs.record(case, name)
            seeds(below, steps, values, colour, label)
        for clock, colour in ((runs.rule(case), RULE), (runs.memory(case), MEMORY)):
            for time in clock.time[clock.hit]:
                below.axvline(time, color=colour, lw=0.7, ls=":")
        below.set(xscale="log", xlabel="training step (dotted: rule clock, memory clock)")
    axes[0, 0].set_ylabel("share found again")
    axes[1, 0].set_ylabel("score (mean over σ)")
    for row in axes:
        legend(row[0])
    return figure


def figures(runs: Runs, options: Options) -> dict[str, Any]:
    """Every figure that the runs allow."""
    found = {"curves": curves_figure, "memory": memory_figure, "window": window_figure}
    if options.widths:
        found["capacity"] = capacity_figure
    if options.basins and "basin_E_R" in runs.dataset:
        found["basins"] = basin_figure
    return {name: draw(runs, options) for name, draw in found.items()}
