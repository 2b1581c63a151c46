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
from eigenclock.training.devices import device_of
from eigenclock.training.sampling import sample
from ..claims import Claim, factor
from ..figures import BLUE, DARK, GREEN, VERMILION, legend, level, panels, seeds, ticks
from ..study import Part, Say
from .grids import run_grid, values
from .manifolds import SPREAD, WEIGHTS
from .runs import SEED_OF_NOISE

TAUS = (0.05, 0.1, 0.2, 0.5, 1.0)
WITHIN = 1.5
"""Largest sliced W₂ over that of the exact score's sampler."""

RIVALS = ("exact", "gaussian")


@dataclass(frozen=True)
class Latents:
    """Mixture of six modes in two dimensions, as latents; sizes and steps of the second stage."""

    n: int = 2000
    samples: int = 3000
    steps: int = 8000
    width: int = 128


@dataclass(frozen=True)
class Options:
    """`latents`: what is learned."""

    seeds: tuple[int, ...]
    latents: Latents
    workers: int | None = None


PRESETS = {
    "tiny": Options((0,), Latents(200, 100, 20, 16), workers=1),
    "cpu": Options(tuple(range(10)), Latents()),
    "paper": Options(tuple(range(10)), Latents(20_000, 10_000, 50_000, 512)),
}


class Mixture:
    """Six modes, standardised per coordinate: samples, and the exact denoiser."""

    def __init__(self) -> None:
        angle = np.arange(6) * np.pi / 3
        centres = 1.2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        middle = WEIGHTS @ centres
        std = np.sqrt(WEIGHTS @ (centres - middle) ** 2 + SPREAD**2)
        self.centres, self.variance = (centres - middle) / std, (SPREAD / std) ** 2

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
    mixture, rng = Mixture(), np.random.default_rng([seed, 5])
    train, test, more = (mixture.draw(n, rng) for n in (latents.n, latents.samples, latents.samples))
    config = ModelConfig(k=1, width=latents.width, stage2_steps=latents.steps, n_evals=24, seed=seed)
    density = LatentDensity(config, 2).fit(train, test)
    noise = torch.randn(latents.samples, 2, generator=torch.Generator().manual_seed(SEED_OF_NOISE))
    head = density.gaussian
    root = head.vectors @ torch.diag(head.values.sqrt()) @ head.vectors.T

    def exact(x: torch.Tensor, tau: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(mixture.denoise(x.double().numpy(), float(tau)), dtype=x.dtype)

    drawn = {
        "learned": density.push(noise),
        "exact": sample(exact, sampler_of(config), noise * float(np.sqrt(1 + 1 / SIGMA_MAX**2))),
        "gaussian": head.mean + noise @ root,
    }
    found = {f"sw2_{name}": sliced_wasserstein(z.double().numpy(), test) for name, z in drawn.items()}
    return xr.Dataset(
        {
            "score_error": ("tau", np.array([score_error(density, mixture, test, tau, seed) for tau in TAUS])),
            "density_error": ("step", density.curve.dataset["density_error"].values),
            "sw2_real": sliced_wasserstein(test, more),
            **found,
        },
        coords={"tau": np.array(TAUS), "step": density.curve.time.values},
    )


def score_error(density: LatentDensity, mixture: Mixture, test: np.ndarray, tau: float, seed: int) -> float:
    """E|s − s*|²/E|s*|² at one noise level."""
    x = test + tau * np.random.default_rng([seed, 9]).standard_normal(test.shape)
    with torch.no_grad():
        noisy = torch.as_tensor(x, dtype=torch.float32, device=device_of(density.denoiser))
        found = density.denoiser(noisy, torch.tensor(tau)).cpu().double().numpy()
    best = mixture.denoise(x, tau)
    return float(((found - best) ** 2).sum() / ((best - x) ** 2).sum())


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
    """Density error along training beside its rivals; error of the score by noise level."""
    picture, (left, right) = panels(2, width=4.4)
    seeds(left, runs[0]["step"] + 1, [one["density_error"].values for one in runs], GREEN, "second stage")
    for name, colour in zip(RIVALS, (DARK, VERMILION), strict=True):
        for i, one in enumerate(runs):
            words = {"exact": "exact score", "gaussian": "a Gaussian alone"}[name] if i == 0 else ""
            level(left, float(one[f"sw2_{name}"]), words, color=colour, ls="--", alpha=0.6)
    left.set(xscale="log", yscale="log", xlabel="training step + 1", ylabel="sliced W₂ of generated latents")
    seeds(right, TAUS, [one["score_error"].values for one in runs], BLUE, "second stage", marker="o", ms=3)
    right.set(xscale="log", yscale="log", xlabel="noise τ (latent standard deviations)", ylabel="relative score error")
    ticks(right, TAUS)
    legend(left)
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, judge, draw."""
    runs = run_grid({"": options.latents}, options.seeds, folder, say, options.workers, of=case, under="density")[""]
    names = ("learned", *RIVALS, "real")
    distances = pd.DataFrame([{f"sliced W₂, {name}": values(runs, f"sw2_{name}").mean() for name in names}])
    errors = np.median([one["score_error"].values for one in runs], axis=0)
    return Part(
        claims(runs),
        {"distances": distances, "scores": pd.DataFrame({"tau": TAUS, "relative score error": errors})},
        {"refine": figure(runs)},
        xr.concat(runs, dim="seed"),
        ("Curves: 512 generated latents of 15 steps; dashed: all samples of 30 steps, on the same noise.",),
        ("distances", "scores"),
    )
