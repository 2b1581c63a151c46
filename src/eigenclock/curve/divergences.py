"""How far generated data are from the target: KL, Wasserstein, alignment (T17).

Diagonal forms for distributions that share their modes, matrix forms for any two.
"""

from typing import Any

import numpy as np
import scipy
from jaxtyping import Float

from ..checks import LARGEST, InputError, finite_array, integer, need_memory, numeric_array, random_seed

Array = Float[np.ndarray, "..."]


def _modes(variance: Any, target: Any, mean_shift: Any) -> tuple[Array, Array, Array]:
    """Variances and shifts of modes, checked."""
    ours, theirs = (
        finite_array(name, value, "variances >= 0 of shape (..., mode)")
        for name, value in (("variance", variance), ("target", target))
    )
    shift = finite_array("mean_shift", mean_shift, "finite numbers of shape (..., mode)")
    if ours.ndim == 0 or theirs.ndim == 0 or min(ours.min(initial=0), theirs.min(initial=0)) < 0:
        raise InputError(
            f"variance and target must be >= 0 with an axis of modes, got shapes {ours.shape} and {theirs.shape}"
        )
    if max(ours.max(initial=0), theirs.max(initial=0), np.abs(shift).max(initial=0)) > LARGEST**2:
        raise InputError(f"variance, target and mean_shift must be <= {LARGEST**2:g}")
    try:
        np.broadcast_shapes(ours.shape, theirs.shape, shift.shape)
    except ValueError:
        raise InputError(
            f"variance, target and mean_shift must have shapes that fit, got {ours.shape}, {theirs.shape} and {shift.shape}"
        ) from None
    return ours, theirs, shift


def kl(variance: Any, target: Any, mean_shift: Any = 0.0) -> Any:
    """KL(generated ‖ data) in nats between Gaussians with common modes; (..., mode) -> (...).

    `mean_shift`: generated minus target mean along each mode. A mode of zero target variance makes it infinite. InputError for
    negative variances, or shapes that do not fit.

    ```python
    >>> import numpy as np
    >>> from eigenclock import divergences
    >>> float(divergences.kl(np.array([2.0, 1.0]), np.array([2.0, 1.0])))
    0.0

    ```
    """
    return kl_of_modes(*_modes(variance, target, mean_shift))


def wasserstein(variance: Any, target: Any, mean_shift: Any = 0.0) -> Any:
    """Wasserstein-2 distance, in data units, between Gaussians with common modes; its square is the Fréchet distance.

    (..., mode) -> (...). InputError for negative variances, or shapes that do not fit.
    """
    return wasserstein_of_modes(*_modes(variance, target, mean_shift))


def kl_of_modes(variance: Array, target: Array, mean_shift: Array | float = 0.0) -> Any:
    """`kl` of arrays that may hold NaN and inf, as those of a model that diverged do."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = variance / target
        terms = ratio - 1 - np.log(ratio) + np.asarray(mean_shift) ** 2 / target
    return np.where(np.isnan(terms), np.inf, terms).sum(axis=-1) / 2


def wasserstein_of_modes(variance: Array, target: Array, mean_shift: Array | float = 0.0) -> Any:
    """`wasserstein` of arrays that may hold NaN and inf."""
    return np.sqrt(((np.sqrt(variance) - np.sqrt(target)) ** 2 + np.asarray(mean_shift) ** 2).sum(axis=-1))


def with_directions_beyond(distance: Array, count: int, variance: Any, target: float) -> Any:
    """A Wasserstein distance along modes, and along `count` directions beyond them of one variance each."""
    return np.sqrt(distance**2 + count * (np.sqrt(variance) - np.sqrt(target)) ** 2)


def _gaussians(mean: Any, covariance: Any, target_mean: Any, target_covariance: Any) -> tuple[Any, Any, Any, Any]:
    """Means (d,) and covariances (d, d) of one size."""
    means = [finite_array(name, one, "a (d,) array") for name, one in (("mean", mean), ("target_mean", target_mean))]
    matrices = [
        finite_array(name, one, "a (d, d) covariance")
        for name, one in (("covariance", covariance), ("target_covariance", target_covariance))
    ]
    d = means[0].size
    if any(one.shape != (d,) or d == 0 for one in means) or any(one.shape != (d, d) for one in matrices):
        got = ", ".join(str(one.shape) for one in (*means, *matrices))
        raise InputError(f"means must be (d,) and covariances (d, d) of one d, got {got}")
    for one in matrices:
        size = np.abs(one).max()
        if size > LARGEST**2 or np.abs(one - one.T).max() > 1e-6 * size or np.linalg.eigvalsh(one)[0] < -1e-6 * size:
            raise InputError("covariances must be symmetric and positive semi-definite, got one that is not")
    return means[0], matrices[0], means[1], matrices[1]


def kl_full(mean: Any, covariance: Any, target_mean: Any, target_covariance: Any) -> float:
    """KL(generated ‖ data) in nats between any two Gaussians of full rank: means (d,), covariances (d, d).

    InputError for anything else than means and covariances of one size, or a target covariance without full rank.
    """
    mean, covariance, target_mean, target_covariance = _gaussians(mean, covariance, target_mean, target_covariance)
    try:
        factor = scipy.linalg.cho_factor(target_covariance, lower=True)
    except np.linalg.LinAlgError:
        raise InputError(
            "target_covariance must have full rank: along a mode without variance the KL is infinite"
        ) from None
    shift = target_mean - mean
    log_ratio = 2 * np.log(np.diag(factor[0])).sum() - np.linalg.slogdet(covariance)[1]
    trace = np.trace(scipy.linalg.cho_solve(factor, covariance))
    return float(trace - len(mean) + shift @ scipy.linalg.cho_solve(factor, shift) + log_ratio) / 2


def wasserstein_full(mean: Any, covariance: Any, target_mean: Any, target_covariance: Any) -> float:
    """Wasserstein-2 distance, in data units, between any two Gaussians, degenerate ones included: (d,) and (d, d).

    InputError for anything else than means and covariances of one size.
    """
    mean, covariance, target_mean, target_covariance = _gaussians(mean, covariance, target_mean, target_covariance)
    values, vectors = np.linalg.eigh(target_covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ covariance @ root), 0)).sum()
    squared = np.trace(covariance) + np.trace(target_covariance) - 2 * cross + ((mean - target_mean) ** 2).sum()
    return float(np.sqrt(max(squared, 0.0)))


def sliced_wasserstein(a: Any, b: Any, *, directions: int = 200, seed: int = 0) -> float:
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
    a, b = (finite_array(name, one, "samples (n, D)") for name, one in (("a", a), ("b", b)))
    integer("directions", directions, at_least=1)
    random_seed(seed)
    if a.ndim != 2 or a.shape != b.shape or a.size == 0:
        raise InputError(f"a and b must be samples (n, D) of one size, got {a.shape} and {b.shape}")
    need_memory(f"directions = {directions:,}", 16.0 * directions * (a.shape[1] + 2 * len(a)))
    axes = np.random.default_rng(seed).standard_normal((a.shape[1], directions))
    axes /= np.linalg.norm(axes, axis=0)
    squared = ((np.sort(a @ axes, axis=0) - np.sort(b @ axes, axis=0)) ** 2).mean()
    return float(np.sqrt(a.shape[1] * squared))


def alignment(covariance_in_modes: Any) -> Any:
    """Share of a covariance, UᵀΣ̃U in mode coordinates, that lies on its diagonal: 1 when the data's modes diagonalise it.

    1 for a covariance of zero, which has nothing off its diagonal.
    """
    given = numeric_array("covariance_in_modes", covariance_in_modes, "a covariance (..., mode, mode)")
    if given.ndim < 2 or given.shape[-1] != given.shape[-2]:
        raise InputError(f"covariance_in_modes must have shape (..., mode, mode), got {given.shape}")
    return alignment_of(given.astype(np.float64, copy=False))


def alignment_of(covariance_in_modes: Float[np.ndarray, "*any mode mode"]) -> Any:
    """`alignment` of an array known to be one."""
    diagonal = (np.einsum("...ii->...i", covariance_in_modes) ** 2).sum(axis=-1)
    whole = (covariance_in_modes**2).sum(axis=(-2, -1))
    return np.where(whole > 0, diagonal / np.where(whole > 0, whole, 1), 1.0)
