"""Part: one ambient network without stages. Whether its normal error is learned before the tangential one."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from eigenclock.clocks.passage import Clock, Passages
from eigenclock.clocks.replicates import LogRatio
from eigenclock.latents.score_latent import AmbientDiffusion
from ..claims import Claim, ratio
from ..figures import BLUE, VERMILION, legend, panels, seeds
from ..study import Part, Say
from .grids import passages, run_grid
from .runs import SEED_OF_NOISE, Run, config_of, held_out, large, small

POINTS = 300
LEARNED = 0.1
"""Share of its start that an error must fall to."""

PARTS = ("normal", "tangential")


@dataclass(frozen=True)
class Joint:
    """One ambient network on all noise levels; errors against the exact denoiser at `levels`, in data units."""

    run: Run = Run(arm="ambient", D=16, steps=(8000, 1))  # noqa: RUF009 (a frozen dataclass)
    levels: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4)


@dataclass(frozen=True)
class Options:
    """`joint`: the network without stages."""

    seeds: tuple[int, ...]
    joint: Joint = Joint()
    workers: int | None = None


SEEDS = (0, 1, 2, 3, 4)
PRESETS: dict[str, Options] = {
    "tiny": Options((0,), Joint(small(Joint().run), (0.1, 0.4)), workers=1),
    "cpu": Options(SEEDS),
    "paper": Options(SEEDS, Joint(replace(large(Joint().run), evals=60))),
}


def case(joint: Joint, seed: int) -> xr.Dataset:
    """Normal and tangential squared error of D − D*, over σ², at every level along training: dims level, step."""
    train, test, data = held_out(joint.run, POINTS, seed)
    assert data.tangent is not None
    assert data.denoise is not None
    noise = np.random.default_rng(SEED_OF_NOISE).standard_normal(test.shape)
    noisy = [test + sigma * noise for sigma in joint.levels]
    exact = [data.denoise(x, sigma) for x, sigma in zip(noisy, joint.levels, strict=True)]
    frames = [data.tangent(x) for x in exact]
    steps: list[int] = []
    errors: dict[str, list[list[float]]] = {part: [] for part in PARTS}

    def look(step: int, _: int, model: AmbientDiffusion) -> None:
        across, along = [], []
        for x, best, frame, sigma in zip(noisy, exact, frames, joint.levels, strict=True):
            error = model.denoise(x, sigma) - best
            inside = np.einsum("ndk,nd->nk", frame, error)
            along.append(float((inside**2).sum(axis=1).mean() / sigma**2))
            across.append(float((error**2).sum(axis=1).mean() / sigma**2) - along[-1])
        steps.append(step)
        errors["normal"].append(across)
        errors["tangential"].append(along)

    AmbientDiffusion(config_of(joint.run, seed)).fit(train, test, callback=look)
    return xr.Dataset(
        {part: (("step", "level"), np.array(found)) for part, found in errors.items()},
        coords={"step": np.array(steps, dtype=float), "level": np.array(joint.levels)},
    )


def clock(runs: list[xr.Dataset], part: str, level: int) -> Passages:
    """First of two successive records at which an error, which ends at 0, is down to a tenth of its start, over seeds."""

    def read(one: xr.Dataset) -> Passages:
        error = one[part].values[:, level]
        return Clock("error", LEARNED * float(error[0]), "falling", smooth="twice").of(one["step"].values, error)

    return passages(runs, read)


def claims(runs: list[xr.Dataset]) -> list[Claim]:
    """The order in time, a measure per noise level; and the order of size."""
    levels = runs[0]["level"].values
    times = [LogRatio.of(clock(runs, "tangential", i), clock(runs, "normal", i)) for i in range(levels.size)]
    smaller = np.array([(one["tangential"] < one["normal"]).mean() for one in runs])
    return [
        Claim(
            f"without stages, the normal error falls to {LEARNED:.0%} of its start before the tangential one",
            tuple(ratio(f"tangential over normal clock (σ = {s:g})", one, above=1) for s, one in zip(levels, times, strict=True)),
            beside=f"in absolute size the tangential error is the smaller one in {smaller.mean():.0%} of all records",
        )
    ]  # fmt: skip


def figure(runs: list[xr.Dataset]) -> Figure:
    """Both errors along training, a panel per noise level."""
    levels = runs[0]["level"].values
    picture, axes = panels(levels.size, width=3.0, share="y")
    for i, (ax, s) in enumerate(zip(np.atleast_1d(axes), levels, strict=True)):
        for part, colour in zip(PARTS, (BLUE, VERMILION), strict=True):
            seeds(ax, runs[0]["step"] + 1, [one[part].values[:, i] for one in runs], colour, part)
        ax.set(xscale="log", yscale="log", xlabel="training step + 1", title=f"σ = {s:g}")
    np.atleast_1d(axes)[0].set_ylabel("|D − D*|² / σ²")
    legend(np.atleast_1d(axes)[0])
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, judge, draw."""
    runs = run_grid({"": options.joint}, options.seeds, folder, say, options.workers, of=case, under="order")[""]
    notes = ("Stages impose the order that the claim is about; only a network without stages can test it.",)
    return Part(claims(runs), {}, {"joint": figure(runs)}, xr.concat(runs, "seed"), notes)
