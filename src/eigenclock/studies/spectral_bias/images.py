"""An MLP on images: exponents, gray zone, all modes over training, alignment; order against the theory's levels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ...curve import LearningCurve
from ...data import load
from ...forecast_check import check_forecasts
from ...levels import compare_levels
from ...spectrum import Spectrum
from ...training.options import MLP, Adam
from ..study import Part, Say
from ..training import Recipe, losses, trained
from .laws import interval, law_rows, level_rows, over_seeds

PAPER = {"rising": "0.48 (R² 0.97)", "falling": "0.35 (R² 0.92)"}
"""α that the paper measured on faces."""


@dataclass(frozen=True)
class Options:
    """Data sets (bundled names or paths), seeds and training."""

    data: tuple[str, ...]
    seeds: tuple[int, ...]
    recipe: Recipe
    samples: int | None = None


PRESETS = {
    "tiny": Options(
        ("digits",),
        (0, 1),
        Recipe(network=MLP(64, 3), steps=80, batch_size=64, optimizer=Adam(2e-3), probes=12, probe_samples=64),
        500,
    ),
    "cpu": Options(
        ("natural16", "digits"),
        (0, 1, 2),
        Recipe(network=MLP(256, 5), steps=3000, batch_size=256, optimizer=Adam(3e-4)),
        10_000,
    ),
    "paper": Options(
        ("natural32-colour", "faces", "digits"), (0, 1, 2), Recipe(network=MLP(3072, 8), steps=100_000, batch_size=1024)
    ),
}


def image_data(name: str, n: int | None) -> tuple[Any, Spectrum]:
    """Standardised samples and their PCA spectrum."""
    dataset = load(name).limited(n).standardized()
    return dataset.samples, Spectrum.from_samples(dataset.samples)


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, and set exponents and levels side by side."""
    laws, levels, forecasts, claims, curves = [], [], [], [], {}
    for data in options.data:
        samples, spectrum = image_data(data, options.samples)
        short = Path(data.split(":")[0]).stem
        for seed in options.seeds:
            name = f"images_{short}_seed{seed}"
            measured = trained(folder, name, options.recipe, samples, spectrum, seed=seed, say=say)[""]
            found = compare_levels(measured, objective=options.recipe.objective, sampler=options.recipe.sampler)
            laws += law_rows(measured, data=short, seed=seed)
            levels += level_rows(found.comparisons, data=short, seed=seed)
            check = check_forecasts(found.curves["c"], measured, loss=losses(folder, name))
            forecasts += [{"data": short, "seed": seed, **row} for row in check.to_dict("records")]
            curves[short] = measured
        claims += _claims(short, pd.DataFrame(laws), pd.DataFrame(levels), curves[short])
    tables = {"laws": pd.DataFrame(laws), "levels": pd.DataFrame(levels), "forecasts": pd.DataFrame(forecasts)}
    return Part(claims, tables, {"modes": heat_maps(curves), "alignment": alignments(curves)})


def _claims(data: str, laws: pd.DataFrame, levels: pd.DataFrame, last: LearningCurve) -> list[dict[str, str]]:
    rows = []
    for direction in ("rising", "falling"):
        here = laws[(laws["data"] == data) & (laws["direction"] == direction) & (laws["threshold"] == "geometric")]
        known = here["exponent"].notna()
        r2 = over_seeds(here["r2"])
        rows.append(
            {
                "claim": f"{data}, MLP: time ∝ variance^−α, {direction} modes",
                "paper": PAPER[direction] + " on faces",
                "here": f"α = {over_seeds(-here['exponent'])}, R² {r2}; inverse regression, 1/slope "
                f"{over_seeds(-here['one_over_inverse'])}",
                "interval": interval(here),
                "control": f"{over_seeds(here['gray_zone'])} modes in the gray zone, {over_seeds(here['censored'])} not reached",
                "verdict": ("shown" if here["exponent"].mean() < -0.1 else "not shown")
                if known.any()
                else "too few modes emerged",
            }
        )
    levels = levels[levels["data"] == data]
    error = {level: over_seeds(levels[levels["level"] == level]["median_error"]) for level in "abcd"}
    best = levels[levels["level"] == "c"]
    rows.append(
        {
            "claim": f"{data}, MLP: preconditioned theory with the real sampler sets the clocks (T13)",
            "paper": "not in the paper",
            "here": f"level (c): median |ln ratio| {error['c']}, rank correlation {over_seeds(best['rank_correlation'])}",
            "interval": f"90 % of modes within {over_seeds(best['error_90'])}",
            "control": f"(a) {error['a']}, (b) {error['b']}, (d) {error['d']}",
            "verdict": "shown" if best["median_error"].mean() < 0.25 else "not shown",
        }
    )
    alignment = last.alignment.values
    rows.append(
        {
            "claim": f"{data}, MLP: the data's modes stay modes of the samples",
            "paper": "alignment near 1 throughout",
            "here": f"alignment {alignment[0]:.2f} before training, lowest {alignment.min():.2f}, {alignment[-1]:.2f} after",
            "interval": "–",
            "control": "1 for aligned samples, however few",
            "verdict": "shown" if alignment.min() > 0.9 else "not shown",
        }
    )
    return rows


def heat_maps(curves: dict[str, LearningCurve]) -> Figure:
    """ln(generated/target variance) of all modes over training; white is learned."""
    figure = Figure(figsize=(5 * len(curves), 4), layout="constrained")
    axes = figure.subplots(1, len(curves), squeeze=False)[0]
    for ax, (name, curve) in zip(axes, curves.items(), strict=True):
        time, positive = curve.time.values, curve.target.values > 0
        ratio = np.log(curve.variance.values[1:, positive] / curve.target.values[positive])
        image = ax.pcolormesh(
            time[1:],
            np.arange(1, positive.sum() + 1),
            ratio.T,
            cmap="RdBu_r",
            vmin=-3,
            vmax=3,
            shading="nearest",
            rasterized=True,
        )
        ax.set(
            xscale="log", yscale="log", xlabel="training time (steps)", ylabel="mode, by falling variance", title=name
        )
        ax.invert_yaxis()
    figure.colorbar(image, ax=axes, label="ln(generated variance / data variance)")
    return figure


def alignments(curves: dict[str, LearningCurve]) -> Figure:
    """Alignment of the samples' covariance with the data's modes over training."""
    figure = Figure(figsize=(5, 3.4), layout="constrained")
    ax = figure.subplots()
    for name, curve in curves.items():
        ax.semilogx(curve.time.values[1:], curve.alignment.values[1:], "o-", ms=3, label=name)
    ax.set(xlabel="training time (steps)", ylabel="alignment with the data's modes", ylim=(0, 1.03))
    ax.legend(frameon=False)
    return figure
