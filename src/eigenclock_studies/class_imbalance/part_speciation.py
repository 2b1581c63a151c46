"""Part: speciation. When minorities part from the majority in backward diffusion: by the exact score, no learning in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from eigenclock.clocks.replicates import Estimate, student_interval
from ..claims import Claim, Measure
from ..figures import BLUE, GREEN, VERMILION, legend, level, panels
from ..study import Part, Say
from .speciation import normalised_returns, return_probability, speciation_rule, speciation_time

TIMES = np.arange(0.05, 6.3, 0.1)
SEEDS = 5
STRONG = (0.949, 0.05, 0.001)
BALANCED = (1 / 3, 1 / 3, 1 / 3)
OTHERS = ((0.9, 0.09, 0.01), (0.6, 0.3, 0.1))
LATER, SAME = 0.1, 0.02
"""Least difference of times that counts as later, and most that counts as none."""


@dataclass(frozen=True)
class Options:
    """Three orthogonal classes of norm² = d and unit variance, in several proportions; `pairs`: antithetic draws."""

    dimensions: tuple[int, ...]
    pairs: int
    others: tuple[tuple[float, ...], ...] = OTHERS

    @property
    def cases(self) -> tuple[tuple[float, ...], ...]:
        """Every set of proportions, those of the claims first."""
        return BALANCED, STRONG, *self.others


PRESETS = {
    "tiny": Options((16,), 100, ()),
    "cpu": Options((64, 256), 3000),
    "paper": Options((64, 256, 1024), 20_000),
}


def centroids(d: int, k: int = 3) -> Any:
    """Orthogonal, of squared norm d."""
    return np.sqrt(d) * np.eye(k, d)


def measure(options: Options) -> xr.Dataset:
    """Normalised return probability and speciation times: dims d, case, seed, class, t."""
    shape = (len(options.dimensions), len(options.cases), SEEDS, 3)
    returns, times = np.empty((*shape, TIMES.size)), np.empty(shape)
    for a, d in enumerate(options.dimensions):
        for b, pi in enumerate(options.cases):
            for seed in range(SEEDS):
                found = return_probability(pi, centroids(d), np.ones(3), TIMES, pairs=options.pairs, seed=seed)
                r = normalised_returns(found, pi)
                returns[a, b, seed] = r.T
                times[a, b, seed] = [speciation_time(TIMES, r[:, k]) for k in range(3)]
    names = [str(tuple(round(p, 3) for p in pi)) for pi in options.cases]
    dims = ("d", "pi_case", "seed", "class")
    return xr.Dataset(
        {"return_prob": ((*dims, "t"), returns), "speciation": (dims, times)},
        coords={"d": list(options.dimensions), "pi_case": names, "t": TIMES},
    )


def over_seeds(dataset: xr.Dataset, d: int, case: int, k: int) -> Estimate:
    """Speciation time of a class over Monte-Carlo seeds."""
    return student_interval(dataset["speciation"].sel(d=d).isel({"pi_case": case, "class": k}).values)


def claims(dataset: xr.Dataset, options: Options) -> list[Claim]:
    """C5 as a property of the law of the data, each minority against the majority."""
    rows, strong = [], options.cases.index(STRONG)
    for d in options.dimensions:
        times = dataset["speciation"].sel(d=d)
        equal, found = (times.isel({"pi_case": case}).transpose("seed", "class").values for case in (0, strong))
        control = Measure("equal shares, largest difference", student_interval(np.ptp(equal, axis=1)), below=SAME)
        for k, share in enumerate(STRONG[1:], 1):
            rule = speciation_rule(share, STRONG[0], 2 * d)
            rows.append(
                Claim(
                    f"C5 (exact score): a minority of share {share:g} parts later than the majority of {STRONG[0]:g}, d = {d}",
                    (
                        Measure(
                            "t_S of the majority less its own", student_interval(found[:, 0] - found[:, k]), above=LATER
                        ),
                    ),
                    (control,),
                    here=f"t_S {found[:, k].mean():.2f} (rule of thumb {rule:.2f})",
                )
            )
    return rows


def figure(dataset: xr.Dataset, options: Options) -> Figure:
    """Return probability of every class against time, balanced and strongly imbalanced, at every dimension."""
    many = options.dimensions
    picture, axes = panels(2, len(many), height=3, share="xy")
    for line, d in zip(np.atleast_2d(axes), many, strict=True):
        for ax, case in zip(line, (0, options.cases.index(STRONG)), strict=True):
            for k, (colour, style) in enumerate(zip((BLUE, GREEN, VERMILION), ("-", (0, (4, 3)), "-"), strict=True)):
                curve = dataset["return_prob"].sel(d=d).isel({"pi_case": case, "seed": 0, "class": k})
                label = f"share {options.cases[case][k]:.3g}: t_S = {over_seeds(dataset, d, case, k).value:.2f}"
                ax.plot(TIMES, curve, color=colour, lw=(3.2, 1.8, 1.8)[k], ls=style, label=label)
            level(ax, 0.5)
            ax.set(title=f"d = {d}", xlim=(0, 4.5))
            legend(ax)
        line[0].set_ylabel("normalised return probability")
    for ax in np.atleast_2d(axes)[-1]:
        ax.set_xlabel("time t of the forward process")
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Compute and compare."""
    del folder
    say("return probabilities of the exact score")
    dataset = measure(options)
    times = dataset["speciation"].mean("seed").to_dataframe().reset_index()
    notes = (
        "A statement about the law of the data, with the exact score: nothing is learned here; the next part is on training.",
    )
    return Part(claims(dataset, options), {"times": times}, {"returns": figure(dataset, options)}, dataset, notes)
