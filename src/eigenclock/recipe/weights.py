"""Weights of noise levels that others train by: what multiplies EDM's own weight."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..checks import InputError, number_option
from .objectives import EDM, LogNormal
from .weighting import Levels, NoiseWeight

EVENLY = (0.002, 80.0)
"""Noise levels between which ln σ is drawn evenly where an objective has no density."""


class _OfEDM(NoiseWeight):
    """A weight that multiplies EDM's own."""

    def __call__(self, sigma: Levels) -> Levels:
        """The same for EDM at its defaults."""
        return self.of(EDM(density=LogNormal()), sigma)


@dataclass(frozen=True)
class MinSNR(_OfEDM):
    """min(SNR, γ) on the clean sample's error, SNR = 1/σ² (Min-SNR-γ; Hang et al. 2023), relative to EDM's weight.

    `EDM(weight=MinSNR())` weighs |D − x₀|² by min(1/σ², γ), whatever its σ_data. InputError for another objective than `EDM`.

    **Parameters**

    - `gamma`: largest weight, > 0.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> sigma = np.array([0.1, 1.0])
    >>> edm = (sigma**2 + 0.25) / (0.5 * sigma) ** 2
    >>> print(ec.MinSNR(gamma=5.0)(sigma) * edm)
    [5. 1.]

    ```
    """

    gamma: float = 5.0

    def __post_init__(self) -> None:
        number_option(self, "gamma", above=0)

    def of(self, objective: Any, sigma: Levels) -> Levels:
        """Weight relative to EDM's at each noise level."""
        if not isinstance(objective, EDM):
            raise InputError(
                f"weight must not be MinSNR for {type(objective).__name__}: it is relative to EDM's weight"
            )
        own = (sigma**2 + objective.sigma_data**2) / (sigma * objective.sigma_data) ** 2
        return np.minimum(sigma**-2.0, self.gamma) / own


MOST_POWER = 10.0
"""Largest exponent: beyond it a handful of draws would be the whole loss."""


@dataclass(frozen=True)
class NoisePower(_OfEDM):
    """σ^β, scaled so that its mean over the noise levels that the objective draws is 1.

    Those are of its density; without one ln σ is even from 0.002 to 80.

    **Parameters**

    - `beta`: exponent from −10 to 10; below 0 low noise is favoured.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> ln_sigma = np.linspace(-12, 10, 20001)
    >>> weight, density = ec.NoisePower(beta=1.0)(np.exp(ln_sigma)), ec.LogNormal()(np.exp(ln_sigma))
    >>> round(float((weight * density).sum() * (ln_sigma[1] - ln_sigma[0])), 6)
    1.0

    ```
    """

    beta: float

    def __post_init__(self) -> None:
        number_option(self, "beta", at_least=-MOST_POWER, at_most=MOST_POWER)

    def of(self, objective: Any, sigma: Levels) -> Levels:
        """Weight at each noise level; of ln σ normal, E σ^β = exp(βm + β²s²/2)."""
        density = objective.density
        if density is not None:
            return np.exp(self.beta * (np.log(sigma) - density.mean) - (self.beta * density.std) ** 2 / 2)
        low, high = np.log(EVENLY)
        mean = (
            1.0
            if self.beta == 0
            else float(np.exp(self.beta * high) - np.exp(self.beta * low)) / (self.beta * (high - low))
        )
        return sigma**self.beta / mean
