"""How often training draws each noise level: densities in ln σ, of the EDM frame, y = x₀ + σz."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import scipy
from jaxtyping import Float

from ..checks import InputError, finite_array, flag, integer_option, noise_levels, number_option, shown
from .weighting import Levels

GRID = np.linspace(-16.0, 16.0, 8001)
"""Values of ln σ on which the draws of a density that only says its values are tabulated."""

MOST_LOG = 30.0
"""Largest |ln σ| of a density's centre, and its largest width."""


class Density(ABC):
    """Density p(ln σ) of training noise levels: it scales each level's rate in theory, and is what training draws from.

    A subclass of one's own needs `__call__` alone: `draw` tabulates it from σ = 1e-7 to 9e6. A frozen dataclass can be kept in
    files.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> class Band(ec.Density):
    ...     def __call__(self, sigma):
    ...         return np.where((sigma > 0.1) & (sigma < 1), 1 / np.log(10), 0.0)
    >>> drawn = Band().draw(1000, np.random.default_rng(0))
    >>> bool((drawn > 0.0995).all() and (drawn < 1.005).all())
    True

    ```
    """

    @abstractmethod
    def __call__(self, sigma: Levels) -> Levels:
        """Probability density of ln σ at each level."""

    def draw(self, n: int, generator: np.random.Generator) -> Float[np.ndarray, " n"]:
        """Noise levels (n,)."""
        values = finite_array("density", self(np.exp(GRID)), "a function from noise levels (sigma,) to densities >= 0")
        if values.shape != GRID.shape or values.min() < 0 or not values.any():
            raise InputError("density must give a number >= 0 for each noise level, and not 0 for all")
        return np.exp(_quantile(generator.random(n), GRID, values))


def _quantile(
    share: Float[np.ndarray, " n"], place: Float[np.ndarray, " grid"], density: Float[np.ndarray, " grid"]
) -> Float[np.ndarray, " n"]:
    """Where a density that is linear between places has this share of its mass below."""
    width = np.diff(place)
    mass = np.append(0.0, np.cumsum((density[1:] + density[:-1]) / 2 * width))
    wanted = share * mass[-1]
    cell = np.clip(np.searchsorted(mass, wanted, side="right") - 1, 0, width.size - 1)
    left, slope, rest = density[cell], np.diff(density)[cell] / width[cell], wanted - mass[cell]
    # the root of left·x + slope·x²/2 = rest that does not cancel
    root = np.sqrt(np.maximum(left**2 + 2 * slope * rest, 0.0))
    moved = 2 * rest / np.maximum(left + root, np.finfo(float).tiny)
    return place[cell] + np.minimum(moved, width[cell])


@dataclass(frozen=True)
class LogNormal(Density):
    """Density of training noise levels: ln σ is normal (EDM: mean −1.2, std 1.2).

    The logit-normal times of flow matching are this too: a noise share s/(1+s) whose logit is normal (m, std) has ln σ normal
    (m, std).

    **Parameters**

    - `mean`: of ln σ, −30 to 30. - `std`: of ln σ, > 0 and at most 30.
    """

    mean: float = -1.2
    std: float = 1.2

    def __post_init__(self) -> None:
        number_option(self, "mean", label="density.mean")
        number_option(self, "std", above=0, label="density.std")
        if max(abs(self.mean), self.std) > MOST_LOG:
            raise InputError(f"density must have |mean| and std <= {MOST_LOG:g}, got {self.mean:g} and {self.std:g}")

    def __call__(self, sigma: Levels) -> Levels:
        z = (np.log(sigma) - self.mean) / self.std
        return np.exp(-(z**2) / 2) / (self.std * np.sqrt(2 * np.pi))

    def draw(self, n: int, generator: np.random.Generator) -> Float[np.ndarray, " n"]:
        return np.exp(self.mean + self.std * generator.standard_normal(n))


SMOOTH, MOST_NOISE = 100, 1e8
"""Steps of a schedule from which a cubic spline through them rises everywhere, and the largest σ that it may end at."""

SMALLEST_SHARE = 1e-9
"""Draws of a time keep this far from its ends, where σ would be 0 or infinite."""


@dataclass(frozen=True)
class UniformTime(Density):
    """Flow matching's uniform times: σ = (1−t)/t with t even in (0, 1), so that p(ln σ) = σ/(1+σ)²."""

    def __call__(self, sigma: Levels) -> Levels:
        return sigma / (1 + sigma) ** 2

    def draw(self, n: int, generator: np.random.Generator) -> Float[np.ndarray, " n"]:
        time = np.clip(generator.random(n), SMALLEST_SHARE, 1 - SMALLEST_SHARE)
        return (1 - time) / time


@dataclass(frozen=True)
class CosineTime(Density):
    """Uniform times of the cosine schedule (Nichol & Dhariwal 2021): σ = tan(πt/2), so that p(ln σ) = (2/π)·σ/(1+σ²)."""

    def __call__(self, sigma: Levels) -> Levels:
        return 2 / np.pi * sigma / (1 + sigma**2)

    def draw(self, n: int, generator: np.random.Generator) -> Float[np.ndarray, " n"]:
        time = np.clip(generator.random(n), SMALLEST_SHARE, 1 - SMALLEST_SHARE)
        return np.tan(np.pi / 2 * time)


@dataclass(frozen=True)
class BetaSchedule(Density):
    """Uniform steps of a β schedule: DDPM's linear one by default (Ho et al. 2020), σ_i² = (1 − ᾱ_i)/ᾱ_i.

    Draws are the schedule's own levels; as a density in ln σ they are taken for a smooth curve from the first to the last.

    **Parameters**

    - `start`, `end`: first and last β, in (0, 1). - `steps`: number of them, >= 2.
    - `scaled`: √β runs evenly, in place of β, as in latent diffusion ("scaled_linear" of diffusers).
    """

    start: float = 1e-4
    end: float = 0.02
    steps: int = 1000
    scaled: bool = False

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            number_option(self, name, above=0, below=1, label=f"density.{name}")
        integer_option(self, "steps", at_least=2, at_most=10**6)
        flag("density.scaled", self.scaled)
        with np.errstate(over="ignore"):
            last = self.levels[-1]
        if not last < MOST_NOISE:
            raise InputError(
                f"density must leave some signal at its last step, got end = {self.end:g} in {self.steps} steps: σ = {last:.2g}"
            )

    @property
    def levels(self) -> Float[np.ndarray, " step"]:
        """Noise levels of the schedule, rising."""
        return _schedule(self.start, self.end, self.steps, self.scaled)

    def __call__(self, sigma: Levels) -> Levels:
        place, x = np.log(self.levels), np.log(sigma)
        inside = (x >= place[0]) & (x <= place[-1])
        share = _share(self.start, self.end, self.steps, self.scaled)
        return np.where(inside, np.maximum(share(np.clip(x, place[0], place[-1]), 1), 0.0), 0.0)

    def draw(self, n: int, generator: np.random.Generator) -> Float[np.ndarray, " n"]:
        return self.levels[generator.integers(0, self.steps, n)]


@lru_cache(maxsize=16)
def _schedule(start: float, end: float, steps: int, scaled: bool) -> Float[np.ndarray, " step"]:
    beta = np.linspace(start**0.5, end**0.5, steps) ** 2 if scaled else np.linspace(start, end, steps)
    log_signal = np.cumsum(np.log1p(-beta))
    return np.sqrt(np.expm1(-log_signal))


@lru_cache(maxsize=16)
def _share(start: float, end: float, steps: int, scaled: bool) -> Any:
    """Share of the steps below each ln σ, a spline; of few steps one that never falls."""
    kind = scipy.interpolate.CubicSpline if steps >= SMOOTH else scipy.interpolate.PchipInterpolator
    return kind(np.log(_schedule(start, end, steps, scaled)), np.linspace(0, 1, steps))


@dataclass(frozen=True, repr=False)
class DensityTable(Density):
    """A density by its values at some noise levels, linear in ln σ between them and 0 beyond; scaled to mass 1.

    **Parameters**

    - `sigma`: (level,) rising noise levels > 0, at least two. - `density`: (level,) numbers >= 0, not all 0.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> table = ec.DensityTable([0.01, 0.1, 1.0], [0.0, 1.0, 0.0])
    >>> table(np.array([0.1])).round(4).tolist()  # a triangle two decades wide
    [0.4343]

    ```
    """

    sigma: Any
    density: Any

    def __post_init__(self) -> None:
        levels = noise_levels(self.sigma)
        values = finite_array("density", self.density, "numbers >= 0, one for each noise level")
        if levels.size < 2 or (np.diff(levels) <= 0).any():
            raise InputError(f"sigma must be at least two rising noise levels, got {shown(levels.tolist())}")
        if values.shape != levels.shape or values.min() < 0 or not values.any():
            raise InputError(
                f"density must be {levels.size} numbers >= 0, not all 0, as many as noise levels, got {shown(list(values))}"
            )
        object.__setattr__(self, "sigma", tuple(levels.tolist()))
        object.__setattr__(self, "density", tuple(values.tolist()))

    def __repr__(self) -> str:
        return f"DensityTable({len(self.sigma)} levels, {self.sigma[0]:.3g} to {self.sigma[-1]:.3g})"

    def __call__(self, sigma: Levels) -> Levels:
        place, values = np.log(self.sigma), np.array(self.density)
        values = values / (np.diff(place) * (values[1:] + values[:-1]) / 2).sum()
        return np.interp(np.log(sigma), place, values, left=0.0, right=0.0)

    def draw(self, n: int, generator: np.random.Generator) -> Float[np.ndarray, " n"]:
        return np.exp(_quantile(generator.random(n), np.log(self.sigma), np.array(self.density)))
