"""Does the latent spectrum predict in which arm the covariance, and the density, are learned first."""

import numpy as np
import pandas as pd
import scipy.stats
import xarray as xr
from matplotlib.figure import Figure

from eigenclock.clocks.passage import Clock, Passages
from eigenclock.clocks.replicates import mean_correlation
from eigenclock.latents.density import LOWEST, PROBE_STEPS, SIGMA_MAX
from eigenclock.recipe.architectures import OneLayer
from eigenclock.recipe.objectives import EDM
from eigenclock.recipe.samplers import Heun
from eigenclock.spectrum.spectrum import Spectrum
from eigenclock.theory.flow_clocks import CONVERGED, second_order_distance
from eigenclock.theory.predict import predict
from ..claims import OURS, row, verdict
from .grids import Grid

HALF = 0.5
"""Share of the median start of the arms that the density error must fall to, for the clock that all arms share."""

FEWEST = 4
"""Fewest arms with a finite clock for a rank correlation."""


def predicted_time(spectrum: np.ndarray) -> float:
    """When theory has learned a latent covariance to 2 % of its trace, in steps of rate 1; 0 where it starts there."""
    time = np.geomspace(1e-3, 1e5, 400)
    curve = predict(
        Spectrum(spectrum),
        objective=EDM(sigma_data=1.0),
        architecture=OneLayer(init=0.0),
        sampler=Heun(steps=PROBE_STEPS, sigma_min=LOWEST, sigma_max=SIGMA_MAX),
        time=time,
    )
    return _learned(time, curve.variance.values, curve.target.values)


def measured_time(run: xr.Dataset) -> float:
    """The same of a trained run."""
    return _learned(run["refine_step"].values, run["latent_variance"].values, run["latent_target"].values)


def _learned(time: np.ndarray, variance: np.ndarray, target: np.ndarray) -> float:
    """First time within 2 % of the covariance; 0 where it starts there, the last time where it is not reached (tied last)."""
    distance = second_order_distance(variance, target)
    return 0.0 if distance[0] <= CONVERGED else _ranked(Clock("distance", CONVERGED, "falling").of(time, distance))


def _ranked(clock: Passages) -> float:
    """A time to rank by: the bound where it is censored, NaN where nothing was recorded."""
    low, high = float(clock.low[0]), float(clock.high[0])
    return (high if np.isfinite(high) else float("nan")) if low == 0 else low


def link_table(grid: Grid) -> pd.DataFrame:
    """Per arm and seed: predicted from the latent spectrum alone, measured of second order, and the refine clock."""
    rows = []
    latent = {name: runs for name, runs in grid.runs.items() if all("latent_spectrum" in one for one in runs)}
    for seed in range(len(next(iter(latent.values())))):
        start = float(np.median([runs[seed]["density_error"].values[0] for runs in latent.values()]))
        for name, runs in latent.items():
            one = runs[seed]
            spectrum = one["latent_spectrum"].values
            clock = Clock("density error", HALF * start, "falling", smooth="twice")
            rows.append(
                {
                    "arm": name,
                    "seed": seed,
                    "spectrum": " ".join(f"{value:.2f}" for value in spectrum),
                    "predicted": predicted_time(spectrum),
                    "second order": measured_time(one),
                    "density": _ranked(clock.of(one["refine_step"].values, one["density_error"].values)),
                }
            )
    return pd.DataFrame(rows, columns=["arm", "seed", "spectrum", "predicted", "second order", "density"])


def correlations(table: pd.DataFrame, measured: str) -> list[float]:
    """Spearman's rank correlation over arms of predicted and measured times, per seed with enough finite pairs."""
    found = []
    for _, one in table.groupby("seed"):
        known = one[["predicted", measured]].dropna()
        if len(known) >= FEWEST and known.nunique().min() > 1:
            found.append(float(scipy.stats.spearmanr(known["predicted"], known[measured]).statistic))
    return found


def link_claims(table: pd.DataFrame, enough: bool) -> list[dict[str, str]]:
    rows = []
    for measured, words in (("second order", "the covariance is learned"), ("density", "the density is learned")):
        found = correlations(table, measured)
        if not found:
            continue
        mean = mean_correlation(found)
        rows.append(
            row(
                f"the latent spectrum predicts in which arm {words} first",
                f"rank correlation over arms {mean.value:.2f}",
                f"{mean} over {len(found)} seeds; per seed {', '.join(f'{one:.2f}' for one in found)}",
                "0 if the spectrum says nothing",
                verdict(
                    True if mean.low > 0 else False if mean.high < 0.3 else None, enough=enough and len(found) >= 3
                ),
                paper=OURS,
            )
        )
    return rows


def link_figure(table: pd.DataFrame) -> Figure:
    picture = Figure(figsize=(9.5, 3.7), layout="constrained")
    for ax, measured in zip(picture.subplots(1, 2), ("second order", "density"), strict=True):
        for i, (name, one) in enumerate(table.groupby("arm", sort=False)):
            ax.plot(
                one["predicted"],
                one[measured],
                "osv^D<>ph"[i % 9],
                color=f"C{i % 10}",
                ms=5,
                label=str(name),
                alpha=0.8,
            )
        ax.set(xlabel="predicted from the latent spectrum (steps × rate)", ylabel=f"measured step: {measured}")
    if len(table):
        ax.legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    return picture
