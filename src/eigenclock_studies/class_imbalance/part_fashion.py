"""Part: real images. Three classes of Fashion-MNIST, balanced and imbalanced, under a real network: learned, seen, copied."""

from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from eigenclock.clocks.passage import Clock, Passages
from eigenclock.clocks.replicates import LogRatio
from ..claims import factor, row
from ..study import Part, Say
from .fashion_runs import SYNTHETIC, Options, measure

EMERGED, COPIES = 0.5, 0.1
"""Share of its proportion at which a class has emerged; excess of copies at which it is memorised."""

OBSERVABLES = {
    "e ≤ 0.5": ("excess", 0.5, "falling"),
    "e ≤ 0.2": ("excess", 0.2, "falling"),
    "emergence": ("share", EMERGED, "rising"),
    "copies": ("copies", COPIES, "rising"),
    "shuffled e ≤ 0.5": ("excess_shuffled", 0.5, "falling"),
    "shuffled e ≤ 0.2": ("excess_shuffled", 0.2, "falling"),
}


def passages(dataset: xr.Dataset, arm: str, clock: str, k: int, *, target: float | None = None) -> Passages:
    """A clock of a class in an arm, over replicates."""
    name, usual, direction = OBSERVABLES[clock]
    here = dataset.sel(arm=arm).isel({"class": k})
    if name == "copies":
        values = here["f_mem"] - here["f_mem_control"]
    elif name == "share":
        values = here["share"] / here["proportion"]
    else:
        values = here[name].mean("t")
    array = values.transpose("replicate", "checkpoint").values
    steps = here["step"].transpose("replicate", "checkpoint").values[0]
    return Clock(clock, usual if target is None else target, direction).of(steps, array)  # type: ignore[arg-type]


def clock_table(dataset: xr.Dataset) -> pd.DataFrame:
    """Every clock of every class in every arm, individual values and censoring."""
    rows = []
    for arm in dataset["arm"].values.tolist():
        for k, name in enumerate(dataset["class"].values.tolist()):
            row_: dict[str, Any] = {
                "arm": arm,
                "class": name,
                "share": float(dataset["proportion"].sel(arm=arm).isel({"class": k}).values.flat[0]),
            }
            for clock in OBSERVABLES:
                if not clock.startswith("shuffled"):
                    found = passages(dataset, arm, clock, k)
                    row_[clock] = ", ".join(_one(found, i) for i in range(len(found)))
            rows.append(row_)
    return pd.DataFrame(rows)


def _one(found: Passages, i: int) -> str:
    status = found.status[i]
    return {
        "hit": f"{found.low[i]:,.0f}",
        "right-censored": f"> {found.low[i]:,.0f}",
        "left-censored": f"≤ {found.high[i]:,.0f}",
    }.get(status, "–")


def claims(dataset: xr.Dataset) -> list[dict[str, str]]:
    """C7 and C6 on real images: reported either way, with three seeds never more than inconclusive."""
    arms, names = dataset["arm"].values.tolist(), dataset["class"].values.tolist()
    label = "synthetic stand-in" if dataset.attrs["source"] == SYNTHETIC else dataset.attrs["source"].replace("_", "-")
    label += f", n = {dataset.attrs['n']}"
    rows = []
    note = f"inconclusive ({dataset.sizes['replicate']} seeds, three classes: illustrates, cannot test a law)"
    for clock in ("e ≤ 0.5", "e ≤ 0.2", "emergence"):
        words, ratios = [], []
        for arm in arms:
            seen = [passages(dataset, arm, clock, k) for k in range(3)]
            ordered = np.argsort([one.low.mean() for one in seen], kind="stable").tolist()
            words.append(f"{arm}: " + ", ".join(f"{names[k]} {seen[k]}" for k in ordered))
            ratios.append(f"{arm}: {factor(LogRatio.of(seen[0], seen[2]))}")
        mixed = f"shuffled {clock}" if f"shuffled {clock}" in OBSERVABLES else "shuffled e ≤ 0.2"
        control = LogRatio.of(passages(dataset, arms[0], mixed, 0), passages(dataset, arms[0], mixed, 2))
        rows.append(
            row(
                f"C7 ({label}), {clock}: high variance first, the rare class later",
                "; ".join(words),
                f"{names[0]} (lowest variance) over {names[2]} (highest): " + "; ".join(ratios),
                f"shuffled labels: {factor(control)}",
                note,
            )
        )
    tops, words = [], []
    for arm in arms:
        here = dataset.sel(arm=arm)
        most = (here["f_mem"] - here["f_mem_control"]).max("checkpoint").mean("replicate").values
        tops.append(np.nanmax(most))
        words.append(
            f"{arm}: "
            + ", ".join(
                f"{n} {m:.2f} ({passages(dataset, arm, 'copies', k)})"
                for k, (n, m) in enumerate(zip(names, most, strict=True))
            )
        )
    windows = []
    for arm in arms:
        for i, j in permutations(range(3), 2):
            first, second = passages(dataset, arm, "copies", i), passages(dataset, arm, "e ≤ 0.2", j)
            open_ = LogRatio.of(second, first).low > 0
            if open_.any():
                windows.append(
                    f"{arm}: {names[i]} copied before {names[j]} is learned to 0.2 ({int(open_.sum())} of {open_.size})"
                )
    chance = float(dataset["f_mem_control"].max())
    rows.append(
        row(
            f"C6 ({label}): some classes are copied while others are not learned",
            "largest excess of copies, and when it passed 0.1: " + "; ".join(words),
            "; ".join(windows) or "no such window",
            f"the same samples against held-out images: at most {chance:.2f}",
            note if max(tops) >= COPIES else "memorisation not reached in this budget",
        )
    )
    return rows


def figure(dataset: xr.Dataset) -> Figure:
    """Excess loss, share and copies of each class, an arm per row."""
    arms, names = dataset["arm"].values.tolist(), dataset["class"].values.tolist()
    picture = Figure(figsize=(10.5, 2.7 * len(arms)), layout="constrained")
    axes = picture.subplots(len(arms), 3, sharex=True, sharey="col", squeeze=False)
    for line, arm in zip(axes, arms, strict=True):
        here = dataset.sel(arm=arm)
        steps = here["step"].transpose("replicate", "checkpoint").values[0]
        for k, colour in enumerate(("#0072B2", "#009E73", "#D55E00")):
            one = here.isel({"class": k})
            share = one["share"] / one["proportion"]
            for ax, values in zip(
                line, (one["excess"].mean("t"), share, one["f_mem"] - one["f_mem_control"]), strict=True
            ):
                ax.plot(steps, values.transpose("checkpoint", "replicate"), color=colour, lw=1, alpha=0.8)
            line[0].plot([], [], color=colour, lw=2, label=f"{names[k]}, {float(one['proportion'].values.flat[0]):.3g}")
        line[0].set(ylabel=f"{arm}\n excess loss", xscale="log", ylim=(-0.3, 1.1))
        line[1].set(ylabel="share/proportion", ylim=(0, 2))
        line[2].set(ylabel="copies beyond control")
        line[0].legend(frameon=False, fontsize=8)
        for ax, level in zip(line, (0.2, EMERGED, COPIES), strict=True):
            ax.axhline(level, color="0.6", lw=0.8, ls=":")
    for ax in axes[-1]:
        ax.set_xlabel("training step")
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, judge, draw; or say why it was not run."""
    if not options.data:
        reason = "needs Fashion-MNIST, given as --data path/to/fashion_mnist.npz or the folder of its IDX files"
        return Part([row("C7: holds with a real network on Fashion-MNIST", "–", "–", "–", f"not run: {reason}")])
    dataset = measure(options, folder, say)
    traces = ", ".join(f"{t:.1f}" for t in dataset.attrs["traces"])
    notes = (
        f"Classes by the trace of their covariance (all: {traces}), chosen before any training: "
        f"{', '.join(dataset['class'].values.tolist())}.",
        f"Classifier right for {100 * dataset.attrs['accuracy']:.1f} % of test images; PCA keeps "
        f"{100 * dataset.attrs['kept']:.0f} % of the variance.",
        "Real classes differ in anisotropy, centroid norm and overlap as well as in trace.",
        "The reference loss is that of the best linear denoiser of a class: a network can be better, and the excess negative.",
    )
    return Part(
        claims(dataset), {"clocks": clock_table(dataset)}, {"classes": figure(dataset)}, dataset, notes, ("clocks",)
    )
