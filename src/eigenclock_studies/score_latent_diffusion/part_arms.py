"""Part: score matching against its rivals on the same networks, each family at its best setting by validation."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from eigenclock.checks import InputError
from eigenclock.clocks.passage import Passages
from eigenclock.clocks.replicates import LogRatio
from eigenclock.latents.refine import refine_passage
from ..claims import Claim, Measure, factor, in_words, ratio, share
from ..figures import BLUE, DARK, GREEN, LIGHT, VERMILION, key, legend, level, panels
from ..study import Part, Say
from .grids import Grid, collapse_clock, dataset, passages, risks_at, run_grid, values
from .part_collapse import NEAR, PLAIN, SEEDS
from .runs import COMMON, Run, large, need_common, small

METRICS = {"sw2": "sliced W₂ of samples", "off": "off-manifold rms", "clean": "clean error"}
JUDGED, LOWEST = (0.05, 0.1, 0.2), 0.02
"""Noise levels of evaluation, and one far below that of training."""

EQUAL = 1.1
"""Most that a sliced W₂ may exceed another's and still match it."""

LONG = "SiLD, longer"
COLOURS = {"SiLD": GREEN, "VAE": BLUE, PLAIN: VERMILION}


@dataclass(frozen=True)
class Options:
    """`sigmas` of SiLD and `betas` of the VAE, each chosen on validation; `longer`: times the second stage, for its clock."""

    seeds: tuple[int, ...]
    run: Run
    sigmas: tuple[float, ...] = (0.02, 0.03, 0.05, 0.1)
    betas: tuple[float, ...] = (1e-4, 1e-3, 1e-2, 1e-1)
    longer: int = 3
    workers: int | None = None

    def __post_init__(self) -> None:
        need_common(self.sigmas)
        if not self.betas:
            raise InputError("betas must be a weight or more, got none")

    def families(self) -> dict[str, dict[str, Run]]:
        """Settings of both families by name."""
        sild = {f"SiLD {s:g}": replace(self.run, sigma1=s) for s in self.sigmas}
        return {"SiLD": sild, "VAE": {f"VAE {b:g}": replace(self.run, arm="vae", beta=b) for b in self.betas}}

    def settings(self) -> dict[str, Run]:
        """Every run by name."""
        found = {name: one for family in self.families().values() for name, one in family.items()}
        steps = (self.run.steps[0], self.longer * self.run.steps[1])
        return found | {PLAIN: replace(self.run, arm="ae"), LONG: replace(self.run, steps=steps)}


PRESETS: dict[str, Options] = {
    "tiny": Options((0,), small(Run()), (COMMON,), (1e-2,), longer=1, workers=1),
    "cpu": Options(SEEDS, Run()),
    "paper": Options(SEEDS, large(Run()), betas=(1e-4, 1e-3, 1e-2, 1e-1, 1.0)),
}


def chosen(grid: Grid, family: dict[str, Run]) -> str:
    """The setting of a family that generates best on the validation samples, by its mean over seeds; none with a bad run."""
    return min(family, key=lambda name: float(np.nan_to_num(values(grid[name], "sw2_val"), nan=np.inf).mean()))


def choice_claims(grid: Grid, options: Options) -> list[Claim]:
    """C5: the chosen SiLD against the chosen VAE, a claim per metric."""
    ours, theirs = (chosen(grid, family) for family in options.families().values())
    named = f"{ours} against {theirs}, both chosen on validation"
    bayes = in_words(factor("", values(grid[ours], "clean_bayes")).found)
    own = in_words(factor("", values(grid[ours], "rho_own")).found)
    plain = {metric: values(grid[ours], metric) / values(grid[PLAIN], metric) for metric in ("sw2", "clean")}
    rows = []
    for words, metric, below, beside in (
        ("generates at least as well", "sw2", EQUAL, f"two draws of the truth {values(grid[ours], 'sw2_real').mean():.3f}"),
        ("generates nearer to the manifold", "off", 1.0, f"ρ of {ours} at its own noise {own}"),
        ("reconstructs better", "clean", 1.0, f"clean error of the Bayes denoiser at this noise {bayes}"),
    ):  # fmt: skip
        if metric in plain:
            beside = f"over the autoencoder {in_words(factor('', plain[metric]).found)}; {beside}"
        over = factor(
            f"{METRICS[metric]}, ratio", values(grid[ours], metric) / values(grid[theirs], metric), below=below
        )
        rows.append(Claim(f"C5: SiLD {words} ({named})", (over,), beside=beside))
    return rows


def noise_claims(grid: Grid, options: Options) -> list[Claim]:
    """C3: what makes the collapse, a term for the latent distribution or noise; judged away from the training noise too."""
    ours, sweep = grid[f"SiLD {COMMON:g}"], [grid[name] for name in options.families()["VAE"]]

    def over(one: list[xr.Dataset], others: list[list[xr.Dataset]], sigma: float) -> np.ndarray:
        return risks_at(one, sigma) / np.min([risks_at(other, sigma) for other in others], axis=0)

    def ratios(name: str, one: list[xr.Dataset], others: list[list[xr.Dataset]], *at: float) -> tuple[Measure, ...]:
        return tuple(factor(f"{name} (σ = {sigma:g})", over(one, others, sigma), below=1) for sigma in at)

    here = f"trained at σ = {COMMON:g}; its ρ over that of the best weight of every seed"
    beside, plain = "without noise in either", "the autoencoder's ratio"
    return [
        Claim(
            "C3: without a KL term the map denoises better than with any weight of it",
            ratios("ratio", ours, sweep, *JUDGED),
            rivals=ratios(plain, grid[PLAIN], sweep, *JUDGED),
            here=here,
            beside=beside,
        ),
        Claim(
            "C3: noise makes the collapse: the map denoises better than the same loss without noise",
            ratios("ratio", ours, [grid[PLAIN]], *JUDGED),
            here="its ρ over the autoencoder's",
        ),
        Claim(
            f"C3: also at σ = {LOWEST:g}, far below its training noise",
            ratios("ratio", ours, sweep, LOWEST),
            rivals=ratios(plain, grid[PLAIN], sweep, LOWEST),
            here=here,
            beside=beside,
        ),
    ]


def refine_clock(runs: list[xr.Dataset]) -> Passages:
    """Refine clock over seeds."""

    def read(one: xr.Dataset) -> Passages:
        return refine_passage(
            one["refine_step"].values, one["density_error"].values, 0.1, real=one["density_real"].values
        )

    return passages(runs, read)


def refine_claims(grid: Grid, options: Options) -> list[Claim]:
    """Whether the density is learned, and that it takes longer than the manifold, in steps of each stage."""
    runs = grid[LONG]
    clock, collapse = refine_clock(runs), passages(runs, collapse_clock(options.run.k, NEAR - 1))
    later = ratio("refine over collapse clock", LogRatio.of(clock, collapse), above=1)
    here = f"T_r {clock}, T_c {collapse}"
    return [
        Claim(
            f"C2: the second stage learns the density of the latents in most seeds ({options.longer} times as long)",
            (share("seeds that reach the refine clock", int(clock.hit.sum()), len(clock), above=0.5),),
        ),
        Claim("ours: the density takes longer than the manifold, in steps of its own stage", (later,), here=here),
    ]


def table(grid: Grid, options: Options) -> pd.DataFrame:
    """Medians over seeds, an arm a row; what validation chose."""
    picks = [chosen(grid, family) for family in options.families().values()]
    return pd.DataFrame(
        [
            {
                "arm": name,
                "chosen": "yes" if name in picks else "",
                "validation": np.median(values(runs, "sw2_val")),
                **{words: np.median(values(runs, metric)) for metric, words in METRICS.items()},
                "clean error, Bayes": np.median(values(runs, "clean_bayes")),
                f"ρ at σ = {COMMON:g}": np.median(values(runs, "rho")),
                "ρ at its own noise": np.median(values(runs, "rho_own")),
                "refine clock": str(refine_clock(runs)),
            }
            for name, runs in grid.items()
        ]
    )


def fronts(grid: Grid, options: Options) -> Figure:
    """Clean error against sliced W₂ of both families: every seed, geometric means joined; what the Bayes denoiser leaves."""
    picture, ax = panels(width=5.6, height=4.2)
    for family, settings in options.families().items():
        found = {name: (values(grid[name], "clean"), values(grid[name], "sw2")) for name in settings}
        middle = np.exp([[np.log(one).mean() for one in pair] for pair in found.values()])
        ax.plot(*middle.T, "-", color=COLOURS[family], lw=1)
        for (name, (clean, sw2)), at in zip(found.items(), middle, strict=True):
            ax.plot(clean, sw2, ".", color=COLOURS[family], ms=4, alpha=0.5)
            ax.plot(*at, "*" if name == chosen(grid, settings) else "o", color=COLOURS[family], ms=9)
            ax.annotate(name.split()[1], at, fontsize=8, xytext=(5, 5), textcoords="offset points")
        key(ax, COLOURS[family], f"{family}, {'noise σ' if family == 'SiLD' else 'weight β'} beside", "o")
    ax.plot(values(grid[PLAIN], "clean"), values(grid[PLAIN], "sw2"), "s", color=COLOURS[PLAIN], ms=4, label=PLAIN)
    for i, name in enumerate(options.families()["SiLD"]):
        words = "Bayes denoiser at each σ" if i == 0 else None
        ax.axvline(values(grid[name], "clean_bayes").mean(), color=LIGHT, lw=0.8, ls=":", label=words)
    key(ax, DARK, "chosen on validation", "*", ms=9, ls="none")
    level(ax, values(grid[PLAIN], "sw2_real").mean(), "two draws of the truth", ls="--")
    ax.set(xscale="log", yscale="log", xlabel="clean error E|G(E(x)) − x|²", ylabel=METRICS["sw2"])
    legend(ax)
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, judge, draw."""
    grid = run_grid(options.settings(), options.seeds, folder, say, options.workers)
    return Part(
        choice_claims(grid, options) + noise_claims(grid, options) + refine_claims(grid, options),
        {"arms": table(grid, options)},
        {"fronts": fronts(grid, options)},
        dataset(grid),
        (
            "One rule chooses in both families: the least sliced W₂ of generated samples to validation samples, mean over seeds. "
            "The same generated samples are then compared with test data, which no choice sees.",
            "Smaller noise restores better, down to what the Bayes denoiser at that noise leaves; C1 asks whether it still "
            "collapses.",
        ),
        ("arms",),
    )
