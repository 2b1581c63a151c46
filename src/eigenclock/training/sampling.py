"""The theory's samplers on real denoisers: Euler, Heun, churn, Euler–Maruyama on EDM's grid, and the exact flow (T6)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..checks import InputError
from ..recipe.samplers import Euler, EulerMaruyama, Heun, ProbabilityFlow, Sampler, Stochastic
from .options import Denoiser

FLOW_STEPS, FLOW_SCALE = 40, 0.2
"""Runge–Kutta steps in ln σ that stand for the continuous probability flow, and the σ at which they change variables."""


def evaluations(sampler: Sampler) -> int:
    """How often a sampler calls the denoiser; InputError for one that no network can be sampled with."""
    if isinstance(sampler, ProbabilityFlow) and not (sampler.sigma_min > 0 and np.isfinite(sampler.sigma_max)):
        raise InputError(
            f"sigma_min must be > 0 and sigma_max finite to sample a network, got {sampler.sigma_min:g} and {sampler.sigma_max:g}"
        )
    match sampler:
        case Heun() | Stochastic():
            return 2 * sampler.steps - 1
        case Euler() | EulerMaruyama():
            return sampler.steps
        case ProbabilityFlow():
            return 4 * FLOW_STEPS
        case _:
            raise InputError(f"no torch sampler for {sampler}")


@torch.no_grad()
def sample(
    denoiser: Denoiser, sampler: Sampler, noise: Tensor, *, generator: torch.Generator | None = None, chunk: int = 4096
) -> Tensor:
    """Samples (n, *shape) from standard noise (n, *shape).

    **Parameters**

    - `denoiser`: (x, sigma) → estimate of the clean x; sigma is a 0-dim tensor.
    - `sampler`: any sampler of the theory. `generator`: for those that add noise on the way.
    - `chunk`: samples pushed at a time.
    """
    if len(noise) > chunk:
        parts = [
            sample(denoiser, sampler, part, generator=generator, chunk=chunk) for part in torch.split(noise, chunk)
        ]
        return torch.cat(parts)
    evaluations(sampler)

    def clean(x: Tensor, sigma: float) -> Tensor:
        return denoiser(x, torch.tensor(float(sigma), dtype=x.dtype, device=x.device))

    def slope(x: Tensor, sigma: float) -> Tensor:
        return (x - clean(x, sigma)) / float(sigma)

    def fresh(x: Tensor) -> Tensor:
        return torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)

    x = noise * sampler.sigma_max
    match sampler:
        case ProbabilityFlow():
            return _flow(clean, sampler, x)
        case Stochastic():
            return _heun(slope, x, sampler.raised, np.append(sampler.grid[1:], 0.0), sampler, fresh)
        case Heun():
            return _heun(slope, x, sampler.grid, np.append(sampler.grid[1:], 0.0), None, fresh)
        case Euler():
            for here, there in zip(sampler.grid, np.append(sampler.grid[1:], 0.0), strict=True):
                x = x + float(there - here) * slope(x, here)
            return x
        case EulerMaruyama():
            for here, there in zip(sampler.grid[:-1], sampler.grid[1:], strict=True):
                lost = float(here**2 - there**2)
                x = x - lost / float(here) * slope(x, here) + lost**0.5 * fresh(x)
            return clean(x, sampler.grid[-1])
        case _:
            raise InputError(f"no torch sampler for {sampler}")


def _heun(
    slope: Callable[[Tensor, float], Tensor],
    x: Tensor,
    starts: Any,
    ends: Any,
    churn: Stochastic | None,
    fresh: Callable[[Tensor], Tensor],
) -> Tensor:
    for i, (here, there) in enumerate(zip(starts, ends, strict=True)):
        if churn is not None and here > churn.grid[i]:
            x = x + float(churn.noise * np.sqrt(here**2 - churn.grid[i] ** 2)) * fresh(x)
        step, first = float(there - here), slope(x, here)
        ahead = x + step * first
        x = x + step / 2 * (first + slope(ahead, there)) if there > 0 else ahead
    return x


def _flow(denoiser: Callable[[Tensor, float], Tensor], sampler: ProbabilityFlow, x: Tensor) -> Tensor:
    """Classical Runge–Kutta in ln σ for x/√(σ² + s²), which changes little; no last denoising, as in the theory.

    dx/d ln σ = x − D gives d(x/r)/d ln σ = (x·s²/r² − D)/r, r = √(σ² + s²).
    """
    levels = np.geomspace(sampler.sigma_max, sampler.sigma_min, 2 * FLOW_STEPS + 1)
    step = float(np.log(levels[2] / levels[0]))
    scales = np.sqrt(levels**2 + FLOW_SCALE**2)

    def slope(w: Tensor, i: int) -> Tensor:
        x, r = w * float(scales[i]), float(scales[i])
        return (x * (FLOW_SCALE / r) ** 2 - denoiser(x, levels[i])) / r

    w = x / float(scales[0])
    for i in range(0, len(levels) - 1, 2):
        first = slope(w, i)
        second = slope(w + step / 2 * first, i + 1)
        third = slope(w + step / 2 * second, i + 1)
        w = w + step / 6 * (first + 2 * second + 2 * third + slope(w + step * third, i + 2))
    return w * float(scales[-1])
