"""How far generated samples are from the data over training, recipe by recipe, on a clock that all recipes share (T18, T24)."""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from ..clocks.settling import stays_below
from ..recipe.architectures import Architecture, TwoLayer
from ..recipe.densities import Density
from ..recipe.objectives import Objective
from ..recipe.samplers import Sampler
from ..recipe.spectral_edm import SpectralEDM
from ..recipe.weighting import Levels
from ..recipe.weights import EVENLY
from ..theory.predict import predict
from .groups import Groups

NETWORK = TwoLayer((1.0, 0.0))
"""The network of the theory that ranks recipes: random inner layers and a small last one (T13)."""

SHARED = 1.0
"""e-folds of σ over which a network shares what it learns at a noise level."""

UNITS = np.concatenate([[0.0], np.geomspace(1e-4, 1e9, 131)])
"""Units of training at which distances are known; beyond the last a recipe counts as never."""

LN_SIGMA = np.linspace(-16.0, 16.0, 1601)
"""ln σ over which densities are integrated and shared."""

LEAST = 1e-4
"""Shared density for each e-fold of σ below which a noise level counts as never trained."""


class Shared(Density):
    """Density times loss weight of an objective, shared among neighbouring noise levels as a network's weights are."""

    def __init__(self, objective: Objective, *, weighed: bool = True) -> None:
        sigma = np.exp(LN_SIGMA)
        width = LN_SIGMA[1] - LN_SIGMA[0]
        drawn = drawn_density(objective, sigma)
        drawn = drawn / (drawn.sum() * width)  # as draws are, whatever a density of one's own adds up to
        product = drawn * objective.loss_weight(sigma) if weighed else drawn
        reach = np.arange(-round(5 * SHARED / width), round(5 * SHARED / width) + 1) * width
        kernel = np.exp(-((reach / SHARED) ** 2) / 2)
        self.values = np.convolve(product, kernel / kernel.sum(), mode="same")

    def __call__(self, sigma: Levels) -> Levels:
        return np.interp(np.log(sigma), LN_SIGMA, self.values)


def drawn_density(objective: Objective, sigma: Levels) -> Levels:
    """Density of ln σ that training draws from: even from 0.002 to 80 where the objective has none."""
    if objective.density is not None:
        return objective.density_at(sigma)
    inside = (sigma >= EVENLY[0]) & (sigma <= EVENLY[1])
    return np.where(inside, 1 / np.log(EVENLY[1] / EVENLY[0]), 0.0)


def distances(
    objective: Objective, groups: Groups, sampler: Sampler, network: Architecture = NETWORK
) -> Float[np.ndarray, " unit"]:
    """Distance from the data at each of `UNITS` of training, as a share of the data's norm.

    Exact for a linear network whose noise levels learn each on its own, at a rate that it shares with its neighbours.
    """
    speed = pace(objective, groups, sampler.sigma_min)
    if not 0 < speed < np.inf:  # a weight that is zero, or beyond all numbers, on every level
        return np.full(UNITS.size, np.nan)
    time = UNITS / speed
    known = Shared(objective, weighed=not isinstance(objective, SpectralEDM))
    changed: dict[str, Any] = {} if isinstance(objective, SpectralEDM) else {"weight": "uniform"}
    shared = replace(objective, density=known, **changed)  # type: ignore[type-var]
    curve = predict(groups.spectrum, objective=shared, architecture=network, sampler=sampler, time=time)
    return groups.distance(curve.variance.values)


def units_to(
    distance: Float[np.ndarray, " unit"], fractions: Float[np.ndarray, " fraction"]
) -> Float[np.ndarray, " fraction"]:
    """Units of training after which the distance stays below each fraction; NaN where it never does."""
    return stays_below(distance, UNITS, fractions)


def pace(objective: Objective, groups: Groups, sigma_min: float) -> float:
    """Units of training that pass in a unit of gradient flow: the root mean square of an untrained network's gradients (T24).

    Adam divides by it, so that a loss times a constant trains alike. A weight's gradient on one draw is an input times an error,
    of mean squares κ̄(σ) and ρ̄(σ) (T1, means over coordinates, f = 0): √E[w²κ̄ρ̄] over the noise levels that are drawn.
    """
    sigma = np.exp(LN_SIGMA)
    known = objective.bound(groups.spectrum, sigma_min).regression(groups.variance, sigma)
    share = groups.weight / groups.weight.sum()
    drawn = drawn_density(objective, sigma)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        wrong = known.floor + known.cross_moment**2 / known.curvature  # ρ of T1
        squared = (share @ (known.weight * known.curvature)) * (share @ (known.weight * wrong))
        return float(np.sqrt(squared @ drawn / drawn.sum()))


def untrained(objective: Objective, groups: Groups, sampler: Sampler) -> tuple[float, list[float]]:
    """Distance from the data that is left for ever where noise levels of the sampler are never trained, and those levels."""
    bound = objective.bound(groups.spectrum, sampler.sigma_min)
    known = bound.regression(groups.variance, sampler.levels)
    missed = Shared(objective, weighed=False)(sampler.levels) < LEAST
    gain = known.denoiser_gain(np.where(missed, 0.0, known.optimum))
    left = groups.distance(sampler.bound(groups.spectrum).variance(gain[None])[0])
    return float(left), sampler.levels[missed].tolist()
