"""Figures of the study."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from ..figures import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, legend, level, panels, picture_rows, seeds, ticks
from .clocks import OWN, measured_modes

Runs = Mapping[str, Sequence[xr.Dataset]]

COLOURS = {
    "none": "0.35",
    "rotation": SKY,
    "omega=1": ORANGE,
    "omega=3": VERMILION,
    "scr": GREEN,
    "all": BLUE,
    "shuffled": PURPLE,
    "random": "#8C6BB1",
}


def colour(arm: str) -> str:
    """Of an arm, the same in every figure."""
    return COLOURS.get(arm, "#882255")


def curves(runs: Runs, arms: Sequence[str]) -> Figure:
    """Distance to real images, to own reconstructions in noise floors, and consistency along training."""
    picture, axes = panels(3)
    real = runs[arms[0]][0]
    for arm in arms:
        several = runs[arm]
        step = several[0]["step"].values[1:]
        own = [run["fd"].sel(feature="own").values[1:] / float(run["fd_floor"].sel(feature="own")) for run in several]
        pixels = [run["fd"].sel(feature="pix").values[1:] for run in several]
        named = [run["consistency"].values[1:] for run in several]
        for ax, values in zip(axes, (pixels, own, named), strict=True):
            seeds(ax, step, values, colour(arm), arm)
    level(axes[0], float(real["fd_real"]), "real images")
    level(axes[1], OWN, f"{OWN:g} noise floors")
    level(axes[2], float(real["consistency_real"]))
    words = ("Fréchet distance to real images", "to own reconstructions, in floors", "consistency of classes")
    for ax, title in zip(axes, words, strict=True):
        ax.set(xscale="log", xlabel="generator step", ylabel=title)
    for ax in axes[:2]:
        ax.set_yscale("log")
        legend(ax)
    return picture


def spectra(runs: Runs) -> Figure:
    """Latent spectra, and measured against predicted mode clocks."""
    picture, (left, right) = panels(2, width=4.8, height=3.8)
    any_seen = False
    for arm, several in runs.items():
        run = several[0]
        left.plot(np.arange(1, run.sizes["mode"] + 1), run["spectrum"], color=colour(arm), lw=1.2, label=arm)
        found = measured_modes(run)
        known = ~found.gray_zone & np.isfinite(found.time)
        right.plot(run["tau_lin"].values[known], found.time[known], ".", color=colour(arm), ms=5, alpha=0.7)
        any_seen |= bool(known.any())
    left.set(xscale="log", yscale="log", xlabel="mode", ylabel="variance of the standardised latents")
    right.set(xlabel="τ predicted from the spectrum (steps × rate)", ylabel="measured τ (generator steps)")
    if any_seen:
        right.set(xscale="log", yscale="log")
    legend(left)
    return picture


def sample_grid(runs: Runs, arms: Sequence[str]) -> Figure:
    """Samples along training, an arm a block; real and restored images above."""
    first = runs[arms[0]][0]
    stops = [int(i) for i in np.unique(np.linspace(1, first.sizes["step"] - 1, 3).round())]
    rows: list[tuple[str, Any]] = [("real", first["real"].values)]
    rows += [(f"{arm}, restored", runs[arm][0]["restored"].values) for arm in arms if "=" not in arm]
    rows += [
        (f"{arm}, step {int(runs[arm][0]['step'][i]):,}", runs[arm][0]["samples"].values[i])
        for arm in arms
        for i in stops
    ]
    return picture_rows(rows)


def link(table: pd.DataFrame) -> Figure:
    """What the spectrum, and local continuity, say about each arm, against what was measured."""
    picture, axes = panels(3)
    spectrum, continuous, gap = "the latent spectrum", "local continuity (LPC)", "last distance in noise floors"
    for ax, (cause, effect) in zip(
        axes, ((spectrum, "covariance clock"), (spectrum, gap), (continuous, gap)), strict=True
    ):
        for arm, one in table.groupby("arm", sort=False):
            ax.plot(one[cause], one[effect], "o", color=colour(str(arm)), ms=5, alpha=0.85, label=str(arm))
        ax.set(xlabel="T_lin of the latent spectrum (steps × rate)" if cause == spectrum else cause, ylabel=effect)
    legend(axes[2], loc="center left", bbox_to_anchor=(1, 0.5))
    return picture


def continuity(runs: Runs) -> Figure:
    """Change of the image against the size of the perturbation, and the distances at few sampling steps."""
    picture, (left, right) = panels(2, width=4.4)
    for arm, several in runs.items():
        mean = np.mean([one["lpc_rho"].values for one in several], axis=0)
        left.plot(several[0]["rho"], mean, "o-", ms=4, color=colour(arm), label=arm)
        steps = several[0]["euler_steps"].values
        own = np.mean(
            [
                one["few_steps"].sel(feature="own").values / float(one["few_steps"].sel(feature="own")[-1])
                for one in several
            ],
            axis=0,
        )
        right.plot(steps, own, "o-", ms=4, color=colour(arm))
    left.set(
        xscale="log",
        yscale="log",
        xlabel="size of the perturbation ρ (share of the latent's norm)",
        ylabel="change of the image",
    )
    right.set(
        xscale="log",
        xlabel="Euler steps of sampling",
        ylabel=f"distance to own reconstructions over that at {steps[-1]} steps",
    )
    ticks(right, steps.tolist())
    legend(left)
    return picture
