"""Part: whether the samples that a denoiser needs depend on the intrinsic dimension, and on the ambient one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.figure import Figure

from eigenclock.checks import InputError
from eigenclock.clocks.replicates import LogRatio
from ..claims import Claim, Measure, bounded, factor, in_words, ratio
from ..figures import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, legend, panels, seeds, ticks
from ..study import Part, Say
from .grids import Grid, dataset, run_grid, values
from .runs import Run, excess_case, large, small
from .shifts import shift, slopes

SAME = 2.0
"""Factor in n within which curves count as one; D itself grows sixteenfold."""

SLOPES = 0.25
"""Most that slopes may differ."""

LATENT, AMBIENT = "latent", "ambient"
WIDE = "torus of the smallest k, latent width of the largest"


@dataclass(frozen=True)
class Options:
    """`sizes` D crossed with `n` samples, at k = 2; of the ambient arm only the ends of D, at `ambient_n`.

    `tori`: intrinsic dimensions of flat tori in latent spaces of 2k, at `tori_n` samples, the first of which is judged; the
    first torus also in the latent space of the last.
    """

    seeds: tuple[int, ...]
    run: Run
    sizes: tuple[int, ...] = (16, 64, 256)
    n: tuple[int, ...] = (125, 250, 500, 1000, 2000)
    ambient_n: tuple[int, ...] = (125, 2000)
    tori: tuple[int, ...] = (1, 2, 3)
    tori_n: tuple[int, ...] = (250, 2000)
    workers: int | None = None

    @property
    def ends(self) -> tuple[int, int]:
        """Smallest and largest D."""
        return self.sizes[0], self.sizes[-1]

    def __post_init__(self) -> None:
        for name in ("sizes", "n", "ambient_n", "tori"):
            if len(getattr(self, name)) < 2:
                raise InputError(f"{name} must be two numbers or more, got {getattr(self, name)}")
        if not self.tori_n:
            raise InputError("tori_n must be a number of samples or more, got none")

    def settings(self) -> dict[str, Run]:
        """Every run by name."""
        found = {name_of(LATENT, D, n): replace(self.run, D=D, n=n) for D in self.sizes for n in self.n}
        ambient = replace(self.run, arm="ambient")
        found |= {name_of(AMBIENT, D, n): replace(ambient, D=D, n=n) for D in self.ends for n in self.ambient_n}
        torus = replace(self.run, data="torus")
        found |= {torus_of(k, n): replace(torus, k=k, d=2 * k, n=n) for k in self.tori for n in self.tori_n}
        return found | {WIDE: replace(torus, k=self.tori[0], d=2 * self.tori[-1], n=self.tori_n[0])}


FEW = replace(Run(), generate=False, steps=(2000, 1), samples=1200, lr=5e-3, evals=2)
"""Twice as many samples do not pay before training has converged: a higher rate, which falls to 0."""

PRESETS: dict[str, Options] = {
    "tiny": Options((0,), replace(small(FEW), evals=2), (16, 24), (64, 128), (64, 128), (1, 2), (64,), workers=1),
    "cpu": Options((0, 1, 2, 3, 4), FEW),
    "paper": Options(
        tuple(range(8)), replace(large(FEW), lr=1e-3), (16, 64, 256, 1024), n=(125, 250, 500, 1000, 2000, 4000, 8000)
    ),
}


def name_of(arm: str, D: int, n: int) -> str:
    """Name of a setting on the surface."""
    return f"{arm}, D = {D}, n = {n}"


def torus_of(k: int, n: int) -> str:
    """Name of a setting on a torus."""
    return f"torus, k = {k}, n = {n}"


def curves(grid: Grid, arm: str, sizes: Sequence[int], n: Sequence[int]) -> Float[np.ndarray, "seed curve size"]:
    """Excess over the Bayes denoiser: a curve over n for every D, per seed."""
    found = np.array([[values(grid[name_of(arm, D, one)], "excess") for one in n] for D in sizes])
    return np.moveaxis(found, 2, 0)


def shifts(grid: Grid, arm: str, sizes: tuple[int, int], n: Sequence[int]) -> LogRatio:
    """ln of the factor in samples from the smaller to the larger D, per seed, as bounds where curves do not overlap."""
    found = [shift(np.array(n, dtype=float), one) for one in curves(grid, arm, sizes, n)]
    return LogRatio(np.array([one.low for one in found]), np.array([one.high for one in found]))


def ambient_claims(grid: Grid, options: Options) -> list[Claim]:
    """C4, the ambient side: the curves of different D against each other, beside those of a network without a latent space."""
    low, high = options.ends
    n = np.array(options.n, dtype=float)
    falls = np.array([slopes(n, one) for one in curves(grid, LATENT, options.ends, options.n)])
    latent, most = shifts(grid, LATENT, options.ends, options.n), options.ambient_n[-1]
    without = [values(grid[name_of(AMBIENT, D, most)], "excess") for D in (high, low)]
    seen = factor(f"excess without a latent space, over that at D = {low}, n = {most}", np.divide(*without), above=SAME)
    falling = [bounded(f"slope at D = {D}", falls[:, i], falls[:, i], above=0) for i, D in enumerate(options.ends)]
    named, controls = f"D = {high} against {low}, k = {options.run.k}", (seen, *falling)
    number, apart = "factor in n", falls[:, 1] - falls[:, 0]
    return [
        Claim(f"C4: a larger ambient dimension needs no more samples ({named})", (ratio(number, latent, below=SAME),), controls),
        Claim(f"C4: nor does it need fewer ({named})", (ratio(number, latent, above=1 / SAME),), controls),
        Claim(
            f"C4: error falls with samples at the same rate whatever the ambient dimension ({named})",
            (bounded("difference of slopes", apart, apart, above=-SLOPES, below=SLOPES),),
            tuple(falling),
        ),
    ]  # fmt: skip


def intrinsic_claims(grid: Grid, options: Options) -> list[Claim]:
    """C4, the intrinsic side: excess for each intrinsic dimension, on tori of one curvature, at equal n."""
    n, last, rows = options.tori_n[0], options.tori_n[-1], []
    each = {k: values(grid[torus_of(k, n)], "excess") / k for k in options.tori}
    more = {k: values(grid[torus_of(k, last)], "excess") / k for k in options.tori}
    least, d = options.tori[0], 2 * options.tori[-1]
    wide = values(grid[WIDE], "excess") / least
    for fewer, k in pairwise(options.tori):
        width = factor(f"over that of k = {least} in a latent space of {d}", each[k] / wide, above=1)
        helped: tuple[Measure, ...] = ()
        if last > n:
            helped = (factor(f"samples matter: at n = {last} over n = {n}, k = {k}", more[k] / each[k], below=1),)
        rows.append(
            Claim(
                f"C4: the intrinsic dimension hurts (tori of one curvature in 2k dimensions, k = {k} against {fewer}, n = {n})",
                (factor("excess per intrinsic dimension", each[k] / each[fewer], above=1),),
                helped,
                (width,),
            )
        )
    return rows


def cells(grid: Grid, options: Options) -> pd.DataFrame:
    """Excess and Bayes risk, a setting a row: geometric means over seeds with their intervals."""
    settings = options.settings()
    return pd.DataFrame(
        [
            {
                "setting": name,
                "excess over Bayes / σ²": in_words(factor("", values(runs, "excess")).found),
                "per intrinsic dimension": in_words(factor("", values(runs, "excess") / settings[name].k).found),
                "Bayes risk / σ²": values(runs, "bayes").mean(),
            }
            for name, runs in grid.items()
        ]
    )


def figure(grid: Grid, options: Options) -> Figure:
    """Excess against samples, for every D with a latent space and without, and for every k."""
    picture, (left, right) = panels(2, width=4.4)
    for D, colour in zip(options.sizes, (SKY, GREEN, BLUE, PURPLE), strict=False):
        seeds(left, options.n, curves(grid, LATENT, (D,), options.n)[:, 0], colour, f"D = {D}", marker="o", ms=3)
    for D, colour in zip(options.ends, (ORANGE, VERMILION), strict=True):
        found = curves(grid, AMBIENT, (D,), options.ambient_n)[:, 0]
        seeds(left, options.ambient_n, found, colour, f"D = {D}, no latent space", ls="--", marker="s", ms=3)
    for k, colour in zip(options.tori, (SKY, GREEN, BLUE), strict=False):
        found = np.array([values(grid[torus_of(k, n)], "excess") / k for n in options.tori_n]).T
        seeds(right, options.tori_n, found, colour, f"torus, k = {k}", marker="o", ms=3)
    for ax, n in ((left, options.n), (right, options.tori_n)):
        ax.set(xscale="log", yscale="log", xlabel="training samples n")
        ticks(ax, n)
        legend(ax)
    left.set_ylabel("excess over Bayes, E|D − D*|² / σ²")
    right.set_ylabel("the same per intrinsic dimension")
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, judge, draw."""
    grid = run_grid(options.settings(), options.seeds, folder, say, options.workers, of=excess_case, under="excess")
    sigma = options.run.sigma1
    notes = (
        f"Excess: E|D − D*|²/σ² at the training noise σ = {sigma:g} on held-out points, D* the exact Bayes denoiser: ρ less its "
        "Bayes value, 0 for a perfect denoiser. No floor hides the samples' share.",
        "Factor in n: ln excess = a_D − s ln n with one slope s for all D, per seed; exp of the difference of a over s. Curves "
        "that do not overlap within the measured n give a bound. Without a latent space the excess at large D is one of "
        "training steps and width too: the control shows that D can be seen, not how many samples would do.",
        "Tori are flat, of one curvature in every direction; the 2k dimensions that they lie in grow with k. That the latent "
        "width grows too is held against a wide one at the smallest k.",
    )
    return Part(
        ambient_claims(grid, options) + intrinsic_claims(grid, options),
        {"cells": cells(grid, options)},
        {"excess": figure(grid, options)},
        dataset(grid),
        notes,
        ("cells",),
    )
