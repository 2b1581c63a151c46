"""How a gain becomes a generated variance: the probability-flow ODE, exactly (T5) or in the steps of a real sampler (T6).

All samplers integrate dx/dσ = (x − D(x, σ))/σ in the EDM frame, from x = sigma_max·noise. On a mode where D has gain ψ
the equation is linear, so the sampler multiplies the mode's variance by a number that only ψ at `levels` decides.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import lru_cache
from numbers import Real
from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from .checks import InputError, choice, integer, number

Gain: TypeAlias = Float[np.ndarray, "time mode sigma"]
Variance: TypeAlias = Float[np.ndarray, "time mode"]
Levels: TypeAlias = Float[np.ndarray, " sigma"]


class Sampler(ABC):
    """A deterministic sampler. Subclasses are frozen dataclasses with `sigma_min` and `sigma_max`."""

    sigma_min: float
    sigma_max: float

    @property
    @abstractmethod
    def levels(self) -> Levels:
        """Noise levels at which the sampler needs the gain."""

    @abstractmethod
    def variance(self, gain: Gain) -> Variance:
        """Generated variance of each mode from its gain at `levels`; inf where it is beyond the range of a float."""

    def refined(self, gain: Gain) -> "tuple[Bool[np.ndarray, ' mode'], Sampler] | None":
        """Modes whose gain `levels` do not resolve, and the same sampler on finer levels; None if there is nothing to refine."""
        return None


def _check_range(sigma_min: Any, sigma_max: Any) -> None:
    number("sigma_min", sigma_min)
    if not isinstance(sigma_max, Real):
        raise InputError(f"sigma_max must be a number, got {sigma_max!r}")
    if not 0 <= sigma_min < sigma_max:
        raise InputError(
            f"sigma_min must be >= 0 and < sigma_max, got sigma_min={sigma_min:g}, sigma_max={sigma_max:g}"
        )


@lru_cache(maxsize=16)
def _gauss_legendre(nodes: int) -> tuple[Float[np.ndarray, " sigma"], Float[np.ndarray, " sigma"]]:
    return np.polynomial.legendre.leggauss(nodes)


@lru_cache(maxsize=16)
def _last_coefficients(nodes: int) -> Float[np.ndarray, "sigma last"]:
    """Matrix that turns values at the nodes into the last few Legendre coefficients."""
    x, weights = _gauss_legendre(nodes)
    degrees = np.arange(max(nodes - 6, 0), nodes)
    return weights[:, None] * np.polynomial.legendre.legvander(x, nodes - 1)[:, degrees] * (degrees + 0.5)


RESOLVED, MOST_NODES = 1e-11, 3200
"""Estimated error of ln v at which quadrature stops refining, and the most nodes it takes."""


@dataclass(frozen=True)
class ProbabilityFlow(Sampler):
    """The probability-flow ODE itself (T5, Lemma 4.1): v = σ_T²·exp(−2∫(1−ψ) d ln σ).

    Quadrature doubles its nodes, mode by mode, until ln v is estimated to be right to 1e-10, or the gain turns out to have a
    kink (flow matching on tied layers) that 3,200 nodes do not resolve: ln v is then right to about 1e-6.

    **Parameters**

    - `sigma_min`, `sigma_max`: noise levels between which samples are integrated. `0` and `inf` are possible where a
      closed form exists (flow matching with one layer).
    - `method`: "closed_form", "quadrature" (Gauss–Legendre in ln σ), or "auto": closed form wherever there is one.
    - `nodes`: number of quadrature nodes to begin with.
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0
    method: Literal["auto", "closed_form", "quadrature"] = "auto"
    nodes: int = 100

    def __post_init__(self) -> None:
        _check_range(self.sigma_min, self.sigma_max)
        choice("method", self.method, ("auto", "closed_form", "quadrature"))
        integer("nodes", self.nodes, at_least=2)

    @property
    def levels(self) -> Levels:
        if self.sigma_min == 0 or np.isinf(self.sigma_max):
            raise InputError(
                "quadrature needs sigma_min > 0 and a finite sigma_max, "
                f"got sigma_min={self.sigma_min:g}, sigma_max={self.sigma_max:g}"
            )
        low, high = np.log(self.sigma_min), np.log(self.sigma_max)
        return np.exp((high + low) / 2 + (high - low) / 2 * _gauss_legendre(self.nodes)[0])

    def variance(self, gain: Gain) -> Variance:
        weights = np.log(self.sigma_max / self.sigma_min) / 2 * _gauss_legendre(self.nodes)[1]
        # the weights sum to the length of the interval: int (1 - psi) = length - int psi
        return self.sigma_min**2 * np.exp(2 * (gain @ weights))

    def refined(self, gain: Gain) -> "tuple[Bool[np.ndarray, ' mode'], Sampler] | None":
        """By the gain's last Legendre coefficients δ: an n-point rule sees twice their degree, so its error is about δ²."""
        if self.nodes >= MOST_NODES:
            return None
        tail = gain @ _last_coefficients(self.nodes) * np.log(self.sigma_max / self.sigma_min)
        unresolved = (tail**2).max(axis=(0, 2)) > RESOLVED
        return (unresolved, replace(self, nodes=2 * self.nodes)) if unresolved.any() else None


def edm_levels(steps: int, sigma_min: float, sigma_max: float, rho: float) -> Levels:
    """EDM's noise levels σ_0 = sigma_max > … > σ_{steps−1} = sigma_min, evenly spaced in σ^{1/ρ} (Karras et al. 2022, Eq. 5)."""
    fraction = np.linspace(0, 1, steps)
    return (sigma_max ** (1 / rho) + fraction * (sigma_min ** (1 / rho) - sigma_max ** (1 / rho))) ** rho


@dataclass(frozen=True)
class _Stepping(Sampler):
    """Common to the discrete samplers: `steps` steps on EDM's grid, the last from sigma_min to zero noise."""

    steps: int = 20
    rho: float = 7.0
    sigma_min: float = 0.002
    sigma_max: float = 80.0

    def __post_init__(self) -> None:
        number("sigma_min", self.sigma_min, above=0)
        number("sigma_max", self.sigma_max, above=0)
        _check_range(self.sigma_min, self.sigma_max)
        number("rho", self.rho, at_least=1)
        integer("steps", self.steps, at_least=2)

    @property
    def levels(self) -> Levels:
        return edm_levels(self.steps, self.sigma_min, self.sigma_max, self.rho)

    def _relative_steps(self) -> Levels:
        """Δσ/σ of every step; −1 for the last, to zero noise."""
        levels = self.levels
        return np.append(levels[1:], 0.0) / levels - 1


@dataclass(frozen=True)
class Euler(_Stepping):
    """Euler's method on EDM's noise grid (T6): each step multiplies a mode by 1 + (Δσ/σ)(1 − ψ).

    **Parameters**

    - `steps`: number of steps; the last goes from sigma_min to zero noise, where the sample becomes D(x).
    - `rho`: exponent of the noise grid.
    - `sigma_min`, `sigma_max`: smallest positive and largest noise level.
    """

    def variance(self, gain: Gain) -> Variance:
        factor = 1 + self._relative_steps() * (1 - gain)
        return self.sigma_max**2 * np.prod(factor, axis=-1) ** 2


@dataclass(frozen=True)
class Heun(_Stepping):
    """EDM's second-order sampler without churn (T6): the average of both ends' slopes, Euler for the step to zero noise.

    **Parameters**

    - `steps`: number of steps; the last, from sigma_min to zero noise, is an Euler step.
    - `rho`: exponent of the noise grid.
    - `sigma_min`, `sigma_max`: smallest positive and largest noise level.

    ```python
    >>> import eigenclock as ec
    >>> perfect = ec.predict(ec.Spectrum([1.0]), sampler=ec.Heun(steps=20), time=[float("inf")])
    >>> round(perfect.variance.item(), 3)  # the sampler's own bias: 7 % too much
    1.072

    ```
    """

    def variance(self, gain: Gain) -> Variance:
        step, slope = self._relative_steps(), 1 - gain
        factor = 1 + step * slope
        # Δσ/σ_{i+1} = (Δσ/σ_i)/(1 + Δσ/σ_i)
        corrected = step[:-1] / (1 + step[:-1]) * slope[..., 1:] * factor[..., :-1]
        factor[..., :-1] = 1 + (step[:-1] * slope[..., :-1] + corrected) / 2
        return self.sigma_max**2 * np.prod(factor, axis=-1) ** 2
