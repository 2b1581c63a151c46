"""Gaussian data of log-normal spectrum, an MLP, the paper's settings: the exponent of emergence against variance."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.figure import Figure

from eigenclock.comparison.forecast_check import check_forecasts
from eigenclock.comparison.levels import compare_levels
from eigenclock.curve.displays import EmergenceDisplay
from eigenclock.recipe.samplers import ProbabilityFlow
from eigenclock.spectrum.spectrum import Spectrum
from eigenclock.training.network_options import MLP
from eigenclock.training.optimizers import Adam
from ..networks import Recipe, losses, trained
from ..study import Part, Say
from .laws import interval, inverse, law_rows, law_verdict, level_claim, level_rows, over_seeds, rank_correlation

ORDERED = 0.95
"""Rank correlation of emergence with variance, in magnitude, from which the order counts as shown."""

EXACT = "exact flow"
"""Name of the curves of the sampler without bias."""

PAPER = {(256, "rising"): 1.08, (512, "rising"): 1.05, (512, "falling"): 1.13}
"""α of the paper, time ∝ variance^−α."""


@dataclass(frozen=True)
class Options:
    """Dimensions, seeds and training of the Gaussian part. The spectrum is the same for all seeds of a dimension."""

    dimensions: tuple[int, ...]
    seeds: tuple[int, ...]
    recipe: Recipe
    samples: int = 10_000


PRESETS = {
    "tiny": Options(
        (16,),
        (0, 1),
        Recipe(network=MLP(32, 3), steps=80, batch_size=64, optimizer=Adam(2e-3), probes=12, probe_samples=64),
        500,
    ),
    "cpu": Options((64, 128), (0, 1, 2), Recipe(network=MLP(256, 5), steps=1500, batch_size=256, optimizer=Adam(2e-4))),
    "paper": Options((128, 256, 512), (0,), Recipe(network=MLP(256, 5), steps=5000, batch_size=1024)),
}


def gaussian_data(d: int, n: int, seed: int) -> Float[np.ndarray, "n d"]:
    """Samples of a Gaussian whose ln variances are normal(0, 1), in a random orthonormal basis."""
    rng = np.random.default_rng([seed, d])
    variance = np.exp(rng.standard_normal(d))
    basis, _ = np.linalg.qr(rng.standard_normal((d, d)))
    return (rng.standard_normal((n, d)) * np.sqrt(variance)) @ basis.T


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, and set exponents and levels side by side."""
    laws, levels, forecasts, claims = [], [], [], []
    figure = Figure(figsize=(4.4 * len(options.dimensions), 4), layout="constrained")
    axes = figure.subplots(1, len(options.dimensions), squeeze=False)[0]
    for ax, d in zip(axes, options.dimensions, strict=True):
        samples = gaussian_data(d, options.samples, 0)
        spectrum, orders = Spectrum.from_samples(samples), []
        for seed in options.seeds:
            name = f"gaussian_{d}_seed{seed}"
            curves = trained(
                folder, name, options.recipe, samples, spectrum, seed=seed, also={EXACT: ProbabilityFlow()}, say=say
            )
            for sampler, key in (("Heun, 20 steps", ""), (EXACT, EXACT)):
                laws += law_rows(curves[key], d=d, seed=seed, sampler=sampler)
            orders.append(rank_correlation(curves[""], "rising"))
            found = compare_levels(curves[""], objective=options.recipe.objective, sampler=options.recipe.sampler)
            levels += level_rows(found, d=d, seed=seed)
            forecasts += [
                {"d": d, "seed": seed, **row}
                for row in check_forecasts(found.curves["c"], curves[""], loss=losses(folder, name)).to_dict("records")
            ]
        plain = found.curves["a"].rescaled(found["a"].time_scale) if np.isfinite(found["a"].time_scale) else None
        shown = ({} if plain is None else {"predicted": plain}) | {"measured": curves[""]}
        EmergenceDisplay.from_curves("geometric", **shown).plot(ax)
        ax.set_title(f"d = {d}, level (a) against seed {seed}", fontsize=10)
        claims += _claims(d, options, pd.DataFrame(laws), pd.DataFrame(levels), orders)
    tables = {"laws": pd.DataFrame(laws), "levels": pd.DataFrame(levels), "forecasts": pd.DataFrame(forecasts)}
    return Part(claims, tables, {"emergence": figure})


def _claims(
    d: int, options: Options, laws: pd.DataFrame, levels: pd.DataFrame, orders: list[float]
) -> list[dict[str, str]]:
    """A claim per direction, one of the order, one of the levels."""
    rows = []
    for direction in ("rising", "falling"):
        here = laws[(laws["d"] == d) & (laws["direction"] == direction) & (laws["threshold"] == "geometric")]
        heun, exact, paper = here[here["sampler"] != EXACT], here[here["sampler"] == EXACT], PAPER.get((d, direction))
        rows.append(
            {
                "claim": f"Gaussian d = {d}: time ∝ variance^−α, {direction} modes",
                "paper": "–" if paper is None else f"α = {paper}",
                "here": f"α = {over_seeds(-heun['exponent'])}, R² {over_seeds(heun['r2'])}; "
                f"inverse regression {inverse(heun)}",
                "interval": interval(heun),
                "control": f"without sampler bias α = {over_seeds(-exact['exponent'])}",
                "verdict": law_verdict(heun, paper),
            }
        )
    rows.append(
        {
            "claim": f"Gaussian d = {d}: larger variance first",
            "paper": "yes",
            "here": f"rank correlation of time and variance {over_seeds(orders)} (rising)",
            "interval": f"{len(orders)} seed{'s' if len(orders) > 1 else ''}",
            "control": "0 for no order",
            "verdict": "shown" if max(orders) < -ORDERED else "not shown",
        }
    )
    return [*rows, level_claim(f"Gaussian d = {d}", levels[levels["d"] == d])]
