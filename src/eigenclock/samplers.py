"""How a gain becomes a generated variance: the probability-flow ODE, exactly (T5) or in the steps of a real sampler (T6).

All samplers integrate dx/dσ = (x − D(x, σ))/σ in the EDM frame, from x = sigma_max·noise. On a mode where D has gain ψ
the equation is linear, so the sampler multiplies the mode's variance by a number that only ψ at `levels` decides. Where D
is a matrix the same steps are products of matrices.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from numbers import Real
from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from .checks import InputError, choice, integer, number
from .transport import magnus_step

Gain: TypeAlias = Float[np.ndarray, "time mode sigma"]
Variance: TypeAlias = Float[np.ndarray, "time mode"]
Levels: TypeAlias = Float[np.ndarray, " sigma"]


Slope: TypeAlias = Any
"""1 − ψ at one noise level: numbers (time, mode), or matrices (..., d, d) that act from the left."""


Product: TypeAlias = Callable[[Any, Any], Any]
"""How two steps follow each other: `np.multiply` for modes on their own, `np.matmul` for matrices."""

Step: TypeAlias = tuple[Any, float]
"""What a sampler does in one step: x ← map·x + noise, as the map and the variance of the noise."""


class Sampler(ABC):
    """Turns noise into samples. Subclasses are frozen dataclasses with `sigma_min` and `sigma_max`."""

    sigma_min: float
    sigma_max: float

    @property
    @abstractmethod
    def levels(self) -> Levels:
        """Noise levels at which the sampler needs the gain."""

    @abstractmethod
    def variance(self, gain: Gain) -> Variance:
        """Generated variance of each mode from its gain at `levels`; inf where it is beyond the range of a float."""

    @property
    def matrix_levels(self) -> Levels:
        """Noise levels at which the sampler needs a denoiser that is a matrix."""
        return self.levels

    @abstractmethod
    def steps_of(self, slope: Sequence[Slope], product: Product, identity: Any) -> Iterator[Step]:
        """The sampler's steps, in order, from 1 − ψ at `matrix_levels`."""

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

    Quadrature doubles its nodes, mode by mode, until ln v is estimated to be right to 1e-10; a gain with a kink (flow matching
    on products of layers) is integrated on either side of it. Networks that mix modes go by sixth-order Magnus steps, three
    nodes each, whose error falls as nodes⁻⁶: about 1e-6 at 60 nodes, 1e-8 at 120.

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

    def _check_bounded(self) -> None:
        if self.sigma_min == 0 or np.isinf(self.sigma_max):
            raise InputError(
                "quadrature needs sigma_min > 0 and a finite sigma_max, "
                f"got sigma_min={self.sigma_min:g}, sigma_max={self.sigma_max:g}"
            )

    @property
    def levels(self) -> Levels:
        self._check_bounded()
        low, high = np.log(self.sigma_min), np.log(self.sigma_max)
        return np.exp((high + low) / 2 + (high - low) / 2 * _gauss_legendre(self.nodes)[0])

    def variance(self, gain: Gain) -> Variance:
        weights = np.log(self.sigma_max / self.sigma_min) / 2 * _gauss_legendre(self.nodes)[1]
        # the weights sum to the length of the interval: int (1 - psi) = length - int psi
        return self.sigma_min**2 * np.exp(2 * (gain @ weights))

    @property
    def matrix_levels(self) -> Levels:
        """Three Gauss nodes in each of nodes/3 panels of ln σ, from high to low."""
        self._check_bounded()
        panels = max(1, self.nodes // 3)
        low, high = np.log(self.sigma_min), np.log(self.sigma_max)
        inner = np.array([0.5, 0.5 + np.sqrt(0.15), 0.5 - np.sqrt(0.15)])[[2, 0, 1]]
        return np.exp(high - (high - low) * (np.arange(panels)[:, None] + inner).ravel() / panels)

    def steps_of(self, slope: Sequence[Slope], product: Product, identity: Any) -> Iterator[Step]:
        """Sixth-order Magnus steps of dx/d ln σ = (1 − ψ)x: the error of ln v falls as nodes⁻⁶."""
        panels = len(slope) // 3
        width = np.log(self.sigma_min / self.sigma_max) / panels
        for i in range(panels):
            yield magnus_step(slope[3 * i], slope[3 * i + 1], slope[3 * i + 2], width, product, identity), 0.0

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
    def grid(self) -> Levels:
        """EDM's noise levels, from high to low."""
        return edm_levels(self.steps, self.sigma_min, self.sigma_max, self.rho)

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

    def _relative_steps(self) -> Levels:
        """Δσ/σ of every step; −1 for the last, to zero noise."""
        levels = self.grid
        return np.append(levels[1:], 0.0) / levels - 1


def _heun(first: Slope, last: Slope | None, step: float, product: Product, identity: Any) -> Any:
    """A step Δσ = step·σ by the average of both ends' slopes; by the first alone where the other end is zero noise."""
    ahead = identity + step * first
    if last is None:
        return ahead
    # Δσ/σ_{i+1} = (Δσ/σ_i)/(1 + Δσ/σ_i)
    return identity + (step * first + step / (1 + step) * product(last, ahead)) / 2


@dataclass(frozen=True)
class Euler(_Stepping):
    """Euler's method on EDM's noise grid (T6): each step multiplies a mode by 1 + (Δσ/σ)(1 − ψ).

    **Parameters**

    - `steps`: number of steps; the last goes from sigma_min to zero noise, where the sample becomes D(x).
    - `rho`: exponent of the noise grid.
    - `sigma_min`, `sigma_max`: smallest positive and largest noise level.
    """

    def steps_of(self, slope: Sequence[Slope], product: Product, identity: Any) -> Iterator[Step]:
        for here, step in zip(slope, self._relative_steps(), strict=True):
            yield identity + step * here, 0.0


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

    def steps_of(self, slope: Sequence[Slope], product: Product, identity: Any) -> Iterator[Step]:
        for i, step in enumerate(self._relative_steps()):
            yield _heun(slope[i], slope[i + 1] if i + 1 < len(slope) else None, step, product, identity), 0.0


@dataclass(frozen=True)
class Stochastic(_Stepping):
    """EDM's stochastic sampler (T6; Karras et al. 2022, Algorithm 2): before each Heun step the noise is raised by churn.

    At noise levels in [churn_min, churn_max] a step first adds noise that takes σ to σ̂ = σ·(1 + γ), γ = min(churn/steps,
    √2 − 1), then goes from σ̂ to the next level. A mode obeys v ← g²·(v + noise²·(σ̂² − σ²)).

    **Parameters**

    - `steps`, `rho`, `sigma_min`, `sigma_max`: as for `Heun`, which this is at `churn=0`.
    - `churn`: EDM's S_churn, >= 0; `churn_min`, `churn_max`: its S_tmin and S_tmax; `noise`: its S_noise, > 0.

    ```python
    >>> import eigenclock as ec
    >>> perfect = dict(time=[float("inf")])
    >>> [round(ec.predict(ec.Spectrum([1.0]), sampler=ec.Stochastic(steps=20, churn=c), **perfect).variance.item(), 3)
    ...  for c in (0.0, 10.0)]
    [1.072, 1.194]

    ```
    """

    churn: float = 40.0
    churn_min: float = 0.05
    churn_max: float = 50.0
    noise: float = 1.003

    def __post_init__(self) -> None:
        super().__post_init__()
        number("churn", self.churn, at_least=0)
        number("churn_min", self.churn_min, at_least=0)
        number("churn_max", self.churn_max, at_least=self.churn_min)
        number("noise", self.noise, above=0)

    @property
    def raised(self) -> Levels:
        """σ̂, the level from which each step starts."""
        inside = (self.grid >= self.churn_min) & (self.grid <= self.churn_max)
        return self.grid * (1 + np.where(inside, min(self.churn / self.steps, np.sqrt(2) - 1), 0.0))

    @property
    def levels(self) -> Levels:
        """σ̂ of every step, then the level at which it ends, but for zero."""
        return np.concatenate([self.raised, self.grid[1:]])

    def steps_of(self, slope: Sequence[Slope], product: Product, identity: Any) -> Iterator[Step]:
        raised, ends = self.raised, np.append(self.grid[1:], 0.0)
        for i in range(self.steps):
            if raised[i] > self.grid[i]:
                yield identity, float(self.noise**2 * (raised[i] ** 2 - self.grid[i] ** 2))
            last = slope[self.steps + i] if i + 1 < self.steps else None
            yield _heun(slope[i], last, ends[i] / raised[i] - 1, product, identity), 0.0


@dataclass(frozen=True)
class EulerMaruyama(_Stepping):
    """Euler–Maruyama steps of the reverse-time diffusion dx = score·ds + dW(s), s = σ² (T6; Song et al. 2021).

    A step multiplies a mode by 1 − (1 − σ'²/σ²)(1 − ψ) and adds noise of variance σ² − σ'²; the last, to zero noise, adds none.

    **Parameters**

    - `steps`, `rho`, `sigma_min`, `sigma_max`: as for `Euler`.
    """

    def steps_of(self, slope: Sequence[Slope], product: Product, identity: Any) -> Iterator[Step]:
        start, end = self.grid, np.append(self.grid[1:], 0.0)
        for i, here in enumerate(slope):
            noise = float(start[i] ** 2 - end[i] ** 2) if i + 1 < self.steps else 0.0
            yield identity - (1 - (end[i] / start[i]) ** 2) * here, noise
