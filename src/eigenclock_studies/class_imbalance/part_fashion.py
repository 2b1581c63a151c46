"""Part: three classes of real images in balanced and imbalanced arms under a real network: learned, seen, copied."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from eigenclock.clocks.passage import Clock, Passages
from eigenclock.clocks.replicates import LogRatio
from ..claims import Claim, exact, ratio, unlike
from ..figures import BLUE, GREEN, VERMILION, legend, level, panels, seeds
from ..study import Part, Say
from .fashion_runs import SYNTHETIC, Options, measure

EMERGED, COPIES = 0.5, 0.1
"""Share of its proportion at which a class has emerged; excess of copies at which it is memorised."""

CHANCE = 0.05
"""Largest share of samples that may look like copies of held-out images."""

OBSERVABLES = {
    "e ≤ 0.5": ("excess", 0.5, "falling"),
    "e ≤ 0.2": ("excess", 0.2, "falling"),
    "emergence": ("share", EMERGED, "rising"),
    "copies": ("copies", COPIES, "rising"),
}

NEEDED = "needs Fashion-MNIST, given as --data path/to/fashion_mnist.npz or the folder of its IDX files"


def passages(dataset: xr.Dataset, arm: str, clock: str, k: int) -> Passages:
    """A clock of a class in an arm, over replicates."""
    name, target, direction = OBSERVABLES[clock]
    here = dataset.sel(arm=arm).isel({"class": k})
    if name == "copies":
        values = here["f_mem"] - here["f_mem_control"]
    elif name == "share":
        values = here["share"] / here["proportion"]
    else:
        values = here[name].mean("t")
    array = values.transpose("replicate", "checkpoint").values
    steps = here["step"].transpose("replicate", "checkpoint").values[0]
    return Clock(clock, target, direction).of(steps, array)  # type: ignore[arg-type]


def clock_table(dataset: xr.Dataset) -> pd.DataFrame:
    """Every clock of every class in every arm, over replicates, with censoring; and the largest excess of copies."""
    rows = []
    for arm in dataset["arm"].values.tolist():
        most = (dataset["f_mem"] - dataset["f_mem_control"]).sel(arm=arm).max("checkpoint").mean("replicate").values
        for k, name in enumerate(dataset["class"].values.tolist()):
            share = float(dataset["proportion"].sel(arm=arm).isel({"class": k}).values.flat[0])
            clocks = {clock: str(passages(dataset, arm, clock, k)) for clock in OBSERVABLES}
            rows.append(
                {"arm": arm, "class": name, "share": round(share, 3), **clocks, "most copies": round(float(most[k]), 3)}
            )
    return pd.DataFrame(rows)


RARE = {"rare high": 2, "rare low": 0}
"""The class that an arm makes rare, in the order of their variance."""


def claims(dataset: xr.Dataset) -> list[Claim]:
    """C7: a rare class is later than at equal shares; C6: one class is copied while another is not learned."""
    arms, names = dataset["arm"].values.tolist(), dataset["class"].values.tolist()
    label = "synthetic stand-in" if dataset.attrs["source"] == SYNTHETIC else dataset.attrs["source"].replace("_", "-")
    label += f", n = {dataset.attrs['n']}"
    rows = []
    for arm, k in RARE.items():
        if arm not in arms or "balanced" not in arms:
            rows.append(
                Claim(f"C7 ({label}): {names[k]} is later where it is rare", missing="no time was left for its arm")
            )
            continue
        for clock in ("e ≤ 0.5", "e ≤ 0.2", "emergence"):
            late = LogRatio.of(passages(dataset, arm, clock, k), passages(dataset, "balanced", clock, k))
            common = LogRatio.of(passages(dataset, arm, clock, 1), passages(dataset, "balanced", clock, 1))
            control = unlike(f"{names[1]}, common in both", common, late)
            words = f"C7 ({label}): {names[k]} is learned later where it is rare, {clock}"
            rows.append(Claim(words, (ratio("time over its time at equal shares", late, above=1),), (control,)))
    chance = exact("largest share of copies of held-out images", float(dataset["f_mem_control"].max()), below=CHANCE)
    copied = {(arm, i): passages(dataset, arm, "copies", i) for arm in arms for i in range(3)}
    for arm, k in RARE.items():
        for i in (i for i in range(3) if arm in arms and i != k):
            wait = LogRatio.of(passages(dataset, arm, "e ≤ 0.2", k), copied[arm, i])
            words = f"C6 ({label}, {arm}): {names[i]} is copied before {names[k]} is learned to e ≤ 0.2"
            rows.append(Claim(words, (ratio("time learned over time copied", wait, above=1),), (chance,)))
    if "balanced" in arms:
        first = LogRatio.of(copied["balanced", 0], copied["balanced", 2])
        words = (
            f"C6 ({label}, balanced): {names[2]}, of the highest variance, is copied before {names[0]}, of the lowest"
        )
        rows.append(Claim(words, (ratio("time of the lowest over that of the highest", first, above=1),), (chance,)))
    return rows


def figure(dataset: xr.Dataset) -> Figure:
    """Excess loss, share and copies of each class, an arm per row."""
    arms, names = dataset["arm"].values.tolist(), dataset["class"].values.tolist()
    picture, axes = panels(3, len(arms), height=2.7, share="x")
    for line, arm in zip(np.atleast_2d(axes), arms, strict=True):
        here = dataset.sel(arm=arm)
        steps = here["step"].transpose("replicate", "checkpoint").values[0]
        for k, colour in enumerate((BLUE, GREEN, VERMILION)):
            one = here.isel({"class": k})
            curves = (one["excess"].mean("t"), one["share"] / one["proportion"], one["f_mem"] - one["f_mem_control"])
            label = f"{names[k]}, share {float(one['proportion'].values.flat[0]):.3g}"
            for ax, values, words in zip(line, curves, (label, "", ""), strict=True):
                seeds(ax, steps, values.transpose("replicate", "checkpoint"), colour, words)
        line[0].set(ylabel=f"{arm}\n excess loss", xscale="log", ylim=(-0.3, 1.1))
        line[1].set(ylabel="share/proportion", ylim=(0, 2))
        line[2].set(ylabel="copies beyond control")
        legend(line[0])
        for ax, target in zip(line, (0.2, EMERGED, COPIES), strict=True):
            level(ax, target)
    for ax in np.atleast_2d(axes)[-1]:
        ax.set_xlabel("training step")
    return picture


def notes_of(dataset: xr.Dataset) -> tuple[str, ...]:
    """What to know of the data."""
    traces = ", ".join(f"{t:.1f}" for t in dataset.attrs["traces"])
    return (
        f"Classes by rising trace of their covariance ({traces}): {', '.join(dataset['class'].values.tolist())}; PCA keeps "
        f"{100 * dataset.attrs['kept']:.0f} % of the variance.",
        "Real classes differ in anisotropy, centroid norm and overlap as well as in trace.",
        "The reference loss is that of the best linear denoiser of a class: a network can be better, and the excess negative.",
    )


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, judge, draw; or say why it was not run."""
    if not options.data:
        return Part(
            [
                Claim(
                    "C7, C6: a rare class is learned later, and others are copied first, on real images", missing=NEEDED
                )
            ]
        )
    dataset = measure(options, folder, say)
    accuracy: Any = dataset.attrs["accuracy"]
    notes = (*notes_of(dataset), f"The classifier is right for {100 * accuracy:.1f} % of held-out images.")
    tables, pictures = {"clocks": clock_table(dataset)}, {"classes": figure(dataset)}
    return Part(claims(dataset), tables, pictures, dataset, notes, ("clocks",))
