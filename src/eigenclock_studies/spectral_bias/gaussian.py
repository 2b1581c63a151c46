"""Gaussian data of log-normal spectrum under the authors' settings: exponents of emergence against variance, theirs and ours."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes

from eigenclock.clocks.emergence import Direction, Emergence, Threshold
from eigenclock.comparison.forecast_check import check_forecasts
from eigenclock.comparison.levels import compare_levels
from eigenclock.spectrum.spectrum import Spectrum
from eigenclock.training.network_options import MLP, Network, NormedMLP
from eigenclock.training.optimizers import Adam
from ..claims import in_words
from ..figures import BLUE, VERMILION, legend, panels
from ..networks import Case, Recipe, Run, losses, place_of, runs_of, train_runs
from ..study import Part, Say
from .authors import GAUSSIAN, RECORDS, log_normal_variance, read_clocks
from .claims import law_claims, level_claims, order_claim
from .laws import DIRECTIONS, Law, level_table, repetition

THRESHOLDS: tuple[Threshold, Threshold] = ("geometric", "harmonic")

MARKS: dict[Direction, tuple[str, str]] = {"rising": (VERMILION, "^"), "falling": (BLUE, "v")}
"""Colour and marker of each direction."""

RISING: Direction = "rising"

CHAIN = "MLP"
"""The authors' network in the tables."""


@dataclass(frozen=True)
class Gaussian:
    """Samples of a Gaussian with the authors' kind of spectrum in a random orthonormal basis; the same for every run."""

    d: int
    n: int

    def load(self) -> tuple[Float[np.ndarray, "n d"], Spectrum]:
        """Samples and their PCA spectrum."""
        rng = np.random.default_rng([1, self.d])
        basis, _ = np.linalg.qr(rng.standard_normal((self.d, self.d)))
        scale = np.sqrt(log_normal_variance(self.d))
        samples = ((rng.standard_normal((self.n, self.d)) * scale) @ basis.T).astype(np.float32)
        return samples, Spectrum.from_samples(samples)


@dataclass(frozen=True)
class Options:
    """Dimensions, seeds and training; `control`: another network, or none, on the first dimension with the first seed,
    half as long.
    """

    dimensions: tuple[int, ...]
    seeds: tuple[int, ...]
    recipe: Recipe
    samples: int = 10_000
    control: Network | None = NormedMLP(256, 5)  # noqa: RUF009 (a frozen dataclass)
    workers: int | None = None


def _recipe(steps: int, **more: Any) -> Recipe:
    """The authors' settings."""
    return Recipe(
        **{"network": MLP(256, 5), "batch_size": 1024, "optimizer": Adam(1e-4), "gain_levels": 0, **more},
        steps=steps,
        replacement=True,
        records=RECORDS,
    )


PRESETS = {
    "tiny": Options(
        (24,),
        (0,),
        _recipe(40, network=MLP(32, 2), batch_size=64, optimizer=Adam(3e-3), probe_samples=32),
        400,
        None,
        workers=1,
    ),
    "cpu": Options((128, 256), (0, 1), _recipe(1200), control=None),
    "paper": Options((128, 256, 512), (0, 1, 2), _recipe(5000, probe_samples=2048)),
}


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, and set exponents and levels side by side."""
    recipe, first = options.recipe, options.dimensions[0]
    cases = [Case(f"gaussian_{d}", Gaussian(d, options.samples), recipe) for d in options.dimensions]
    runs = runs_of(cases, options.seeds)
    if options.control is not None:
        shorter = replace(recipe, network=options.control, steps=recipe.steps // 2)
        runs.append(Run(Case(f"gaussian_{first}_control", cases[0].source, shorter), options.seeds[0]))
    found = train_runs(folder, runs, workers=options.workers, say=say)
    laws, levels, forecasts, claims = [], [], [], []
    figure, axes = panels(len(cases), width=4.6, height=4.2)
    if options.control is not None:
        normed = [read_clocks(found[runs[-1].case.name, runs[-1].seed][""])]
        laws += [_law_row(Law.of(normed, direction), first, "NormedMLP", "geometric") for direction in DIRECTIONS]
    for ax, case, d in zip(np.atleast_1d(axes), cases, options.dimensions, strict=True):
        curves = [found[case.name, seed][""] for seed in options.seeds]
        read = {threshold: [read_clocks(curve, threshold) for curve in curves] for threshold in THRESHOLDS}
        known = {(direction, t): Law.of(read[t], direction) for t in THRESHOLDS for direction in DIRECTIONS}
        laws += [_law_row(law, d, CHAIN, str(threshold)) for (_, threshold), law in known.items()]
        ours = [Law.of([curve.emergence() for curve in curves], direction) for direction in DIRECTIONS]
        laws += [_law_row(law, d, CHAIN, "geometric, interpolated") for law in ours]
        compared = [compare_levels(c, objective=recipe.objective, sampler=recipe.sampler) for c in curves]
        repeated = repetition([curve.emergence() for curve in curves])
        for seed, curve, one in zip(options.seeds, curves, compared, strict=True):
            levels.append(level_table(one, repeated, d=d, seed=seed))
            check = check_forecasts(one.before, curve, loss=losses(place_of(folder, Run(case, seed))))
            forecasts += [{"d": d, "seed": seed, **row} for row in check.to_dict("records")]
        _draw(ax, d, read["geometric"], known, options.seeds)
        what = f"Gaussian d = {d}"
        for direction, own in zip(DIRECTIONS, ours, strict=True):
            law, harmonic = known[direction, "geometric"], known[direction, "harmonic"]
            beside = f"harmonic threshold {in_words(harmonic.alpha.estimate)}; interpolated, own start "
            beside += in_words(own.alpha.estimate)
            claims += law_claims(what, law, GAUSSIAN.get((d, direction)), beside)
        claims.append(order_claim(what, known[RISING, "geometric"]))
        claims += [one for part in (None, RISING) for one in level_claims(what, compared, repeated, part)]
    tables = {"laws": pd.DataFrame(laws), "levels": pd.concat(levels), "forecasts": pd.DataFrame(forecasts)}
    return Part(claims, tables, {"emergence": figure}, notes=_notes(options), shown=("laws", "levels"))


def _law_row(law: Law, d: int, network: str, threshold: str) -> dict[str, Any]:
    theirs = GAUSSIAN.get((d, law.direction)) if network == CHAIN and threshold == "geometric" else None
    published = {"theirs": "–" if theirs is None else str(theirs)}
    return {"d": d, "network": network, "threshold": threshold} | published | law.row()


def _draw(
    ax: Axes, d: int, tables: list[Emergence], known: dict[tuple[Direction, Threshold], Law], seeds: tuple[int, ...]
) -> None:
    """Steps against variance of every seed, the law here, and the published one."""
    for direction, (colour, mark) in MARKS.items():
        law, theirs = known[direction, "geometric"], GAUSSIAN.get((d, direction))
        for seed, table in zip(seeds, tables, strict=True):
            use = table.select(law.direction)
            ax.loglog(
                table.target[use], table.time[use], mark, color=colour, ms=3, mew=0, alpha=0.45,
                label=f"{direction}, {len(seeds)} seeds" if seed == seeds[0] else None,
            )  # fmt: skip
        ends = _ends(tables, law.direction)
        if ends is None:
            continue
        alpha = law.alpha.estimate
        if not np.isnan(alpha.value):
            label = f"here {law.factor:.0f} λ^−{alpha.value:.2f}"
            ax.loglog(ends, law.factor * ends**-alpha.value, "-", color=colour, lw=1.8, label=label)
        if theirs is not None and theirs.factor is not None:
            label = f"theirs {theirs.factor:.0f} λ^−{theirs.alpha:.2f}"
            ax.loglog(ends, theirs.factor * ends**-theirs.alpha, "--", color="0.25", lw=1.4, label=label)
    for table in tables[:1]:
        gray = table.target[table.gray_zone]
        if gray.size:
            ax.axvspan(gray.min(), gray.max(), color="0.92", zorder=0)
    ax.set(title=f"d = {d}", xlabel="data variance λ of the mode", ylabel="emergence time (steps)")
    legend(ax, fontsize=7)


def _ends(tables: list[Emergence], direction: Direction) -> Float[np.ndarray, " two"] | None:
    found = np.concatenate([table.target[table.select(direction)] for table in tables])
    return np.array([found.min(), found.max()]) if found.size else None


def _notes(options: Options) -> tuple[str, ...]:
    recipe = options.recipe
    return (
        "Settings as the authors' notebook has them: spectrum exp(N(0, 1)) divided by its mean, "
        f"{options.samples:,} points, {recipe.network}, {recipe.optimizer}, batches of {recipe.batch_size:,} drawn with "
        f"replacement, Heun 20, their records up to step {recipe.steps:,}. Clocks read as they read them: first record "
        "beyond the threshold, variances smoothed over one record, gray zone about the mean starting variance. Theirs "
        "is one run with "
        f"10,000 fresh samples a record, ours {recipe.probe_samples} samples of balanced noise.",
        "Each dimension has one spectrum, theirs another draw: exponents move with the draw. Gray band: the gray zone.",
    )
