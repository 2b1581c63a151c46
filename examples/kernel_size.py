"""Does a convolution keep the inverse law? Emergence on natural patches against the size of the kernel, by theory (T10, T11).

Two recipes, the paper's plain one and the one that real networks are trained with; exponents over waves (power spectrum) and
over the data's own PCA modes, with bootstrap intervals over modes. A local kernel never learns the data's spectrum exactly,
so emergence is also measured towards what it ends at. Five seconds.
"""

import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import eigenclock as ec
from eigenclock.clocks import emergence as clocks
from examples import plates

SIZE = 16
KERNELS = (1, 3, 5, 7, 9, 11, 13, 15)
TIME = np.concatenate([[0.0], np.geomspace(1e-4, 1e7, 600)])
RECIPES: dict[str, dict[str, Any]] = {
    "plain": {"objective": ec.Denoising(), "start": 0.1, "sampler": ec.ProbabilityFlow()},
    "preconditioned": {"objective": ec.EDM(density=ec.LogNormal()), "start": 0.0, "sampler": ec.Heun(steps=20)},
}


def main(out: Path, n: int = 10_000) -> tuple[str, str]:
    """Write kernel_size; the table of exponents, and that of sharing, as Markdown."""
    images = ec.data.natural_patches(SIZE, n=n).standardized().samples
    waves, pca = ec.Spectrum.from_samples(images, basis="fourier"), ec.Spectrum.from_samples(images)
    rows, records = [], []
    for recipe in RECIPES:
        for kernel in (*KERNELS, SIZE):
            network = (
                ec.Circulant(RECIPES[recipe]["start"])
                if kernel == SIZE
                else ec.LocalConv(kernel, RECIPES[recipe]["start"])
            )
            curve = predicted(waves, recipe, network)
            found = {
                "waves": law_of(curve, one_of_each_pair(curve)),
                "waves, to its own end": law_of(curve, one_of_each_pair(curve), towards_end=True),
                "PCA modes": law_of(curve.along(pca), slice(None)),
            }
            row = {"recipe": recipe, "kernel": "full (16)" if kernel == SIZE else str(kernel)}
            for modes, laws in found.items():
                for direction, law in laws.items():
                    row[f"{direction}, {modes}"] = plates.law_text(law)
                    records.append({"recipe": recipe, "kernel": kernel, "modes": modes, **_numbers(law)})
            rows.append(row)
    table = pd.DataFrame(records)
    plates.save(_figure(table), table, out, "kernel_size")
    return plates.markdown(rows), _sharing(waves)


def predicted(spectrum: ec.Spectrum, recipe: str, network: ec.Architecture) -> ec.LearningCurve:
    """Training time in units in which a full-width convolution learns like one layer: steps times positions."""
    parts = RECIPES[recipe]
    flow = ec.GradientFlow(lr=1 / SIZE**2)
    return ec.predict(
        spectrum,
        objective=parts["objective"],
        architecture=network,
        optimizer=flow,
        sampler=parts["sampler"],
        time=TIME,
    )


def one_of_each_pair(curve: ec.LearningCurve) -> np.ndarray:
    """The waves ±k are one clock: count it once."""
    basis = curve.spectrum.basis
    assert isinstance(basis, ec.Fourier)
    return np.flatnonzero((np.arange(basis.opposite.size) <= basis.opposite)[basis.order])


def law_of(curve: ec.LearningCurve, chosen: Any, *, towards_end: bool = False) -> dict[str, ec.PowerLaw]:
    """Power laws of chosen modes, with the data's variance as target or what the training ends at."""
    variance = curve.variance.values[:, chosen]
    target = variance[-1] if towards_end else curve.target.values[chosen]
    table = clocks.emergence(variance, TIME, curve.initial.values[chosen], target)
    return {direction: table.power_law(direction) for direction in ("rising", "falling")}


def _numbers(law: ec.PowerLaw) -> dict[str, Any]:
    return {
        "direction": law.direction,
        "exponent": law.exponent,
        "low": law.interval[0],
        "high": law.interval[1],
        "r2": law.r2,
        "n": law.n,
        "censored": law.censored,
        "gray_zone": law.gray_zone,
    }


def _figure(table: pd.DataFrame) -> plt.Figure:
    figure, axes = plt.subplots(1, 3, figsize=(14, 4.4), sharey=True, layout="constrained")
    panels = (("plain", "rising"), ("preconditioned", "rising"), ("preconditioned", "falling"))
    for ax, (recipe, direction) in zip(axes, panels, strict=True):
        for i, modes in enumerate(table["modes"].unique()):
            here = table.query("recipe == @recipe and direction == @direction and modes == @modes and n >= 3")
            kernel = here["kernel"] + 0.15 * (i - 1)
            ax.errorbar(
                kernel,
                here["exponent"],
                yerr=np.abs(here[["low", "high"]].to_numpy().T - here["exponent"].to_numpy()),
                fmt="o-",
                color=plates.COLOURS[i],
                ms=5,
                lw=1.2,
                capsize=3,
                label=modes,
            )
        ax.axhline(-1 if recipe == "plain" else -0.5, color="#999999", ls="--", lw=1)
        ax.axhline(0, color="#999999", lw=0.6)
        ax.set(
            title=f"{recipe}, {direction} modes",
            xlabel="kernel size (pixels; 16 is the whole grid)",
            ylim=(-2, 2),
            xlim=(0.3, 16.7),
        )
        ax.tick_params(axis="x", labelsize=8)
        ax.set_xticks([1, 3, 5, 7, 9, 11, 13, 15, 16], ["1", "3", "5", "7", "9", "11", "13", "15", "16"])
    axes[0].set_ylabel("exponent of time in variance")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def _sharing(waves: ec.Spectrum) -> str:
    """Full width against one layer on the same waves at the same learning rate."""
    rows = []
    for recipe, parts in RECIPES.items():
        shared = predicted(waves, recipe, ec.Circulant(parts["start"]))
        alone = predicted(waves.stationary(), recipe, ec.OneLayer(parts["start"]))
        comparison = ec.compare(alone, shared)
        laws = [curve.emergence().power_law("rising" if recipe == "plain" else "falling") for curve in (alone, shared)]
        rows.append(
            {
                "recipe": recipe,
                "one layer": f"{laws[0].exponent:.3f}",
                "full-width convolution": f"{laws[1].exponent:.3f}",
                "time, convolution / one layer": f"1/{1 / comparison.time_scale:.1f}",
            }
        )
    return plates.markdown(rows)


if __name__ == "__main__":
    for text in main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("runs/kernel_size")):
        print(text, "\n")
