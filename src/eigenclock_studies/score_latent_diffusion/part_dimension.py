"""Part: error follows the intrinsic dimension, not the ambient one."""

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from eigenclock.clocks.replicates import student_interval
from ..claims import row, verdict
from ..study import Part, Say
from .comparison import paired, values
from .grids import Grid, run_grid
from .part_collapse import small
from .runs import Run

BOUNDS = {"off": 2.0, "sw2": 1.5, "rho": 1.3}
AMBIENT = 3.0
"""Least growth of the ambient arm's off-manifold error, at equal steps."""

WORDS = {"off": "off-manifold rms", "sw2": "sliced W₂", "rho": "ρ"}


@dataclass(frozen=True)
class Options:
    """`ambient`: sizes D; `intrinsic`: sizes k, at `run_intrinsic`; `n`: samples; `longer`: the converged ambient arm."""

    seeds: tuple[int, ...]
    run: Run
    run_intrinsic: Run
    ambient: tuple[int, ...] = (16, 64, 256)
    intrinsic: tuple[int, ...] = (1, 2, 4)
    n: tuple[int, ...] = (250, 1000, 4000)
    longer: int = 3
    workers: int | None = None

    def settings(self) -> dict[str, Run]:
        """Every run by name."""
        found = {}
        for size in self.ambient:
            found[f"SiLD, D = {size}"] = replace(self.run, D=size)
            found[f"ambient, D = {size}"] = replace(self.run, D=size, arm="ambient")
        for size in (self.ambient[0], self.ambient[-1]) if self.longer > 1 else ():
            found[f"ambient ×{self.longer}, D = {size}"] = replace(self.run, D=size, arm="ambient", longer=self.longer)
        names = {1: "wave1", 2: "wave2k", 4: "wave4"}
        for k in self.intrinsic:
            for n in self.n:
                found[f"k = {k}, n = {n}"] = replace(self.run_intrinsic, data=names[k], k=k, d=k + 1, n=n)
        return found


PRESETS = {
    "tiny": Options(
        (0,),
        replace(small(Run()), data="wave1", k=1, d=2),
        replace(small(Run()), D=20),
        (16, 24),
        (1,),
        (128, 256),
        1,
        workers=1,
    ),
    "cpu": Options((0, 1, 2, 3, 4), Run(), replace(Run(), D=32, steps=(1000, 1000))),
    "paper": Options(
        (0, 1, 2, 3, 4),
        replace(Run(), n=20_000, width=512, steps=(50_000, 50_000), batch=256),
        replace(Run(), D=128, width=512, steps=(50_000, 50_000), batch=256),
        (16, 64, 256, 1024),
        n=(250, 1000, 4000, 16_000),
    ),
}


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, judge, draw."""
    grid = run_grid(options.settings(), options.seeds, folder, say, options.workers)
    low, high = options.ambient[0], options.ambient[-1]
    enough = len(options.seeds) >= 5
    growth = {
        metric: paired(values(grid[f"SiLD, D = {high}"], metric), values(grid[f"SiLD, D = {low}"], metric))
        for metric in BOUNDS
    }
    wide = paired(values(grid[f"ambient, D = {high}"], "off"), values(grid[f"ambient, D = {low}"], "off"))
    control = f"ambient diffusion, off-manifold: {wide}"
    if options.longer > 1:
        longer = f"ambient ×{options.longer}"
        converged = paired(values(grid[f"{longer}, D = {high}"], "off"), values(grid[f"{longer}, D = {low}"], "off"))
        control += f"; with {options.longer} times the steps: {converged}"
    rows = [
        row(
            "C4: the ambient dimension enters weakly",
            f"D = {high} over D = {low}: " + "; ".join(f"{WORDS[name]} {found}" for name, found in growth.items()),
            f"{len(options.seeds)} seeds; bounds {', '.join(f'{WORDS[name]} {bound:g}' for name, bound in BOUNDS.items())}; "
            f"two draws of the truth are {np.median(values(grid[f'SiLD, D = {low}'], 'sw2_floor')):.3f} apart",
            control,
            verdict(
                *(bool(np.exp(found.ratio.value) <= BOUNDS[name]) for name, found in growth.items()),
                control=bool(np.exp(wide.ratio.value) >= AMBIENT),
                enough=enough,
            ),
        )
    ]
    slopes = slope_table(grid, options)
    n = options.n[len(options.n) // 2]
    risen = [values(grid[f"k = {k}, n = {n}"], "sw2") for k in options.intrinsic]
    if len(risen) > 1:
        steps = [paired(b, a) for a, b in pairwise(risen)]
        rows.append(
            row(
                "C4: the intrinsic dimension hurts",
                f"sliced W₂ at n = {n}: "
                + "; ".join(
                    f"k = {k}: {np.median(found):.3f}" for k, found in zip(options.intrinsic, risen, strict=True)
                ),
                "from one k to the next: " + "; ".join(str(step) for step in steps),
                "slope of ln sliced W₂ in ln n: "
                + "; ".join(f"k = {one.k}: {one.slope}" for one in slopes.itertuples()),
                verdict(
                    *(True if step.ratio.low > 0 else False if step.ratio.high < 0 else None for step in steps),
                    enough=enough,
                ),
            )
        )
    cells = pd.DataFrame(
        [
            {"setting": name, **{words: float(np.median(values(runs, metric))) for metric, words in WORDS.items()}}
            for name, runs in grid.runs.items()
        ]
    )
    return Part(
        rows,
        {"cells": cells, "slopes": slopes},
        {"errors": _figure(grid, options)},
        grid.dataset(),
        (
            "The first layer and the Monte-Carlo noise still see D: weakly, not free of it.",
            "Surfaces of different k differ in more than k.",
        ),
        ("cells",),
    )


def slope_table(grid: Grid, options: Options) -> pd.DataFrame:
    """Slope of ln sliced W₂ in ln n, per seed, with Student's interval over seeds."""
    rows = []
    for k in options.intrinsic:
        errors = np.array([values(grid[f"k = {k}, n = {n}"], "sw2") for n in options.n])
        slopes = np.polyfit(np.log(options.n), np.log(errors), 1)[0]
        rows.append({"k": k, "slope": str(student_interval(slopes))})
    return pd.DataFrame(rows)


def _figure(grid: Grid, options: Options) -> Figure:
    picture = Figure(figsize=(10.5, 3.7), layout="constrained")
    left, right = picture.subplots(1, 2)
    for arm, colour in (("SiLD", "#009E73"), ("ambient", "#D55E00")):
        found = [values(grid[f"{arm}, D = {size}"], "off") for size in options.ambient]
        for size, several in zip(options.ambient, found, strict=True):
            left.plot(np.full(several.size, size), several, "o", color=colour, ms=4, alpha=0.6)
        left.plot(options.ambient, [np.median(one) for one in found], color=colour, label=arm)
    longer = [size for size in options.ambient if f"ambient ×{options.longer}, D = {size}" in grid.runs]
    if longer:
        found = [np.median(values(grid[f"ambient ×{options.longer}, D = {size}"], "off")) for size in longer]
        left.plot(longer, found, "s--", color="#CC79A7", ms=5, label=f"ambient, {options.longer} times the steps")
    left.set(xscale="log", yscale="log", xlabel="ambient dimension D", ylabel="off-manifold rms of samples")
    left.set_xticks(options.ambient, [str(size) for size in options.ambient])
    left.minorticks_off()
    left.legend(frameon=False, fontsize=8)
    for k, colour in zip(options.intrinsic, ("#0072B2", "#009E73", "#D55E00"), strict=False):
        found = [values(grid[f"k = {k}, n = {n}"], "sw2") for n in options.n]
        for n, several in zip(options.n, found, strict=True):
            right.plot(np.full(several.size, n), several, "o", color=colour, ms=4, alpha=0.6)
        right.plot(options.n, [np.median(one) for one in found], color=colour, label=f"k = {k}")
    right.set(xscale="log", yscale="log", xlabel="training samples n", ylabel="sliced W₂ of samples")
    right.set_xticks(options.n, [str(n) for n in options.n])
    right.minorticks_off()
    right.legend(frameon=False, fontsize=8)
    return picture
