"""The probability-flow ODE itself (T5): quadrature for modes on their own, Magnus steps for matrices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float

from ...checks import InputError, choice, integer_option
from .base import AddNoise, Clean, Gain, Levels, Product, Sampler, Slope, Step, Variance, check_range
from .transport import magnus_step


@lru_cache(maxsize=16)
def _gauss_legendre(nodes: int) -> tuple[Float[np.ndarray, " sigma"], Float[np.ndarray, " sigma"]]:
    return np.polynomial.legendre.leggauss(nodes)


@lru_cache(maxsize=16)
def _last_coefficients(nodes: int) -> Float[np.ndarray, "sigma last"]:
    """Matrix that turns values at the nodes into the last few Legendre coefficients."""
    x, weights = _gauss_legendre(nodes)
    degrees = np.arange(max(nodes - 6, 0), nodes)
    return weights[:, None] * np.polynomial.legendre.legvander(x, nodes - 1)[:, degrees] * (degrees + 0.5)


RESOLVED, MOST_NODES = 1e-11, 1600
"""Estimated error of ln v at which quadrature stops refining, and the most nodes it takes."""


WALK_STEPS, WALK_SCALE = 40, 0.2
"""Runge–Kutta steps in ln σ that stand for the flow on real samples, and the σ at which they change variables."""


@dataclass(frozen=True)
class ProbabilityFlow(Sampler):
    """The probability-flow ODE itself (T5, Lemma 4.1): v = σ_T²·exp(−2∫(1−ψ) d ln σ).

    Quadrature doubles its nodes, mode by mode, until ln v is estimated to be right to 1e-10; where the gain has a kink (flow
    matching on products of layers) or a steep front, panels are halved until nothing changes. Networks that mix modes go by
    sixth-order Magnus steps, three nodes each, which do not refine themselves: their error falls as nodes⁻⁶, about 1e-6 at 60
    nodes and 1e-8 at 120, but 3e-5 and 2e-7 where a noise density makes fronts in σ.

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
        check_range(self.sigma_min, self.sigma_max)
        for name in ("sigma_min", "sigma_max"):
            object.__setattr__(self, name, float(getattr(self, name)))
        choice("method", self.method, ("auto", "closed_form", "quadrature"))
        integer_option(self, "nodes", at_least=2, at_most=MOST_NODES)

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

    @property
    def evaluations(self) -> int:
        return 4 * WALK_STEPS

    def check_walk(self) -> None:
        if not (self.sigma_min > 0 and np.isfinite(self.sigma_max)):
            raise InputError(
                f"sigma_min must be > 0 and sigma_max finite to sample a network, got {self.sigma_min:g} and {self.sigma_max:g}"
            )

    def walk(self, x: Any, clean: Clean, add_noise: AddNoise) -> Any:
        """Classical Runge–Kutta in ln σ for x/√(σ² + s²), which changes little; no last denoising, as in the theory.

        dx/d ln σ = x − D gives d(x/r)/d ln σ = (x·s²/r² − D)/r, r = √(σ² + s²).
        """
        levels = np.geomspace(self.sigma_max, self.sigma_min, 2 * WALK_STEPS + 1)
        step = float(np.log(levels[2] / levels[0]))
        scales = np.sqrt(levels**2 + WALK_SCALE**2)

        def slope(w: Any, i: int) -> Any:
            x, r = w * float(scales[i]), float(scales[i])
            return (x * (WALK_SCALE / r) ** 2 - clean(x, levels[i])) / r

        w = x / float(scales[0])
        for i in range(0, len(levels) - 1, 2):
            first = slope(w, i)
            second = slope(w + step / 2 * first, i + 1)
            third = slope(w + step / 2 * second, i + 1)
            w = w + step / 6 * (first + 2 * second + 2 * third + slope(w + step * third, i + 2))
        return w * float(scales[-1])

    def refined(self, gain: Gain) -> "tuple[Bool[np.ndarray, ' mode'], Sampler] | None":
        """By the gain's last Legendre coefficients δ: an n-point rule sees twice their degree, so its error is about δ²."""
        if self.nodes >= MOST_NODES:
            return None
        tail = gain @ _last_coefficients(self.nodes) * np.log(self.sigma_max / self.sigma_min)
        unresolved = (tail**2).max(axis=(0, 2)) > RESOLVED
        return (unresolved, replace(self, nodes=2 * self.nodes)) if unresolved.any() else None
