"""How far generated data are from the target: KL, Wasserstein, alignment (T17).

Diagonal forms for distributions that share their modes, matrix forms for any two.
"""

from typing import Any

import numpy as np
import scipy.linalg
from jaxtyping import Float

from ..checks import InputError

Array = Float[np.ndarray, "..."]


def kl(variance: Array, target: Float[np.ndarray, " mode"], mean_shift: Array | float = 0.0) -> Any:
    """KL(generated ‖ data) in nats between Gaussians with common modes; (..., mode) -> (...).

    `mean_shift`: generated minus target mean along each mode. A mode of zero target variance makes it infinite.

    ```python
    >>> import numpy as np
    >>> from eigenclock import divergences
    >>> float(divergences.kl(np.array([2.0, 1.0]), np.array([2.0, 1.0])))
    0.0

    ```
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = variance / target
        terms = ratio - 1 - np.log(ratio) + np.asarray(mean_shift) ** 2 / target
    return np.where(np.isnan(terms), np.inf, terms).sum(axis=-1) / 2


def wasserstein(variance: Array, target: Float[np.ndarray, " mode"], mean_shift: Array | float = 0.0) -> Any:
    """Wasserstein-2 distance, in data units, between Gaussians with common modes; its square is the Fréchet distance."""
    return np.sqrt(((np.sqrt(variance) - np.sqrt(target)) ** 2 + np.asarray(mean_shift) ** 2).sum(axis=-1))


def kl_full(
    mean: Float[np.ndarray, " d"],
    covariance: Float[np.ndarray, "d d"],
    target_mean: Float[np.ndarray, " d"],
    target_covariance: Float[np.ndarray, "d d"],
) -> float:
    """KL(generated ‖ data) in nats between any two Gaussians of full rank."""
    factor = scipy.linalg.cho_factor(target_covariance, lower=True)
    shift = target_mean - mean
    log_ratio = 2 * np.log(np.diag(factor[0])).sum() - np.linalg.slogdet(covariance)[1]
    trace = np.trace(scipy.linalg.cho_solve(factor, covariance))
    return float(trace - len(mean) + shift @ scipy.linalg.cho_solve(factor, shift) + log_ratio) / 2


def wasserstein_full(
    mean: Float[np.ndarray, " d"],
    covariance: Float[np.ndarray, "d d"],
    target_mean: Float[np.ndarray, " d"],
    target_covariance: Float[np.ndarray, "d d"],
) -> float:
    """Wasserstein-2 distance, in data units, between any two Gaussians, degenerate ones included."""
    values, vectors = np.linalg.eigh(target_covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ covariance @ root), 0)).sum()
    squared = np.trace(covariance) + np.trace(target_covariance) - 2 * cross + ((mean - target_mean) ** 2).sum()
    return float(np.sqrt(max(squared, 0.0)))


def sliced_wasserstein(a: Array, b: Array, *, directions: int = 200, seed: int = 0) -> float:
    """Sliced Wasserstein-2 distance √(D·mean over directions of W₂²) between two samples (n, D) of equal size, in data units.

    The factor D makes it the distance itself for a shift. Directions are fixed by `seed`, uniform on the sphere.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> x = np.random.default_rng(0).standard_normal((500, 3))
    >>> round(ec.divergences.sliced_wasserstein(x, x + np.array([2.0, 0.0, 0.0]), directions=20_000), 2)
    2.0

    ```
    """
    if a.ndim != 2 or a.shape != b.shape or a.size == 0:
        raise InputError(f"a and b must be samples (n, D) of one size, got {a.shape} and {b.shape}")
    axes = np.random.default_rng(seed).standard_normal((a.shape[1], directions))
    axes /= np.linalg.norm(axes, axis=0)
    squared = ((np.sort(a @ axes, axis=0) - np.sort(b @ axes, axis=0)) ** 2).mean()
    return float(np.sqrt(a.shape[1] * squared))


def alignment(covariance_in_modes: Float[np.ndarray, "*any mode mode"]) -> Any:
    """Share of a covariance, UᵀΣ̃U in mode coordinates, that lies on its diagonal: 1 when the data's modes diagonalise it.

    1 for a covariance of zero, which has nothing off its diagonal.
    """
    diagonal = (np.einsum("...ii->...i", covariance_in_modes) ** 2).sum(axis=-1)
    whole = (covariance_in_modes**2).sum(axis=(-2, -1))
    return np.where(whole > 0, diagonal / np.where(whole > 0, whole, 1), 1.0)
