"""Images: exponents, gray zone, all modes over training, alignment; which level of theory sets the clocks of which network."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from eigenclock.clocks.replicates import student_interval
from eigenclock.comparison.forecast_check import check_forecasts
from eigenclock.comparison.levels import compare_levels
from eigenclock.curve.learning_curve import LearningCurve
from eigenclock.data import load
from eigenclock.recipe.samplers import Heun
from eigenclock.spectrum.spectrum import Spectrum
from eigenclock.training.network_options import MLP, Network, NormedMLP
from eigenclock.training.optimizers import Adam
from ..claims import Claim, in_words
from ..figures import CYCLE, legend, panels, seeds
from ..networks import Case, Recipe, Run, losses, place_of, runs_of, train_runs
from ..study import Part, Say
from .authors import FACES
from .claims import aligned_claim, law_claims, level_claims
from .laws import DIRECTIONS, FEWEST, Law, level_table, repetition

ALIGNED = 0.9
"""Alignment above which the data's modes count as the modes of the generated samples."""


@dataclass(frozen=True)
class Images:
    """Images by a bundled name or a path, those of more than `most` coordinates averaged over square blocks of pixels."""

    data: str
    n: int | None = None
    most: int = 256

    def load(self) -> tuple[Any, Spectrum]:
        """Standardised samples and their PCA spectrum."""
        dataset = load(self.data).limited(self.n)
        images = np.asarray(dataset.samples)
        if images.ndim > 2 and (block := _block(images.shape[1:], self.most)) > 1:
            n, h, w, *channels = images.shape
            blocks = images.reshape(n, h // block, block, w // block, block, *channels).astype(np.float64)
            dataset = type(dataset)(blocks.mean(axis=(2, 4)), None, dataset.name, dataset.source)
        samples = dataset.standardized().samples.astype(np.float32)
        return samples, Spectrum.from_samples(samples)

    @property
    def name(self) -> str:
        """What to call them: a file by its name."""
        return Path(self.data.split(":")[0]).stem


def _block(shape: tuple[int, ...], most: int) -> int:
    """The smallest edge of blocks that leaves at most so many coordinates; 1 where none divides the image."""
    h, w = shape[:2]
    fits = [b for b in range(1, min(h, w) + 1) if h % b == 0 and w % b == 0 and np.prod(shape) // b**2 <= most]
    return min(fits, default=1)


@dataclass(frozen=True)
class Options:
    """Data sets (bundled names or paths), seeds and training; `normed`: the other network, or none, on the
    first of the data sets.

    `most`: coordinates of an image; larger ones are averaged over blocks, so that the network is wider than they are.
    """

    data: tuple[str, ...]
    seeds: tuple[int, ...]
    recipe: Recipe
    samples: int | None = None
    most: int = 256
    normed: Network | None = NormedMLP(512, 5)  # noqa: RUF009 (a frozen dataclass)
    workers: int | None = None

    def case(self, data: str) -> Case:
        """The chain on a data set."""
        source = Images(data, self.samples, self.most)
        return Case(f"images_{source.name}", source, self.recipe)

    def normed_case(self, network: Network) -> Case:
        """The network with a norm before its output on the first data set."""
        first = self.case(self.data[0])
        return Case(f"{first.name}_normed", first.source, replace(self.recipe, network=network))


PRESETS = {
    "tiny": Options(
        ("digits",),
        (0,),
        Recipe(network=MLP(32, 2), steps=40, batch_size=32, optimizer=Adam(2e-3), probes=12, probe_samples=64),
        500,
        normed=None,
        workers=1,
    ),
    "cpu": Options(
        ("natural16",),
        (0, 1),
        Recipe(network=MLP(512, 5), steps=800, batch_size=256, optimizer=Adam(3e-4), probes=42, probe_samples=192),
        10_000,
        normed=None,
    ),
    "paper": Options(
        ("natural32-colour", "faces", "digits"),
        (0, 1, 2),
        Recipe(
            network=MLP(3072, 8, 64), steps=100_000, batch_size=256, sampler=Heun(35), probes=100, probe_samples=2048
        ),
        most=3072,
        normed=NormedMLP(1024, 8),
    ),
}


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, and set exponents and levels side by side."""
    cases = [options.case(data) for data in options.data]
    named = [(case, case.name.removeprefix("images_"), "MLP") for case in cases]
    if options.normed is not None:
        named.append((options.normed_case(options.normed), named[0][1], "NormedMLP"))
    runs = runs_of([case for case, _, _ in named], options.seeds)
    found = train_runs(folder, runs, workers=options.workers, say=say)
    laws, levels, forecasts, claims, shown = [], [], [], [], {}
    for case, data, network in named:
        curves = [found[case.name, seed][""] for seed in options.seeds]
        tables = [curve.emergence() for curve in curves]
        for threshold in ("geometric", "harmonic"):
            read = [curve.emergence(threshold) for curve in curves]
            for direction in DIRECTIONS:
                labels = {"data": data, "network": network, "threshold": threshold}
                laws.append(labels | Law.of(read, direction).row())
        repeated = repetition(tables)
        compared = [
            compare_levels(curve, objective=case.recipe.objective, sampler=case.recipe.sampler) for curve in curves
        ]
        for seed, curve, one in zip(options.seeds, curves, compared, strict=True):
            levels.append(level_table(one, repeated, data=data, network=network, seed=seed))
            check = check_forecasts(one.before, curve, loss=losses(place_of(folder, Run(case, seed))))
            forecasts += [{"data": data, "network": network, "seed": seed, **row} for row in check.to_dict("records")]
        what = f"{data}, {network}"
        claims += [claim for direction in DIRECTIONS for claim in _laws(what, Law.of(tables, direction), curves)]
        claims += [*level_claims(what, compared, repeated), _alignment_claim(what, curves)]
        shown[what] = curves
    found_tables = {"laws": pd.DataFrame(laws), "levels": pd.concat(levels), "forecasts": pd.DataFrame(forecasts)}
    figures = {"modes": heat_maps(shown), "alignment": alignments(shown)}
    return Part(claims, found_tables, figures, notes=_notes(options), shown=("laws", "levels"))


def _laws(what: str, law: Law, curves: list[LearningCurve]) -> list[Claim]:
    theirs = FACES[law.direction]
    harmonic = Law.of([curve.emergence("harmonic") for curve in curves], law.direction).alpha.estimate
    return law_claims(what, law, None, f"theirs, on faces, {theirs}; harmonic threshold {in_words(harmonic)}")


def _alignment_claim(what: str, curves: list[LearningCurve]) -> Claim:
    first, last = ([curve.alignment.values[i] for curve in curves] for i in (0, -1))
    return aligned_claim(what, student_interval(last), student_interval(np.subtract(last, first)), ALIGNED)


def heat_maps(curves: dict[str, list[LearningCurve]]) -> Figure:
    """ln(generated/target variance) of all modes over training, of the first seed; white is learned."""
    figure, axes = panels(len(curves), width=4.2, height=4)
    for ax, (name, several) in zip(np.atleast_1d(axes), curves.items(), strict=True):
        curve = several[0]
        time, positive = curve.time.values, curve.target.values > 0
        ratio = np.log(curve.variance.values[1:, positive] / curve.target.values[positive])
        modes = np.arange(1, positive.sum() + 1)
        style = {"cmap": "RdBu_r", "vmin": -3, "vmax": 3, "shading": "nearest", "rasterized": True}
        image = ax.pcolormesh(time[1:], modes, ratio.T, **style)
        ax.set(
            xscale="log", yscale="log", xlabel="training time (steps)", ylabel="mode, by falling variance", title=name
        )
        ax.invert_yaxis()
    figure.colorbar(image, ax=axes, label="ln(generated variance / data variance)")
    return figure


def alignments(curves: dict[str, list[LearningCurve]]) -> Figure:
    """Alignment of the samples' covariance with the data's modes over training, every seed."""
    figure, ax = panels(width=5)
    for (name, several), colour in zip(curves.items(), CYCLE, strict=False):
        values = [curve.alignment.values[1:] for curve in several]
        seeds(ax, several[0].time.values[1:], values, colour, name)
    ax.set(xscale="log", xlabel="training time (steps)", ylabel="alignment with the data's modes", ylim=(0, 1.03))
    legend(ax)
    return figure


def _notes(options: Options) -> tuple[str, ...]:
    recipe = options.recipe
    return (
        f"{recipe.network}, {recipe.optimizer}, batches of {recipe.batch_size}, {recipe.steps:,} steps; images of more than "
        f"{options.most:,} coordinates are averaged over blocks of pixels, where a block divides them. Theirs on faces: "
        "MLP(width=3072, layers=8, frequencies=64), Adam(1e-4), batches of 256, 100,000 steps, 32×32 in colour, Heun 35. "
        "Exponents belong to data and network: theirs stand beside, not as a target.",
        "Level (e) has two named starts: (1, 0), random inner layers and a small last one, and (0.1, 0.1), both small. From "
        "the second a gain keeps its sign, so falling modes never come there. A level is compared where it times at least "
        f"{FEWEST} modes.",
    )
