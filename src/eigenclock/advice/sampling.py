"""What the data ask of a sampler: the noise levels between which it must work, and how many steps (T6)."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..recipe.samplers import Sampler
from .groups import Groups

END_SHARE = 0.005
"""Distance from the data, as a share of their norm, that each end of the range of noise levels may cost."""

BIAS = 0.02
"""The same that the steps may cost."""

RANGE = (1e-6, 1e6)
"""Noise levels, in units of the data's root mean square deviation, among which the ends are sought."""

MOST_STEPS = 1000


@dataclass(frozen=True)
class SamplingAdvice:
    """Noise levels and steps that the data need, for a sampler of the user's kind.

    - `sigma_min`, `sigma_max`: the widest step to zero noise, and the smallest start, that cost 0.5 % of the data's norm each.
    - `steps`: fewest for which the sampler makes of a perfect denoiser samples within 2 % of the data's norm, between those
      levels; None where 1,000 are not enough, or the sampler has none. - `bias`: that distance. - `given`: distance that the
      user's own sampler leaves.
    """

    sigma_min: float
    sigma_max: float
    steps: int | None
    bias: float
    given: float

    def __str__(self) -> str:
        kept = f"sigma_min {self.sigma_min:.2g}, sigma_max {self.sigma_max:.3g}"
        if self.steps is None:
            return f"{kept}; the sampler's own share of the distance is {self.given:.1%}"
        left = f"{self.bias:.1%} of the data's norm to the sampler; yours leaves {self.given:.1%}"
        return f"{kept} and {self.steps} steps leave {left}"


def sampling_advice(groups: Groups, sampler: Sampler) -> SamplingAdvice:
    """Tight noise levels of the data, and steps, by the optimal denoiser alone."""
    low, high = noise_range(groups)
    given = own_share(groups, sampler)
    steps, bias = None, given
    if hasattr(sampler, "steps"):
        found = _fewest(groups, sampler, low, high)
        if found is not None:
            steps, bias = found
    return SamplingAdvice(low, high, steps, bias, given)


def own_share(groups: Groups, sampler: Sampler) -> float:
    """Distance from the data that a sampler leaves of a perfect denoiser, as a share of their norm."""
    return float(groups.distance(sampler.bound(groups.spectrum).optimal(groups.variance)))


def noise_range(groups: Groups) -> tuple[float, float]:
    """Largest end and smallest start of sampling that each cost at most 0.5 % of the data's norm, to two digits.

    By the exact flow: a start from N(0, σ²) in place of N(μ, λ + σ²) leaves (1 − σ/√(λ+σ²))²λ + μ²λ/(λ+σ²) along a mode, a
    last step from σ to zero noise (1 − √(λ/(λ+σ²)))²λ.
    """
    sigma = groups.scale * np.geomspace(*RANGE, 1201)[:, None]
    known = groups.variance
    left = known / (known + sigma**2)
    start = (known * (1 - np.sqrt(1 - left)) ** 2) @ groups.weight + left @ groups.mean
    end = (known * (1 - np.sqrt(left)) ** 2) @ groups.weight
    allowed = END_SHARE**2 * groups.total
    level = sigma[:, 0]
    low = level[np.flatnonzero(end <= allowed)[-1]] if (end <= allowed).any() else level[0]
    high = (
        level[np.flatnonzero(start > allowed)[-1] + 1]
        if (start > allowed).any() and start[-1] <= allowed
        else level[-1]
    )
    return _digits(low, np.floor), _digits(high, np.ceil)


def _digits(value: float, towards: Any) -> float:
    """Two digits of a number, rounded one way."""
    unit = 10.0 ** (np.floor(np.log10(value)) - 1)
    return float(f"{towards(value / unit) * unit:.2g}")


def _fewest(groups: Groups, sampler: Sampler, low: float, high: float) -> tuple[int, float] | None:
    """Fewest steps, by halving, and the distance that they leave."""

    def left(steps: int) -> float:
        return own_share(groups, replace(sampler, steps=steps, sigma_min=low, sigma_max=high))  # type: ignore[type-var]

    enough = next((n for n in (5, 10, 20, 40, 80, 160, 320, 640, MOST_STEPS) if left(n) <= BIAS), None)
    if enough is None:
        return None
    below = 2 if enough == 5 else enough // 2
    while enough - below > 1:
        middle = (enough + below) // 2
        below, enough = (below, middle) if left(middle) <= BIAS else (middle, enough)
    return enough, left(enough)
