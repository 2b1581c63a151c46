"""Pushing particles through a sampler, with one trained matrix per noise level."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from ..checks import InputError
from ..recipe.objectives import Objective
from ..recipe.samplers import Euler, EulerMaruyama, Heun, ProbabilityFlow, Sampler, Stochastic
from .pairs import denoise

Particles = Float[np.ndarray, "n d"]
Weights = Float[np.ndarray, "sigma d e"]
AddNoise = Callable[[Particles, float], Particles]
Levels = Float[np.ndarray, " sigma"]

FLOW_STEPS = 120
"""Runge–Kutta steps, uniform in ln σ, that stand for the continuous probability flow (error per mode < 1e-5)."""


TWINS = (ProbabilityFlow, Euler, Heun, Stochastic, EulerMaruyama)
"""Samplers that brute force walks in its own words; any other, one derived from these too, walks as on real networks."""


def sampling_levels(sampler: Sampler) -> Levels:
    """Noise levels, from high to low, at which `push` needs a trained network."""
    low, high = sampler.sigma_min, sampler.sigma_max
    if type(sampler) not in TWINS:
        return sampler.levels
    match sampler:
        case ProbabilityFlow():
            if low == 0 or np.isinf(high):
                raise InputError(f"sigma_min must be > 0 and sigma_max finite for simulate, got {low:g} and {high:g}")
            return np.geomspace(high, low, 2 * FLOW_STEPS + 1)
        case Stochastic():
            grid = _edm_grid(sampler)
            return np.concatenate([_churned(sampler, grid), grid[1:]])
        case _:
            return _edm_grid(sampler)


def _edm_grid(sampler: Any) -> Levels:
    i, rho, low, high = np.arange(sampler.steps), sampler.rho, sampler.sigma_min, sampler.sigma_max
    return (high ** (1 / rho) + i / (sampler.steps - 1) * (low ** (1 / rho) - high ** (1 / rho))) ** rho


def _churned(sampler: Stochastic, grid: Levels) -> Levels:
    """Karras et al. (2022), Algorithm 2: t̂ = t + γt."""
    gamma = min(sampler.churn / sampler.steps, np.sqrt(2) - 1)
    return np.array([t + gamma * t if sampler.churn_min <= t <= sampler.churn_max else t for t in grid])


def push(
    sampler: Sampler, objective: Objective, weights: Weights, levels: Levels, noise: Particles, add_noise: AddNoise
) -> Float[np.ndarray, "more d"]:
    """Generated samples from standard noise (n, d); `weights[i]` is the network at `levels[i]`, with a bias if d×(d+1).

    `add_noise(x, std)` is what a stochastic sampler calls for fresh noise.
    """
    d = noise.shape[1]

    def clean_estimate(x: Particles, i: int) -> Particles:
        linear, bias = weights[i][:, :d], weights[i][:, d:].sum(axis=1)
        return denoise(objective, lambda y: y @ linear.T + bias, x, levels[i])

    def velocity(x: Particles, i: int) -> Particles:
        return (x - clean_estimate(x, i)) / levels[i]

    x = noise * sampler.sigma_max
    if type(sampler) not in TWINS:
        return sampler.walk(x, lambda y, sigma: clean_estimate(y, _place(levels, sigma)), add_noise)
    match sampler:
        case ProbabilityFlow():
            return _runge_kutta(velocity, levels, x)
        case Heun():
            for i in range(len(levels) - 1):
                step, slope = levels[i + 1] - levels[i], velocity(x, i)
                x = x + step * (slope + velocity(x + step * slope, i + 1)) / 2
        case Stochastic():
            grid, n = _edm_grid(sampler), sampler.steps
            for i in range(n):
                raised = levels[i]
                if raised > grid[i]:
                    x = add_noise(x, sampler.noise * np.sqrt(raised**2 - grid[i] ** 2))
                slope, step = velocity(x, i), (grid[i + 1] if i + 1 < n else 0.0) - raised
                ahead = x + step * slope
                x = x + step * (slope + velocity(ahead, n + i)) / 2 if i + 1 < n else ahead
            return x
        case EulerMaruyama():
            for i in range(len(levels) - 1):
                lost = levels[i] ** 2 - levels[i + 1] ** 2
                score = (clean_estimate(x, i) - x) / levels[i] ** 2
                x = add_noise(x + lost * score, np.sqrt(lost))
        case _:
            for i in range(len(levels) - 1):
                x = x + (levels[i + 1] - levels[i]) * velocity(x, i)
    return clean_estimate(x, len(levels) - 1)


def _place(levels: Levels, sigma: float) -> int:
    """Where a noise level stands among the trained ones."""
    nearest = int(np.abs(levels - sigma).argmin())
    if not np.isclose(levels[nearest], sigma, rtol=1e-5):  # levels of minibatches have 32 bits
        raise InputError(f"walk must ask for noise levels that are among the sampler's levels, got {sigma:g}")
    return nearest


def _runge_kutta(velocity: Callable[[Particles, int], Particles], levels: Levels, x: Particles) -> Particles:
    """Classical fourth order in ln σ; every second level is a midpoint."""
    step = np.log(levels[2] / levels[0])
    for i in range(0, len(levels) - 1, 2):

        def slope(y: Particles, j: int) -> Particles:
            return levels[j] * velocity(y, j)

        first = slope(x, i)
        second = slope(x + step / 2 * first, i + 1)
        third = slope(x + step / 2 * second, i + 1)
        x = x + step / 6 * (first + 2 * second + 2 * third + slope(x + step * third, i + 2))
    return x
