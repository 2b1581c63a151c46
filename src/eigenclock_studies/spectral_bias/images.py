"""An MLP on images: exponents, gray zone, all modes over training, alignment; order against the theory's levels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from eigenclock.comparison.forecast_check import check_forecasts
from eigenclock.comparison.levels import compare_levels
from eigenclock.curve.learning_curve import LearningCurve
from eigenclock.data import load
from eigenclock.spectrum.spectrum import Spectrum
from eigenclock.training.network_options import MLP
from eigenclock.training.optimizers import Adam
from ..networks import Recipe, losses, trained
from ..study import Part, Say
from .laws import DIRECTIONS, interval, inverse, law_rows, law_verdict, level_claim, level_rows, over_seeds

PAPER = {"rising": (0.48, 0.97), "falling": (0.35, 0.92)}
"""α and R² that the paper measured on faces."""


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
        short, of_seeds = Path(data.split(":")[0]).stem, []
        for seed in options.seeds:
            name = f"images_{short}_seed{seed}"
            measured = trained(folder, name, options.recipe, samples, spectrum, seed=seed, say=say)[""]
            found = compare_levels(measured, objective=options.recipe.objective, sampler=options.recipe.sampler)
            laws += law_rows(measured, data=short, seed=seed)
            levels += level_rows(found, data=short, seed=seed)
            check = check_forecasts(found.curves["c"], measured, loss=losses(folder, name))
            forecasts += [{"data": short, "seed": seed, **row} for row in check.to_dict("records")]
            of_seeds.append(measured)
            curves[short] = measured
        claims += _claims(short, pd.DataFrame(laws), pd.DataFrame(levels), of_seeds)
    tables = {"laws": pd.DataFrame(laws), "levels": pd.DataFrame(levels), "forecasts": pd.DataFrame(forecasts)}
    return Part(claims, tables, {"modes": heat_maps(curves), "alignment": alignments(curves)})


def _claims(data: str, laws: pd.DataFrame, levels: pd.DataFrame, curves: list[LearningCurve]) -> list[dict[str, str]]:
    rows = []
    for direction in DIRECTIONS:
        here = laws[(laws["data"] == data) & (laws["direction"] == direction) & (laws["threshold"] == "geometric")]
        exponent, r2 = PAPER[direction]
        rows.append(
            {
                "claim": f"{data}, MLP: time ∝ variance^−α, {direction} modes",
                "paper": f"α = {exponent} (R² {r2}) on faces",
                "here": f"α = {over_seeds(-here['exponent'])}, R² {over_seeds(here['r2'])}; inverse regression {inverse(here)}",
                "interval": interval(here),
                "control": f"{over_seeds(here['gray_zone'])} modes in the gray zone, {over_seeds(here['censored'])} not reached",
                "verdict": law_verdict(here, exponent),
            }
        )
    rows.append(level_claim(f"{data}, MLP", levels[levels["data"] == data]))
    first, last = ([curve.alignment.values[i] for curve in curves] for i in (0, -1))
    rows.append(
        {
            "claim": f"{data}, MLP: the data's modes are modes of the trained model's samples",
            "paper": "measured over training",
            "here": f"alignment {over_seeds(last)} after training",
            "interval": f"{len(curves)} seed{'s' if len(curves) > 1 else ''}",
            "control": f"{over_seeds(first)} before training; 1 for aligned samples, however few",
            "verdict": "shown" if min(last) > 0.9 else "not shown",
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


def known_laws(folder: Path, data: str) -> pd.DataFrame:
    """Laws of the MLP on a data set as this part found them in the folder, at the geometric threshold; no rows if it did not."""
    file = folder / "images_laws.csv"
    known = pd.read_csv(file) if file.exists() else pd.DataFrame(columns=["data", "threshold", "direction", "exponent"])
    return known[(known["data"] == data) & (known["threshold"] == "geometric")]
