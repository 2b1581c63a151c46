"""Which noise shows the manifold: small enough not to smooth the density away, large enough not to see single samples."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy
from jaxtyping import Float

from ..checks import InputError, number
from ..observables.copies import nearest
from ..theory.collapse import SMOOTHED

LEVELS = np.geomspace(0.02, 0.6, 16)
"""Noise levels that are tried, in units of √(tr Cov/k)."""

MEMORISED = 1.1
"""ρ/k above which a level shows single samples."""

MOST_TRAIN, MOST_TEST, DRAWS = 2000, 1000, 4


class NoiseRangeError(InputError):
    """No noise level shows the manifold; `table` has what was tried."""

    def __init__(self, message: str, table: pd.DataFrame) -> None:
        super().__init__(message)
        self.table = table


@dataclass(frozen=True, eq=False)
class NoiseRange:
    """Noise levels, in data units, that show the manifold: `low` (train at this one), `high`; `table`: sigma, risk over σ²."""

    low: float
    high: float
    table: pd.DataFrame


def intrinsic_dimension(x: Float[np.ndarray, "n d"]) -> float:
    """TwoNN estimate (n − 1)/Σ ln(r₂/r₁) from distances to both nearest neighbours (Facco et al., arXiv:1803.06992).

    Exact duplicates count once. Raises InputError for fewer than three different samples.

    ```python
    >>> import numpy as np
    >>> from eigenclock.latents.noise_rule import intrinsic_dimension
    >>> plane = np.random.default_rng(0).standard_normal((2000, 2)) @ np.eye(2, 10)
    >>> round(intrinsic_dimension(plane), 1)
    2.0

    ```
    """
    different = np.unique(x, axis=0)
    if len(different) < 3:
        raise InputError(f"X must hold at least 3 different samples, got {len(different)}")
    distance = nearest(different, different, k=3)[0]
    ratio = np.log(distance[:, 2] / distance[:, 1])
    if not ratio.sum() > 0:
        raise InputError("k cannot be estimated: every sample has two neighbours at one distance; give k")
    return float((len(different) - 1) / ratio.sum())


def memorising_risk(
    train: Float[np.ndarray, "n d"], test: Float[np.ndarray, "m d"], sigma: float, *, seed: int = 0, draws: int = DRAWS
) -> float:
    """ρ = E|D_n(x + σz) − x|²/σ² on held-out x, D_n the posterior mean over the training samples themselves.

    Unchanged by an isometric embedding up to its noise: what matters of the noise off the manifold is common to all weights.
    """
    number("sigma", sigma, above=0)
    rng, found = np.random.default_rng(seed), 0.0
    for _ in range(draws):
        noisy = test + sigma * rng.standard_normal(test.shape)
        log = -scipy.spatial.distance.cdist(noisy, train, "sqeuclidean") / (2 * sigma**2)
        weight = np.exp(log - log.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        found += float(((weight @ train - test) ** 2).sum(axis=1).mean()) / sigma**2
    return found / draws


def noise_range(
    x: Float[np.ndarray, "n d"], k: int, *, held_out: Float[np.ndarray, "m d"] | None = None, seed: int = 0
) -> NoiseRange:
    """Noise levels that show a k-dimensional manifold, from samples alone.

    `low` is the smallest of 16 levels at which the memorising denoiser has ρ <= 1.1·k; `high` the last before it first falls
    below 0.75·k. Without `held_out`, a third of the samples is held out. Raises NoiseRangeError where there is no such level.
    """
    rng = np.random.default_rng(seed)
    if held_out is None:
        order = rng.permutation(len(x))
        cut = min(MOST_TEST, len(x) // 3)
        held_out, x = x[order[:cut]], x[order[cut:]]
    train, test = x[rng.permutation(len(x))[:MOST_TRAIN]], held_out[rng.permutation(len(held_out))[:MOST_TEST]]
    scale = float(np.sqrt(train.var(axis=0).sum() / k))
    levels = scale * LEVELS
    risk = np.array([memorising_risk(train, test, float(sigma), seed=seed) for sigma in levels])
    table = pd.DataFrame({"sigma": levels, "risk": risk})
    fits = risk <= MEMORISED * k
    if not fits.any():
        raise NoiseRangeError(
            f"sigma range is empty: no level up to {levels[-1]:.3g} has a denoising risk <= {MEMORISED * k:.3g} σ² "
            f"(least {risk.min():.3g}); give more samples, another k than {k}, or sigma1",
            table,
        )
    low, smooth = int(fits.argmax()), risk < SMOOTHED * k
    high = int(smooth.argmax()) - 1 if smooth.any() else levels.size - 1
    if high < low:
        raise NoiseRangeError(
            f"sigma range is empty: the density is smoothed away at {levels[high + 1]:.3g}, below the first level that does "
            f"not show single samples, {levels[low]:.3g}; give more samples or sigma1",
            table,
        )
    return NoiseRange(float(levels[low]), float(levels[high]), table)
