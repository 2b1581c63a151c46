"""Figures of the study."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from .clocks import measured_modes

Runs = Mapping[str, Sequence[xr.Dataset]]

COLOURS = {
    "none": "0.35",
    "rotation": "#56B4E9",
    "omega=1": "#E69F00",
    "omega=3": "#D55E00",
    "scr": "#009E73",
    "all": "#0072B2",
    "shuffled": "#CC79A7",
    "random": "#8C6BB1",
}


def colour(arm: str) -> str:
    """Of an arm, the same in every figure."""
    return COLOURS.get(arm, "#882255")


def curves(runs: Runs, arms: Sequence[str], real: xr.Dataset) -> Figure:
    """Fréchet distances and consistency along training."""
    picture = Figure(figsize=(11, 3.6), layout="constrained")
    axes = picture.subplots(1, 3)
    for arm in arms:
        for i, run in enumerate(runs[arm]):
            step = np.maximum(run["step"].values, 1)
            for ax, value in zip(
                axes, (run["fd"].sel(feature="pix"), run["fd"].sel(feature="cls"), run["consistency"]), strict=True
            ):
                ax.plot(step[1:], value[1:], color=colour(arm), lw=1.1, alpha=0.8, label=arm if i == 0 else None)
    axes[0].axhline(float(real["fd_real"].sel(feature="pix")), color="0.6", ls=":", lw=1, label="real images")
    axes[1].axhline(float(real["fd_real"].sel(feature="cls")), color="0.6", ls=":", lw=1)
    axes[2].axhline(float(real["consistency_real"]), color="0.6", ls=":", lw=1)
    for ax, words in zip(
        axes, ("Fréchet distance, pooled pixels", "Fréchet distance, classifier", "consistency of classes"), strict=True
    ):
        ax.set(xscale="log", xlabel="generator step", ylabel=words)
    axes[0].set_yscale("log")
    axes[1].set_yscale("log")
    axes[0].legend(frameon=False, fontsize=8)
    return picture


def spectra(runs: Runs) -> Figure:
    """Latent spectra, and measured against predicted mode clocks."""
    picture = Figure(figsize=(10.5, 3.8), layout="constrained")
    left, right = picture.subplots(1, 2)
    any_seen = False
    for arm, several in runs.items():
        run = several[0]
        left.plot(np.arange(1, run.sizes["mode"] + 1), run["spectrum"], color=colour(arm), lw=1.2, label=arm)
        found = measured_modes(run)
        known = ~found.gray_zone & np.isfinite(found.time)
        right.plot(run["tau_lin"].values[known], found.time[known], ".", color=colour(arm), ms=5, alpha=0.7, label=arm)
        any_seen |= bool(known.any())
    left.set(xscale="log", yscale="log", xlabel="mode", ylabel="variance of the standardised latents")
    right.set(xlabel="τ predicted from the spectrum (steps × rate)", ylabel="measured τ (generator steps)")
    if any_seen:
        right.set(xscale="log", yscale="log")
    left.legend(frameon=False, fontsize=8)
    return picture


def sample_grid(runs: Runs, arms: Sequence[str]) -> Figure:
    """Samples along training, an arm a block; real and restored images above."""
    first = runs[arms[0]][0]
    stops = [int(i) for i in np.unique(np.linspace(1, first.sizes["step"] - 1, 3).round())]
    rows: list[tuple[str, Any]] = [("real", first["real"].values)]
    rows += [(f"{arm}\nrestored", runs[arm][0]["restored"].values) for arm in arms if arm in ("none", "scr", "all")]
    rows += [
        (f"{arm}, step {int(runs[arm][0]['step'][i])}", runs[arm][0]["samples"].values[i])
        for arm in arms
        for i in stops
    ]
    picture = Figure(figsize=(7.5, 0.85 * len(rows)), layout="constrained")
    axes = picture.subplots(len(rows), first.sizes["image"])
    for line, (name, images) in zip(axes, rows, strict=True):
        for ax, image in zip(line, images, strict=True):
            ax.imshow(image, interpolation="nearest")
            ax.set_xticks([])
            ax.set_yticks([])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    return picture


def link(table: pd.DataFrame) -> Figure:
    """What the spectrum, and local continuity, say about each arm, against what was measured."""
    picture = Figure(figsize=(11, 3.6), layout="constrained")
    axes = picture.subplots(1, 3)
    pairs = (("predicted", "covariance clock"), ("predicted", "final pixel distance"), ("LPC", "final pixel distance"))
    words = {"predicted": "predicted from the spectrum (steps × rate)", "covariance clock": "covariance clock (steps)"}
    for ax, (cause, measured) in zip(axes, pairs, strict=True):
        for arm, one in table.groupby("arm", sort=False):
            ax.plot(one[cause], one[measured], "o", color=colour(str(arm)), ms=5, alpha=0.85, label=str(arm))
        ax.set(xlabel=words.get(cause, cause), ylabel=words.get(measured, measured))
    axes[2].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return picture


def continuity(runs: Runs) -> Figure:
    """Change of the image against the size of the perturbation, and the few-step distances."""
    picture = Figure(figsize=(9.5, 3.6), layout="constrained")
    left, right = picture.subplots(1, 2)
    for arm, several in runs.items():
        mean = np.mean([one["lpc_rho"].values for one in several], axis=0)
        left.plot(several[0]["rho"], mean, "o-", ms=4, color=colour(arm), label=arm)
        few = np.mean(
            [
                (one["few_steps"].sel(feature="pix") / one["few_steps"].sel(feature="pix", euler_steps=50)).values
                for one in several
            ],
            axis=0,
        )
        right.plot(several[0]["euler_steps"], few, "o-", ms=4, color=colour(arm), label=arm)
    left.set(
        xscale="log",
        yscale="log",
        xlabel="size of the perturbation ρ (share of the latent's norm)",
        ylabel="change of the image",
    )
    right.set(xscale="log", xlabel="Euler steps of sampling", ylabel="pixel distance over that at 50 steps")
    right.set_xticks([5, 10, 20, 50], ["5", "10", "20", "50"])
    right.minorticks_off()
    left.legend(frameon=False, fontsize=8)
    return picture
