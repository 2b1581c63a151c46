"""Weights of noise levels that others train by."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..checks import InputError, number_option
from .densities import LogNormal
from .objectives import EDM
from .weighting import Levels, NoiseWeight

EVENLY = (0.002, 80.0)
"""Noise levels between which ln σ is drawn evenly where an objective has no density."""


MOST_POWER = 10.0
"""Largest exponent: beyond it a handful of draws would be the whole loss."""


class _OnError(NoiseWeight):
    """A weight of the denoiser's error |D − x₀|², whatever the objective regresses."""

    @abstractmethod
    def on_clean(self, snr: Levels) -> Levels:
        """Weight of |D − x₀|² at each signal-to-noise ratio 1/σ²."""

    def of(self, objective: Any, sigma: Levels) -> Levels:
        """Weight of the error of the objective's own target."""
        row = objective.row(sigma)
        return self.on_clean(sigma**-2.0) * (row.slope / row.a) ** 2

    def __call__(self, sigma: Levels) -> Levels:
        return self.of(EDM(), sigma)


@dataclass(frozen=True)
class MinSNR(_OnError):
    """min(SNR, γ) on the clean sample's error |D − x₀|², SNR = 1/σ² (Min-SNR-γ; Hang et al. 2023), for any objective.

    It takes the place of an objective's own weight: `EDM(weight=MinSNR())` weighs |D − x₀|² by min(1/σ², γ), whatever its σ_data.

    **Parameters**

    - `gamma`: largest weight, > 0.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> sigma = np.array([0.1, 1.0])
    >>> edm = (sigma**2 + 0.25) / (0.5 * sigma) ** 2  # EDM's own weight of |D − x₀|²
    >>> print(ec.MinSNR(gamma=5.0)(sigma) * edm)
    [5. 1.]

    ```
    """

    gamma: float = 5.0

    def __post_init__(self) -> None:
        number_option(self, "gamma", above=0)

    def on_clean(self, snr: Levels) -> Levels:
        return np.minimum(snr, self.gamma)


@dataclass(frozen=True)
class P2(_OnError):
    """1/(k + SNR)^γ on the noise's error |ε̂ − z|², SNR = 1/σ² (P2 weighting; Choi et al. 2022), for any objective.

    **Parameters**

    - `gamma`: exponent γ, 0 to 10. - `k`: > 0.
    """

    gamma: float = 1.0
    k: float = 1.0

    def __post_init__(self) -> None:
        number_option(self, "gamma", at_least=0, at_most=MOST_POWER)
        number_option(self, "k", above=0)

    def on_clean(self, snr: Levels) -> Levels:
        return snr / (self.k + snr) ** self.gamma


@dataclass(frozen=True)
class Sigmoid(_OnError):
    """sigmoid(bias − ln SNR) on the noise's error |ε̂ − z|², SNR = 1/σ² (Kingma & Gao 2023), for any objective.

    **Parameters**

    - `bias`: −30 to 30; the larger, the lower the noise that still counts in full.
    """

    bias: float = 2.0

    def __post_init__(self) -> None:
        number_option(self, "bias", at_least=-30, at_most=30)

    def on_clean(self, snr: Levels) -> Levels:
        return snr / (1 + snr * np.exp(-self.bias))


@dataclass(frozen=True)
class NoisePower(NoiseWeight):
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
        if density is not None and not isinstance(density, LogNormal):
            raise InputError(
                f"weight must not be NoisePower with a {type(density).__name__}: of LogNormal its mean is known"
            )
        if density is not None:
            return np.exp(self.beta * (np.log(sigma) - density.mean) - (self.beta * density.std) ** 2 / 2)
        low, high = np.log(EVENLY)
        mean = (
            1.0
            if self.beta == 0
            else float(np.exp(self.beta * high) - np.exp(self.beta * low)) / (self.beta * (high - low))
        )
        return sigma**self.beta / mean

    def __call__(self, sigma: Levels) -> Levels:
        """The same for EDM at its defaults."""
        return self.of(EDM(density=LogNormal()), sigma)
