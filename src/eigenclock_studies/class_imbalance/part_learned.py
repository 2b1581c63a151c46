"""Part: speciation as it is learned. When a trained score parts each class where the exact one does, rare classes and common."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
from jaxtyping import Float
from matplotlib.figure import Figure

from eigenclock.clocks.passage import Clock, Passages
from eigenclock.clocks.replicates import LogRatio
from eigenclock.comparison.probe import Probe
from eigenclock.observables.return_probability import return_probability as learned_returns
from eigenclock.recipe.densities import LogNormal
from eigenclock.recipe.objectives import EDM
from eigenclock.recipe.samplers import Heun
from eigenclock.spectrum.spectrum import Spectrum
from eigenclock.training.devices import device_of, find_device
from eigenclock.training.loop import train
from eigenclock.training.network_options import FeedForward
from eigenclock.training.optimizers import Adam
from eigenclock.training.options import LoopOptions
from eigenclock.training.probing.cadence import log_steps
from eigenclock.training.streams import RandomPairs, Stream, stream_seed
from ..claims import Claim, mean, ratio
from ..figures import BLUE, GREEN, VERMILION, legend, level, panels, seeds
from ..study import Part, Say
from ..sweep import sweep
from .fashion_runs import sigma_of
from .part_speciation import BALANCED, STRONG, TIMES, centroids
from .speciation import normalised_returns, posterior, return_probability, speciation_time

WITHIN = 0.1
"""Mean distance of return probabilities from the exact score's, over noise levels, within which a class's parting is learned:
between the noise of counting, 0.02, and what a denoiser without classes has."""


CASES: tuple[tuple[float, ...], ...] = (BALANCED, STRONG)


@dataclass(frozen=True)
class Options:
    """Three classes as in the part on the exact score, at dimension `d`, and a network trained on fresh samples of them.

    `samples`: of each class that are noised and denoised, at `levels` noise levels about the exact one, in `walk` steps.
    """

    d: int
    seeds: tuple[int, ...] = field(repr=False)
    network: FeedForward
    steps: int
    batch: int = 256
    lr: float = 1e-3
    records: int = 16
    first: int = 10
    samples: int = 400
    levels: int = 8
    walk: int = 40
    workers: int | None = field(default=None, repr=False)


PRESETS = {
    "tiny": Options(16, (0,), FeedForward(16, 1), 30, 32, records=3, samples=20, levels=3, walk=5, workers=1),
    "cpu": Options(32, tuple(range(6)), FeedForward(128, 2), 6000),
    "paper": Options(64, tuple(range(8)), FeedForward(512, 3), 100_000, records=40, samples=2000, levels=16, walk=100),
}


@dataclass(frozen=True)
class Setting:
    """One mixture."""

    options: Options
    proportions: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class MixturePairs(RandomPairs):
    """Fresh samples of the mixture at every step: nothing can be memorised, and a rare class is rare in every batch."""

    centres: Any
    proportions: tuple[float, ...]

    def clean(self, step: int) -> torch.Tensor:
        """Clean samples of a step."""
        rng = np.random.default_rng([self.seed, int(Stream.DATA), step])
        labels = rng.choice(len(self.proportions), self.batch_size, p=self.proportions)
        x = self.centres[labels] + rng.standard_normal((self.batch_size, self.centres.shape[1]))
        return torch.as_tensor(x).to(self.samples)


@dataclass(frozen=True, eq=False)
class Classless:
    """The best linear denoiser of the mixture, which knows its mean and covariance and no class: a control."""

    centres: Any
    proportions: tuple[float, ...]

    def __call__(self, noisy: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """Denoised."""
        pi, centres = np.asarray(self.proportions), np.asarray(self.centres)
        mean = pi @ centres
        covariance = np.eye(centres.shape[1]) + (centres - mean).T * pi @ (centres - mean)
        level = float(sigma.reshape(-1)[0]) ** 2
        gain = torch.as_tensor(np.linalg.solve(covariance + level * np.eye(len(mean)), covariance)).to(noisy)
        centre = torch.as_tensor(mean).to(noisy)
        return centre + (noisy - centre) @ gain


def exact_levels(d: int, proportions: tuple[float, ...]) -> Float[np.ndarray, " class"]:
    """σ at which the exact score parts each class."""
    returns = return_probability(proportions, centroids(d), np.ones(3), TIMES, pairs=5000)
    r = normalised_returns(returns, proportions)
    return np.asarray(sigma_of([speciation_time(TIMES, r[:, k]) for k in range(3)]))


def case(setting: Setting, seed: int) -> xr.Dataset:
    """Train, and read return probabilities against the exact score's along training: dims class, record, level."""
    options, pi = setting.options, setting.proportions
    centres = centroids(options.d)
    rng = np.random.default_rng([seed, 77])
    labels = np.repeat(np.arange(3), options.samples)
    x = centres[labels] + rng.standard_normal((labels.size, options.d))
    parts = exact_levels(options.d, pi)
    sigma = np.geomspace(parts.min() / 3, 2 * parts.max(), options.levels)
    exact = return_probability(pi, centres, np.ones(3), np.log1p(sigma**2) / 2, pairs=5000)

    def classify(points: Any) -> Any:
        return posterior(points, 1e-3, pi, centres, np.ones(3)).argmax(axis=1)

    def returned(denoiser: Any) -> Any:
        found = learned_returns(
            denoiser,
            x,
            labels,
            classify,
            sigma=sigma,
            proportions=pi,
            steps=options.walk,
            seed=seed,
            device=device_of(denoiser),
        )
        return found.probability

    def look(denoiser: Any) -> dict[str, float]:
        return {f"{k}_{i}": float(share) for (i, k), share in np.ndenumerate(returned(denoiser))}

    spread = float(np.sqrt(1 + options.d / 3))
    probe = Probe(
        Spectrum(np.ones(options.d)),
        sampler=Heun(steps=2),
        steps=log_steps(options.first, options.steps, options.records),
        n_samples=2,
        seed=seed,
        sigma=(),
        keep_samples=0,
        inspect={"return": look},
    )
    objective = EDM(sigma_data=spread, density=LogNormal(0.0, 1.5))
    given = torch.as_tensor(x, dtype=torch.float32, device=find_device("auto"))
    train(
        options.network.build((options.d,), seed=stream_seed(seed, Stream.INIT)),
        x,
        objective=objective,
        optimizer=Adam(options.lr),
        steps=options.steps,
        options=LoopOptions(batch_size=options.batch),
        probe=probe,
        seed=seed,
        pairs=MixturePairs(given, options.batch, objective.density, (0.002, 80.0), seed, centres, pi),
    )
    kept, dims = probe.curve().dataset, ("class", "level", "record")
    return xr.Dataset(
        {
            "step": ("record", kept["time"].values),
            "probability": (dims, [[kept[f"return_{k}_{i}"].values for i in range(options.levels)] for k in range(3)]),
            "exact": (dims[:2], np.diagonal(exact, axis1=1, axis2=2).T),
            "classless": (dims[:2], returned(Classless(centres, pi)).T),
            "parts": ("class", parts),
            "sigma": ("level", sigma),
        }
    )


def away(run: xr.Dataset) -> Float[np.ndarray, "class record"]:
    """Mean distance of each class's return probabilities from the exact score's, over noise levels."""
    distance: xr.DataArray = abs(run["probability"] - run["exact"])
    return np.asarray(distance.mean("level").transpose("class", "record").values)


def classless(runs: list[xr.Dataset], k: int) -> Float[np.ndarray, " seed"]:
    """The same of a denoiser without classes: below `WITHIN`, a class's return says nothing about what was learned."""
    return np.array([float(abs(run["classless"] - run["exact"]).isel({"class": k}).mean()) for run in runs])


def clock(runs: list[xr.Dataset], k: int) -> Passages:
    """Step from which a class's return probabilities stay near the exact score's, over seeds, to stay."""
    several = []
    for run in runs:
        steps, error = run["step"].values, away(run)[k]
        far = np.flatnonzero(error > WITHIN)
        first = int(far[-1]) if far.size else 0
        if first == error.size - 1:
            several.append(Passages(steps[-1:], np.array([np.inf]), WITHIN))
        else:
            several.append(Clock("returns", WITHIN, "falling").of(steps[first:], error[first:]))
    low, high = (np.concatenate([getattr(one, side) for one in several]) for side in ("low", "high"))
    return Passages(low, high, WITHIN, "returns")


def claims(found: dict[tuple[float, ...], list[xr.Dataset]]) -> list[Claim]:
    """C5 in training: each minority against a class of equal share, and against the other minority.

    Not against its majority: that nearly always returns, whatever the denoiser has learned of classes.
    """
    of = {pi: [clock(runs, k) for k in range(3)] for pi, runs in found.items()}
    needs = {pi: [mean(f"distance without classes, share {pi[k]:.3g}", classless(runs, k), above=WITHIN) for k in range(3)]
             for pi, runs in found.items()}  # fmt: skip
    rows = []
    for k, share in enumerate(STRONG[1:], 1):
        words = f"C5 (learned score): where a class of share {share:g} parts is learned later than at equal shares"
        late = LogRatio.of(of[STRONG][k], of[BALANCED][k])
        rows.append(Claim(words, (ratio("time over its time at equal shares", late, above=1),),
                          (needs[STRONG][k], needs[BALANCED][k])))  # fmt: skip
    apart = LogRatio.of(of[STRONG][2], of[STRONG][1])
    rows.append(
        Claim(
            "C5 (learned score): the two minorities have distinct times",
            (ratio("rarer over less rare", apart, above=1),),
            tuple(needs[STRONG][1:]),
        )
    )
    return rows


def table(found: dict[tuple[float, ...], list[xr.Dataset]]) -> pd.DataFrame:
    """A row per mixture and class: exact level, level at the end of training, time."""
    return pd.DataFrame(
        [
            {
                "shares": str(tuple(round(p, 3) for p in pi)),
                "share": round(pi[k], 3),
                "exact level σ": float(runs[0]["parts"][k]),
                "distance at the end": float(np.mean([away(run)[k, -1] for run in runs])),
                "distance without classes": float(classless(runs, k).mean()),
                "step": str(clock(runs, k)),
            }
            for pi, runs in found.items()
            for k in range(3)
        ]
    )


def figure(found: dict[tuple[float, ...], list[xr.Dataset]]) -> Figure:
    """Distance of every class's return probabilities from the exact score's, along training."""
    picture, axes = panels(len(found), width=4.4, share="y")
    for ax, (pi, runs) in zip(np.atleast_1d(axes), found.items(), strict=True):
        for k, colour in enumerate((BLUE, GREEN, VERMILION)):
            error = np.stack([away(run)[k] for run in runs])
            seeds(ax, np.maximum(runs[0]["step"].values, 1), error, colour, f"share {pi[k]:.3g}")
        level(ax, WITHIN)
        ax.set(xscale="log", yscale="log", xlabel="training step")
        legend(ax)
    np.atleast_1d(axes)[0].set_ylabel("return probability, mean distance\nfrom the exact score's")
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, read, judge, draw."""
    settings = {f"shares {pi}": Setting(options, pi) for pi in CASES}
    done = sweep(
        case, settings, seeds=options.seeds, folder=folder / "runs" / "learned", workers=options.workers, say=say
    )
    found = {pi: done.seeds_of(f"shares {pi}") for pi in CASES}
    whole = xr.concat([xr.concat(runs, "seed", combine_attrs="drop") for runs in found.values()], "mixture")
    notes = (
        "Samples of a class are noised and denoised with the trained score; how often they come back, at noise levels about "
        f"the one at which the class parts, is held against the exact score. Learned: within {WITHIN:g} on average, to stay.",
    )
    return Part(claims(found), {"times": table(found)}, {"levels": figure(found)}, whole, notes, ("times",))
