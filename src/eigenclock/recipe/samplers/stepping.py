"""Discrete samplers on EDM's noise grid: what they have in common (T6; Karras et al. 2022)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...checks import integer_option, number_option
from .base import Clean, Gain, Levels, Product, Sampler, Slope, Variance, check_range
from .noise_levels import edm_levels


@dataclass(frozen=True)
class Stepping(Sampler):
    """Common to the discrete samplers: `steps` steps on EDM's grid, the last from sigma_min to zero noise."""

    steps: int = 20
    rho: float = 7.0
    sigma_min: float = 0.002
    sigma_max: float = 80.0
    papers: ClassVar[tuple[str, ...]] = ("edm",)

    def __post_init__(self) -> None:
        number_option(self, "sigma_min", above=0)
        number_option(self, "sigma_max", above=0)
        check_range(self.sigma_min, self.sigma_max)
        number_option(self, "rho", at_least=1)
        integer_option(self, "steps", at_least=2)

    @property
    def grid(self) -> Levels:
        """EDM's noise levels, from high to low."""
        return edm_levels(self.steps, self.sigma_min, self.sigma_max, self.rho)

    @property
    def ends(self) -> Levels:
        """Where each step ends: the next level, and zero for the last."""
        return np.append(self.grid[1:], 0.0)

    @property
    def levels(self) -> Levels:
        return self.grid

    def variance(self, gain: Gain) -> Variance:
        """The recursion v ← map²·v + noise."""
        slope = [1 - gain[..., i] for i in range(gain.shape[-1])]
        variance = np.full(gain.shape[:-1], self.sigma_max**2)
        for factor, noise in self.steps_of(slope, np.multiply, 1.0):
            variance *= factor**2
            variance += noise
        return variance

    def relative_steps(self) -> Levels:
        """Δσ/σ of every step; −1 for the last, to zero noise."""
        return self.ends / self.grid - 1


def slope_at(x: Any, clean: Clean, sigma: float) -> Any:
    """dx/dσ of the probability flow at a sample: (x − D(x, σ))/σ."""
    return (x - clean(x, sigma)) / float(sigma)


def heun_step(x: Any, clean: Clean, here: float, there: float) -> Any:
    """Heun's step of a sample from one noise level to another, Euler's where the other is zero."""
    step, first = float(there - here), slope_at(x, clean, here)
    ahead = x + step * first
    return x + step / 2 * (first + slope_at(ahead, clean, there)) if there > 0 else ahead


def heun_map(first: Slope, last: Slope | None, step: float, product: Product, identity: Any) -> Any:
    """A step Δσ = step·σ by the average of both ends' slopes; by the first alone where the other end is zero noise."""
    ahead = identity + step * first
    if last is None:
        return ahead
    # Δσ/σ_{i+1} = (Δσ/σ_i)/(1 + Δσ/σ_i)
    return identity + (step * first + step / (1 + step) * product(last, ahead)) / 2
