"""Part: does score matching at small noise collapse onto the manifold; when; and what does it take."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..claims import Claim, bounded, factor, share
from ..figures import BLUE, DARK, GRAY, GREEN, ORANGE, PURPLE, VERMILION, legend, level, panels, seeds, ticks
from ..study import Part, Say
from .grids import Grid, collapse_clock, dataset, passages, risks_at, run_grid, values
from .manifolds import make_data
from .metrics import excess
from .runs import COMMON, SEED_OF_NOISE, SIGMAS, Run, large, need_common, small

PLAIN, CONTROL = "autoencoder", "isotropic"
NEAR = 1.5
"""Largest ρ over k that counts as collapsed."""

VARIANCE = 0.25
"""Of every direction of the isotropic data."""


@dataclass(frozen=True)
class Options:
    """`run`: what is common; `sigmas` of training at width k + 1; `widths` of the latent space at noise 0.1."""

    seeds: tuple[int, ...]
    run: Run
    sigmas: tuple[float, ...] = (0.05, 0.1, 0.2)
    widths: tuple[int, ...] = (2,)
    workers: int | None = None

    def __post_init__(self) -> None:
        need_common(self.sigmas)

    def settings(self) -> dict[str, Run]:
        """Every run by name."""
        found = {name_of(s): replace(self.run, sigma1=s) for s in self.sigmas}
        found |= {f"d = {d}": replace(self.run, d=d, generate=False) for d in self.widths}
        plain, control = replace(self.run, arm="ae"), replace(self.run, data="isotropic", generate=False)
        return found | {PLAIN: plain, CONTROL: control}


SEEDS = (0, 1, 2, 3, 4, 5)
PRESETS: dict[str, Options] = {
    "tiny": Options((0,), small(Run()), (COMMON,), (), workers=1),
    "cpu": Options(SEEDS, Run()),
    "paper": Options(SEEDS, large(Run())),
}


def name_of(sigma: float) -> str:
    """Name of the setting trained at a noise level."""
    return f"σ = {sigma:g}"


def claims(grid: Grid, options: Options) -> list[Claim]:
    """C1: level, clock and Jacobian; and what a narrow latent space does (ours)."""
    k, d = options.run.k, options.run.d
    ours, plain, control = (grid[name] for name in (name_of(COMMON), PLAIN, CONTROL))
    rho, over = values(ours, "rho"), values(plain, "rho")
    expected = d * VARIANCE / (VARIANCE + COMMON**2) + (options.run.D - d) * VARIANCE / COMMON**2
    controls = (
        factor("the autoencoder's ρ", over, above=NEAR * k),
        factor(
            "isotropic data's ρ over what no manifold gives", values(control, "rho") / expected, above=0.8, below=1.25
        ),
    )
    reached, missed = (passages(runs, collapse_clock(k, NEAR - 1)) for runs in (ours, plain))
    sv, flat = (np.array([one["jacobian"].values for one in runs]) for runs in (ours, control))
    gap, no_gap = (one[:, k] / one[:, k - 1] for one in (sv, flat))
    rows = [
        Claim(
            f"C1: at small noise the denoising map collapses onto the manifold (ρ at σ = {COMMON:g}, k = {k})",
            (factor("ρ", rho, below=NEAR * k), factor("ρ over the autoencoder's", rho / over, below=1 / 3)),
            controls,
        ),
        Claim(
            f"C1: the collapse is reached within the run in most seeds (ρ ≤ {NEAR:g} k twice in a row)",
            (share("seeds that reach it", int(reached.hit.sum()), len(reached), above=0.5),),
            (share("of the autoencoder", int(missed.hit.sum()), len(missed), below=0.5),),
            here=f"T_c {reached}",
        ),
        Claim(
            "C1: the Jacobian of the collapsed map is nearly a projection of rank k",
            (
                bounded("largest singular value", sv[:, 0], sv[:, 0], above=0.75, below=1.25),
                bounded(f"singular value {k}", sv[:, k - 1], sv[:, k - 1], above=0.6),
                bounded(f"singular value {k + 1} over {k}", gap, gap, below=0.5),
            ),
            (bounded("without a manifold no gap: the same ratio", no_gap, no_gap, above=0.5),),
        ),
    ]  # fmt: skip
    narrow = grid.get(f"d = {k}")
    if narrow:
        stuck, free = (int((values(runs, "rho") > NEAR * k).sum()) for runs in (narrow, ours))
        rows.append(
            Claim(
                "ours: a latent space as narrow as the manifold can get stuck (d = k)",
                (share(f"seeds that end with ρ > {NEAR:g} k", stuck, len(narrow), above=0),),
                (share("at d = k + 1", free, len(ours), below=0.5),),
                here=f"ρ {', '.join(f'{one:.1f}' for one in values(narrow, 'rho'))}",
            )
        )
    return rows


def table(grid: Grid, k: int) -> pd.DataFrame:
    """Medians over seeds, a setting a row."""
    rows: list[dict[str, Any]] = []
    for name, runs in grid.items():
        jacobian = np.median([one["jacobian"].values for one in runs], axis=0)
        rows.append(
            {
                "setting": name,
                "T_c": str(passages(runs, collapse_clock(k, NEAR - 1))),
                **{f"ρ at σ = {s:g}": np.median(risks_at(runs, s)) for s in SIGMAS},
                **{f"sv {i + 1}": jacobian[i] for i in range(k - 1, k + 1)},
                "clean error": np.median(values(runs, "clean")),
            }
        )
    return pd.DataFrame(rows)


def figure(grid: Grid, options: Options, floor: float) -> Figure:
    """ρ along training; ρ against the noise of evaluation; singular values of the Jacobian."""
    picture, (left, middle, right) = panels(3)
    tones = dict(zip(map(name_of, options.sigmas), (BLUE, GREEN, PURPLE, ORANGE), strict=False)) | {PLAIN: VERMILION}
    k, main = options.run.k, name_of(COMMON)
    for name in (main, PLAIN):
        seeds(left, grid[name][0]["collapse_step"] + 1, [one["risk"].values for one in grid[name]], tones[name], name)
    for name, colour in tones.items():
        seeds(middle, SIGMAS, [one["risk_at"].values for one in grid[name]], colour, name)
    shown = [grid[name][0].sizes["singular"] for name in grid]
    count = min(k + 3, *shown)
    for name, colour in ((main, tones[main]), (PLAIN, VERMILION), (CONTROL, GRAY)):
        spectra = [one["jacobian"].values[:count] for one in grid[name]]
        seeds(right, np.arange(1, count + 1), spectra, colour, name, marker="o", ms=3)
    for ax in (left, middle):
        level(ax, k, f"k = {k}", color=DARK, ls="--")
        ax.set(xscale="log", yscale="log", ylabel="denoising risk / σ²")
    level(left, floor, f"Bayes {floor:.2f}")
    level(left, NEAR * k, f"target of the clock, {NEAR:g} k", ls="-.")
    left.set(xlabel="training step + 1", ylabel=f"denoising risk / σ², σ = {COMMON:g}")
    middle.set(xlabel="noise of evaluation σ (legend: of training)")
    ticks(middle, SIGMAS)
    level(right, 1, "of a projection, up to k")
    right.axvline(k + 0.5, color=GRAY, ls=":", lw=1, label=f"k = {k}")
    right.set(xlabel="singular value", ylabel="Jacobian of the denoising map")
    right.set_xticks(range(1, count + 1))
    left.set_ylim(bottom=k / 20)  # room for the legend
    for ax, loc in ((left, "lower left"), (middle, "upper right"), (right, "upper right")):
        legend(ax, loc=loc)
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, judge, draw."""
    grid = run_grid(options.settings(), options.seeds, folder, say, options.workers)
    data = make_data(options.run.data, 300, 0, D=16, k=options.run.k)
    floor = excess(lambda x: x, data.x, COMMON, data, SEED_OF_NOISE)[1]
    notes = (
        f"ρ is E|D(x + σz) − x|²/σ² on held-out points; the Bayes denoiser's at σ = {COMMON:g} is {floor:.2f}. A minimum at "
        "an arm's own training noise is a matching effect: the table has the whole curve.",
        "A gap of the Jacobian alone is no evidence: that of a VAE has one too; ρ is.",
    )
    settings = table(grid, options.run.k)
    return Part(
        claims(grid, options),
        {"settings": settings},
        {"risk": figure(grid, options, floor)},
        dataset(grid),
        notes,
        ("settings",),
    )
