"""Pushing particles through a sampler, with one trained matrix per noise level."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from ..checks import InputError
from ..objectives import Objective
from ..samplers import Euler, Heun, ProbabilityFlow, Sampler
from .pairs import denoise

Particles = Float[np.ndarray, "n d"]
Matrices = Float[np.ndarray, "sigma d d"]
Levels = Float[np.ndarray, " sigma"]

FLOW_STEPS = 60
"""Runge–Kutta steps, uniform in ln σ, that stand for the continuous probability flow (error per mode < 1e-4)."""


def sampling_levels(sampler: Sampler) -> Levels:
    """Noise levels, from high to low, at which `push` needs a trained network."""
    low, high = sampler.sigma_min, sampler.sigma_max
    match sampler:
        case ProbabilityFlow():
            if low == 0 or np.isinf(high):
                raise InputError(f"sigma_min must be > 0 and sigma_max finite for simulate, got {low:g} and {high:g}")
            return np.geomspace(high, low, 2 * FLOW_STEPS + 1)
        case Euler() | Heun():
            i, rho = np.arange(sampler.steps), sampler.rho
            return (high ** (1 / rho) + i / (sampler.steps - 1) * (low ** (1 / rho) - high ** (1 / rho))) ** rho
        case _:
            raise InputError(f"sampler must be ProbabilityFlow, Euler or Heun for simulate, got {sampler}")


def push(sampler: Sampler, objective: Objective, weights: Matrices, levels: Levels, noise: Particles) -> Particles:
    """Generated samples from standard noise (n, d); `weights[i]` is the network at `levels[i]`."""

    def velocity(x: Particles, i: int) -> Particles:
        clean = denoise(objective, lambda y: y @ weights[i].T, x, levels[i])
        return (x - clean) / levels[i]

    x = noise * levels[0]
    match sampler:
        case ProbabilityFlow():
            return _runge_kutta(velocity, levels, x)
        case Heun():
            for i in range(len(levels) - 1):
                step, slope = levels[i + 1] - levels[i], velocity(x, i)
                x = x + step * (slope + velocity(x + step * slope, i + 1)) / 2
        case _:
            for i in range(len(levels) - 1):
                x = x + (levels[i + 1] - levels[i]) * velocity(x, i)
    return x - levels[-1] * velocity(x, len(levels) - 1)


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
