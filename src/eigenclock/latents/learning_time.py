"""The time to learn a latent space's covariance, from variances that few samples do not overstate, with an interval (T22)."""

import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..checks import InputWarning
from ..spectrum.spectrum import Spectrum
from ..theory.flow_clocks import time_to_learn

Variances = Float[np.ndarray, " _"]

FEWEST = 4
"""Samples from which variances can be cross-validated."""

ENOUGH = 10
"""Samples per dimension from which variances need no more words (T22)."""

DRAWS = 40
"""Draws of the parametric bootstrap."""

MOST = 256
"""Modes of a draw: of more, every k-th is drawn with n/k samples, whose variances spread as much, as n/D sets that."""

ROUNDING = 1e-10
"""Variances below this, relative to the largest, are rounding."""


@dataclass(frozen=True, eq=False)
class LearningTime:
    """How long a linear generator takes to learn a covariance, in steps × rate, from n samples in D dimensions.

    - `value`: of the cross-validated variances `spectrum` (mode,), D of them, falling. - `low`, `high`: 95 % parametric
      bootstrap, by as many Gaussian samples of that spectrum; NaN for fewer than four samples, which are not cross-validated.
    - `raw`: of the samples' own variances, `raw_spectrum` (raw_mode,), which are too spread where samples are few.
    """

    value: float
    low: float
    high: float
    raw: float
    spectrum: Variances
    raw_spectrum: Variances

    @classmethod
    def of(cls, samples: Float[np.ndarray, "n d"], *, draws: int = DRAWS, seed: int = 0) -> "LearningTime":
        """Of standardised samples; `draws` of the bootstrap, 0 for no interval. White noise has the value 0 (T22)."""
        raw = raw_variances(samples)
        if len(samples) < FEWEST or not samples.std() > 0:
            return cls(time_to_learn(raw), np.nan, np.nan, time_to_learn(raw), raw, raw)
        spectrum = _cross_validated(samples, seed)
        value = time_to_learn(spectrum)
        low, high = _interval(value, spectrum, len(samples), draws, seed)
        return cls(value, low, high, time_to_learn(raw), spectrum, raw)


def too_few(n: int, dimension: int) -> str:
    """What to know of the time to learn latents in that many dimensions from n of them; empty where they are enough.

    Nearly white spectra look white to cross-validation where samples are few, and only there: its variances are more mixed than
    the data's, the samples' own more spread, so that the two times lie on both sides of the true one.
    """
    if n >= ENOUGH * dimension:
        return ""
    return (
        f"t_lin may be too low: {n:,} latents are few for {dimension:,} dimensions, below {ENOUGH} for each; the time lies "
        "between t_lin_low and t_lin_raw"
    )


def _interval(value: float, spectrum: Variances, n: int, draws: int, seed: int) -> tuple[float, float]:
    """Hull of what draws of the spectrum say, and of the same mirrored at the time of what was drawn from.

    Cross-validated times are low where samples are few, as modes of fewer samples are more mixed: by as much as the draws are
    below what they were drawn from. The mirror corrects for that; the hull keeps an estimate inside its own interval.
    """
    if not draws:
        return np.nan, np.nan
    every = int(np.ceil(spectrum.size / MOST))
    few, drawn_from = max(FEWEST, n // every), spectrum[::every]
    rng, root = np.random.default_rng([seed, 22]), np.sqrt(drawn_from)
    times = [time_to_learn(_cross_validated(rng.standard_normal((few, root.size)) * root, seed)) for _ in range(draws)]
    true = time_to_learn(drawn_from)
    low, high = np.quantile(times, (0.025, 0.975)).tolist()
    if low <= 0:  # white, or nearly: no ratios
        return max(0.0, value + low - true), value + max(high - true, true - low)
    ends = [value * ratio**sign for ratio in (low / true, high / true) for sign in (1, -1)]
    return min(ends), max(ends)


def raw_variances(samples: Float[np.ndarray, "n d"]) -> Variances:
    """The samples' own variances, falling; those of rounding are left out, one stays."""
    values = np.linalg.svd(samples - samples.mean(axis=0), compute_uv=False) ** 2 / len(samples)
    return _positive(values)


def _cross_validated(samples: Float[np.ndarray, "n d"], seed: int) -> Variances:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)  # the raw time stands beside
        found = Spectrum.from_samples(samples).cross_validated(folds=min(10, len(samples) // 2), seed=seed)
    left_out = np.full(found.dimension - found.n_modes, found.null_variance or 0.0)
    return _positive(np.append(found.variance, left_out))


def _positive(values: Variances) -> Variances:
    return values[values > ROUNDING * values[0]] if values[0] > 0 else values[:1] + 1e-300
