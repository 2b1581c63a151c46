"""The noise levels that a discrete sampler visits: EDM's schedule (Karras et al. 2022)."""

import numpy as np

from .base import Levels


def edm_levels(steps: int, sigma_min: float, sigma_max: float, rho: float) -> Levels:
    """EDM's noise levels σ_0 = sigma_max > … > σ_{steps−1} = sigma_min, evenly spaced in σ^{1/ρ} (Karras et al. 2022, Eq. 5)."""
    fraction = np.linspace(0, 1, steps)
    return (sigma_max ** (1 / rho) + fraction * (sigma_min ** (1 / rho) - sigma_max ** (1 / rho))) ** rho
