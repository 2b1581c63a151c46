"""Samplers that add noise on the way: EDM's churn, and Euler–Maruyama for the reverse diffusion (T6)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...checks import number_option
from .base import AddNoise, Clean, Levels, Product, Slope, Step
from .stepping import Stepping, heun_map, heun_step, slope_at


@dataclass(frozen=True)
class Stochastic(Stepping):
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
        number_option(self, "churn", at_least=0)
        number_option(self, "churn_min", at_least=0)
        number_option(self, "churn_max", at_least=self.churn_min)
        number_option(self, "noise", above=0)

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
        raised, ends = self.raised, self.ends
        for i in range(self.steps):
            if raised[i] > self.grid[i]:
                yield identity, float(self.noise**2 * (raised[i] ** 2 - self.grid[i] ** 2))
            last = slope[self.steps + i] if i + 1 < self.steps else None
            yield heun_map(slope[i], last, ends[i] / raised[i] - 1, product, identity), 0.0

    @property
    def evaluations(self) -> int:
        return 2 * self.steps - 1

    def walk(self, x: Any, clean: Clean, add_noise: AddNoise) -> Any:
        for level, here, there in zip(self.grid, self.raised, self.ends, strict=True):
            if here > level:
                x = add_noise(x, float(self.noise * np.sqrt(here**2 - level**2)))
            x = heun_step(x, clean, here, there)
        return x


@dataclass(frozen=True)
class EulerMaruyama(Stepping):
    """Euler–Maruyama steps of the reverse-time diffusion dx = score·ds + dW(s), s = σ² (T6; Song et al. 2021).

    A step multiplies a mode by 1 − (1 − σ'²/σ²)(1 − ψ) and adds noise of variance σ² − σ'²; the last, to zero noise, adds none.

    **Parameters**

    - `steps`, `rho`, `sigma_min`, `sigma_max`: as for `Euler`.
    """

    papers: ClassVar[tuple[str, ...]] = ("edm", "sde")

    def steps_of(self, slope: Sequence[Slope], product: Product, identity: Any) -> Iterator[Step]:
        start, end = self.grid, self.ends
        for i, here in enumerate(slope):
            noise = float(start[i] ** 2 - end[i] ** 2) if i + 1 < self.steps else 0.0
            yield identity - (1 - (end[i] / start[i]) ** 2) * here, noise

    @property
    def evaluations(self) -> int:
        return self.steps

    def walk(self, x: Any, clean: Clean, add_noise: AddNoise) -> Any:
        for here, there in zip(self.grid[:-1], self.grid[1:], strict=True):
            lost = float(here**2 - there**2)
            x = add_noise(x - lost / float(here) * slope_at(x, clean, here), lost**0.5)
        return clean(x, self.grid[-1])
