"""Part: the second stage on latents whose score is known, against the exact score's sampler and a Gaussian."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import xarray as xr
from matplotlib.figure import Figure

from eigenclock.curve.divergences import sliced_wasserstein
from eigenclock.latents.density import SIGMA_MAX, LatentDensity, sampler_of
from eigenclock.latents.model_config import ModelConfig
from eigenclock.training.sampling import sample
from ..claims import Claim, factor
from ..figures import DARK, GREEN, VERMILION, legend, level, panels, seeds
from ..study import Part, Say
from .grids import run_grid, values
from .manifolds import CENTRES, SPREAD, WEIGHTS
from .runs import SEED_OF_NOISE

WITHIN = 1.5
"""Largest sliced W₂ over that of the exact score's sampler."""

RIVALS = ("exact", "gaussian")


@dataclass(frozen=True)
class Latents:
    """Mixture of six modes in two dimensions, as latents; sizes and steps of the second stage.

    `n`: many, so that the error of the training samples themselves does not decide. `samples`: judged against as many true ones,
    `draws` times anew.
    """

    n: int = 20_000
    samples: int = 3000
    draws: int = 4
    steps: int = 8000
    width: int = 128


@dataclass(frozen=True)
class Options:
    """`latents`: what is learned."""

    seeds: tuple[int, ...]
    latents: Latents
    workers: int | None = None


PRESETS: dict[str, Options] = {
    "tiny": Options((0,), Latents(200, 100, 1, 20, 16), workers=1),
    "cpu": Options(tuple(range(10)), Latents()),
    "paper": Options(tuple(range(10)), Latents(200_000, 10_000, 4, 50_000, 512)),
}


class Mixture:
    """Six modes, standardised per coordinate: samples, and the exact denoiser."""

    def __init__(self) -> None:
        middle = WEIGHTS @ CENTRES
        std = np.sqrt(WEIGHTS @ (CENTRES - middle) ** 2 + SPREAD**2)
        self.centres, self.variance = (CENTRES - middle) / std, (SPREAD / std) ** 2

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Samples (n, 2)."""
        chosen = rng.choice(6, n, p=WEIGHTS)
        return np.asarray(self.centres[chosen] + np.sqrt(self.variance) * rng.standard_normal((n, 2)))

    def denoise(self, x: np.ndarray, tau: float) -> np.ndarray:
        """E[x₀ | x]: the modes' own posterior means, weighted by their posterior."""
        total = self.variance + tau**2
        apart = x[:, None] - self.centres
        log = -(apart**2 / total).sum(axis=2) / 2 + np.log(WEIGHTS)
        weight = np.exp(log - log.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        means = self.centres + apart * self.variance / total
        return np.asarray((weight[..., None] * means).sum(axis=1))


def case(latents: Latents, seed: int) -> xr.Dataset:
    """The trained second stage, a Gaussian and the exact score on the same latents and the same noise."""
    mixture, rng, count = Mixture(), np.random.default_rng([seed, 5]), latents.samples * latents.draws
    train, test, more = (mixture.draw(n, rng) for n in (latents.n, count, count))
    config = ModelConfig(k=1, width=latents.width, stage2_steps=latents.steps, n_evals=24, seed=seed)
    density = LatentDensity(config, 2).fit(train, more[: latents.samples])
    noise = torch.randn(count, 2, generator=torch.Generator().manual_seed(SEED_OF_NOISE))
    head = density.gaussian
    root = head.vectors @ torch.diag(head.values.sqrt()) @ head.vectors.T

    def exact(x: torch.Tensor, tau: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(mixture.denoise(x.double().numpy(), float(tau)), dtype=x.dtype)

    drawn = {
        "learned": density.push(noise),
        "exact": sample(exact, sampler_of(config), noise * float(np.sqrt(1 + 1 / SIGMA_MAX**2))),
        "gaussian": head.mean + noise @ root,
    }

    def distance(x: np.ndarray) -> float:
        pairs = zip(np.split(x, latents.draws), np.split(test, latents.draws), strict=True)
        return float(np.mean([sliced_wasserstein(one, true) for one, true in pairs]))

    found = {f"sw2_{name}": distance(z.double().numpy()) for name, z in drawn.items()}
    return xr.Dataset(
        {
            "density_error": ("step", density.curve.dataset["density_error"].values),
            "sw2_real": distance(more),
            **found,
        },
        coords={"step": density.curve.time.values},
    )


def claims(runs: list[xr.Dataset]) -> list[Claim]:
    """C2: generated latents against those of the exact score; a Gaussian must not be as good."""
    learned, exact, gaussian = (values(runs, f"sw2_{name}") for name in ("learned", *RIVALS))
    over = "sliced W₂ over the exact score's"
    return [
        Claim(
            "C2: the second stage learns the density on known latents",
            (factor(over, learned / exact, below=WITHIN),),
            (factor("a Gaussian's over the exact score's", gaussian / exact, above=WITHIN),),
        ),
        Claim(
            "C2: the second stage generates better than a Gaussian of the same moments",
            (factor("sliced W₂ over the Gaussian's", learned / gaussian, below=1),),
        ),
    ]


def figure(runs: list[xr.Dataset]) -> Figure:
    """Density error along training beside its rivals, every seed."""
    picture, ax = panels(width=4.8)
    seeds(ax, runs[0]["step"] + 1, [one["density_error"].values for one in runs], GREEN, "second stage")
    for name, colour in zip(RIVALS, (DARK, VERMILION), strict=True):
        for i, one in enumerate(runs):
            words = {"exact": "exact score", "gaussian": "a Gaussian alone"}[name] if i == 0 else ""
            level(ax, float(one[f"sw2_{name}"]), words, color=colour, ls="--", alpha=0.6)
    ax.set(xscale="log", yscale="log", xlabel="training step + 1", ylabel="sliced W₂ of generated latents")
    legend(ax)
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, judge, draw."""
    runs = run_grid({"": options.latents}, options.seeds, folder, say, options.workers, of=case, under="density")[""]
    names = ("learned", *RIVALS, "real")
    table = pd.DataFrame([{f"sliced W₂, {name}": values(runs, f"sw2_{name}").mean() for name in names}])
    sets = f"sets of {options.latents.samples:,}"
    notes = (f"Curves: 512 generated latents of 15 steps; dashed and judged: {sets} of 30 steps, on the same noise.",)
    return Part(
        claims(runs), {"distances": table}, {"refine": figure(runs)}, xr.concat(runs, "seed"), notes, ("distances",)
    )
