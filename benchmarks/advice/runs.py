"""The runs that the advice is held against: `python -m benchmarks.advice.runs` makes them again.

Two data sets, digits and a Gaussian field, decide which of the theory's levels gives the advice; two others, natural patches and
Fashion-MNIST, judge it. Each is trained by fifteen recipes with the paper's chain, the judging ones with a U-Net by five of them.
What is kept of a run is its distance from the data over training.
"""

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pandas as pd

import eigenclock as ec
from eigenclock.curve.closeness import relative_distance
from eigenclock_studies.networks import Case, Recipe, Run, trained
from eigenclock_studies.spectral_bias.images import Images
from ..forecasts.runs import FASHION, GaussianField

DISTANCES = Path(__file__).parent / "distances.csv"
SAMPLER = ec.Heun(steps=20)
SAMPLES = 256

EDM_DENSITY, COSINE = ec.LogNormal(), ec.CosineTime()
RECIPES: dict[str, ec.Objective] = {
    "EDM": ec.EDM(density=EDM_DENSITY),
    "EDM, σ_data 0.1": ec.EDM(sigma_data=0.1, density=EDM_DENSITY),
    "EDM, σ_data 2": ec.EDM(sigma_data=2.0, density=EDM_DENSITY),
    "EDM, density −2.5": ec.EDM(density=ec.LogNormal(-2.5, 1.2)),
    "EDM, density 0": ec.EDM(density=ec.LogNormal(0.0, 1.2)),
    "EDM, cosine": ec.EDM(density=COSINE),
    "EDM, Min-SNR-5": ec.EDM(density=EDM_DENSITY, weight=ec.MinSNR()),
    "ε, DDPM": ec.Epsilon(path="vp", density=ec.BetaSchedule()),
    "ε": ec.Epsilon(path="vp", density=EDM_DENSITY),
    "v, cosine": ec.Velocity(density=COSINE),
    "v": ec.Velocity(density=EDM_DENSITY),
    "x₀, cosine": ec.Denoising(path="vp", density=COSINE),
    "x₀, unscaled": ec.Denoising(density=EDM_DENSITY),
    "flow, uniform t": ec.FlowMatching(density=ec.UniformTime()),
    "flow, logit-normal": ec.FlowMatching(density=ec.LogNormal(0.0, 1.0)),
}
"""Fifteen recipes by name: objective, preconditioning, noise density and weight."""

FIVE = ("EDM", "EDM, density 0", "ε, DDPM", "v, cosine", "flow, logit-normal")
"""Those that a U-Net is trained by."""

DEFAULT = "EDM"
"""What one trains by who asks nobody."""

Role = Literal["choice", "judged"]


@dataclass(frozen=True)
class Setting:
    """A data set, a network and how it is trained: all recipes are the same but for their objective.

    `role`: whether it decides which theory gives the advice, or judges it.
    """

    name: str
    source: Any
    network: ec.Network
    recipes: tuple[str, ...]
    seeds: tuple[int, ...]
    role: Role
    steps: int
    batch_size: int = 256
    lr: float = 3e-4

    def case(self, recipe: str) -> Case:
        """A run's case."""
        options = Recipe(
            network=self.network,
            steps=self.steps,
            batch_size=self.batch_size,
            optimizer=ec.Adam(self.lr),
            objective=RECIPES[recipe],
            sampler=SAMPLER,
            probes=45,
            probe_samples=SAMPLES,
            gain_levels=0,
        )
        return Case(f"{self.name}_{list(RECIPES).index(recipe)}", self.source, options)


def settings() -> list[Setting]:
    """All of them, those that decide first."""
    chain, unet, every = ec.MLP(384, 5), ec.UNet(16, (1, 2)), tuple(RECIPES)
    digits, field = Images("digits"), GaussianField()
    natural, fashion = Images("natural16", 10_000), Images(f"{FASHION}:train_x", 10_000)
    return [
        Setting("digits_chain", digits, chain, every, (0,), "choice", 1500),
        Setting("field_chain", field, chain, every, (0,), "choice", 1500),
        Setting("natural16_chain", natural, chain, every, (0, 1), "judged", 1500),
        Setting("fashion_chain", fashion, chain, every, (0, 1), "judged", 1500),
        Setting("digits_unet", digits, unet, FIVE, (0,), "choice", 1000, 64, 1e-3),
        Setting("natural16_unet", natural, unet, FIVE, (0, 1), "judged", 1000, 64, 1e-3),
        Setting("fashion_unet", fashion, unet, FIVE, (0, 1), "judged", 1000, 64, 1e-3),
    ]


def train(setting: Setting, recipe: str, seed: int, folder: Path) -> pd.DataFrame:
    """Train a run, or read it; its distance from the data as a share of the data's norm, a row per step that was looked at."""
    curve = trained(folder, Run(setting.case(recipe), seed))[""]
    distance = relative_distance(curve.wasserstein().values, curve.total_variance)
    rows = {"setting": setting.name, "recipe": recipe, "seed": seed, "step": curve.time.values.astype(int)}
    return pd.DataFrame({**rows, "distance": distance.round(5)})


@cache
def kept() -> pd.DataFrame:
    """All distances that are kept."""
    return pd.read_csv(DISTANCES)


def load(setting: Setting, recipe: str, seed: int) -> pd.Series:
    """Distance of a kept run by step."""
    table = kept()
    chosen = (table["setting"] == setting.name) & (table["recipe"] == recipe) & (table["seed"] == seed)
    return table[chosen].set_index("step")["distance"]


def main(which: str = "all", out: str = "runs/advice") -> None:
    """Train "all", the "even" or the "odd" ones, or those of a setting with this in its name; all that are there are kept."""
    order = [
        (one, recipe, seed) for seed in (0, 1) for one in settings() if seed in one.seeds for recipe in one.recipes
    ]
    part = {"all": order, "even": order[::2], "odd": order[1::2]}
    chosen = part.get(which) or [one for one in order if which in one[0].name]
    for setting, recipe, seed in chosen:
        train(setting, recipe, seed, Path(out))
    if which == "all":
        pd.concat([train(*one, Path(out)) for one in order]).to_csv(DISTANCES, index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
