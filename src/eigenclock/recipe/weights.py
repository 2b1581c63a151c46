"""Weights of noise levels that others train by: what multiplies EDM's own weight."""

from dataclasses import dataclass

import numpy as np

from ..checks import number_option
from .objectives import EDM_SIGMA_DATA, Levels, LogNormal


class NoiseWeight:
    """A weight of noise levels that a file can hold. Subclasses are frozen dataclasses, called with σ."""


@dataclass(frozen=True)
class MinSNR(NoiseWeight):
    """min(SNR, γ) on the clean sample's error, SNR = 1/σ² (Min-SNR-γ; Hang et al. 2023), relative to EDM's weight.

    `EDM(weight=MinSNR())` weighs |D − x₀|² by min(1/σ², γ).

    **Parameters**

    - `gamma`: largest weight, > 0. - `sigma_data`: that of the EDM objective.

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
    sigma_data: float = EDM_SIGMA_DATA

    def __post_init__(self) -> None:
        number_option(self, "gamma", above=0)
        number_option(self, "sigma_data", above=0)

    def __call__(self, sigma: Levels) -> Levels:
        """Weight relative to EDM's at each noise level."""
        own = (sigma**2 + self.sigma_data**2) / (sigma * self.sigma_data) ** 2
        return np.minimum(sigma**-2.0, self.gamma) / own


@dataclass(frozen=True)
class NoisePower(NoiseWeight):
    """σ^β, scaled so that its mean over the noise levels that are drawn is 1.

    **Parameters**

    - `beta`: exponent; below 0 low noise is favoured. - `density`: of the noise levels.

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
    density: LogNormal = LogNormal()  # noqa: RUF009 (a frozen dataclass)

    def __post_init__(self) -> None:
        number_option(self, "beta")

    def __call__(self, sigma: Levels) -> Levels:
        """Weight at each noise level; of ln σ normal, E σ^β = exp(βm + β²s²/2)."""
        mean, std = self.density.mean, self.density.std
        return np.exp(self.beta * (np.log(sigma) - mean) - (self.beta * std) ** 2 / 2)
