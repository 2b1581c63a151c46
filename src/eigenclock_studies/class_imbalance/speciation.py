"""When classes part in backward diffusion with the exact score: posteriors, return probabilities, clones."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.special
from jaxtyping import Float

from eigenclock.checks import InputError, finite_array, integer, number, shown
from eigenclock.clocks.replicates import Estimate, proportion
from .mixtures import check_classes, noised_variance, signal

T_END = 0.01
"""Time at which a backward path is read."""


def checked(pi: Any, mu: Any, var: Any) -> tuple[Any, Any, Any]:
    """Proportions (K,), centroids (K, d) and variances (K,), consistent; InputError otherwise."""
    variances, shares = check_classes(var, pi)
    centroids = finite_array("mu", mu, "centroids (K, d)")
    if centroids.ndim != 2 or len(centroids) != variances.size:
        raise InputError(f"mu must have shape ({variances.size}, d), got {centroids.shape}")
    return shares, centroids, variances


def log_joint(x: Float[np.ndarray, "n d"], t: float, pi: Any, mu: Any, var: Any) -> Float[np.ndarray, "n K"]:
    """ln of proportion times density of every class at noisy points, without the factor (2π)^{−d/2}."""
    size = noised_variance(var, t)
    square = (x**2).sum(axis=1, keepdims=True) - 2 * signal(t) * x @ mu.T + signal(t) ** 2 * (mu**2).sum(axis=1)
    return np.log(pi) - x.shape[1] / 2 * np.log(size) - square / (2 * size)


def posterior(x: Any, t: float, pi: Any, mu: Any, var: Any) -> Float[np.ndarray, "n K"]:
    """P(class|x, t), (n, K)."""
    shares, centroids, variances = checked(pi, mu, var)
    return scipy.special.softmax(log_joint(np.asarray(x), t, shares, centroids, variances), axis=1)


def exact_score(x: Any, t: float, pi: Any, mu: Any, var: Any) -> Float[np.ndarray, "n d"]:
    """∇ ln P_t(x) of the mixture, (n, d)."""
    shares, centroids, variances = checked(pi, mu, var)
    points, size = np.asarray(x), noised_variance(variances, t)
    weight = scipy.special.softmax(log_joint(points, t, shares, centroids, variances), axis=1) / size
    return signal(t) * weight @ centroids - weight.sum(axis=1, keepdims=True) * points


def return_probability(
    pi: Any, mu: Any, var: Any, t: Any, *, pairs: int = 3000, seed: int = 0
) -> Float[np.ndarray, "t K K"]:
    """R_{i→j}(t): chance that data of class i, noised to t and denoised with the exact score, end in class j.

    No path is simulated: R_{i→j} = E[P(j|x_t, t)] over class i. Points are drawn where the centroids span and by their radius
    elsewhere, with antithetic normals common to all times.

    **Parameters**

    - `pi`, `mu`, `var`: proportions (K,), centroids (K, d), variances (K,). - `t`: (t,) times > 0.
    - `pairs`, `seed`: of the draws.
    """
    shares, centroids, variances = checked(pi, mu, var)
    integer("pairs", pairs, at_least=1)
    times = np.atleast_1d(finite_array("t", t, "times > 0"))
    if times.ndim != 1 or times.min() <= 0:
        raise InputError(f"t must be times > 0, got {shown(t)}")
    k, d = centroids.shape
    _, scale, rows = np.linalg.svd(centroids, full_matrices=False)
    rank = int((scale > 1e-12 * max(scale[0], 1e-300)).sum())
    inside = centroids @ rows[:rank].T
    rng = np.random.default_rng(seed)
    half = rng.standard_normal((pairs, rank))
    normals = np.concatenate([half, -half])
    radius = np.tile(rng.chisquare(d - rank, pairs) if d > rank else np.zeros(pairs), 2)
    out = np.empty((times.size, k, k))
    for a, time in enumerate(times):
        size, left = noised_variance(variances, float(time)), signal(float(time))
        for i in range(k):
            y = left * inside[i] + np.sqrt(size[i]) * normals
            square = ((y[:, None] - left * inside) ** 2).sum(axis=2) + size[i] * radius[:, None]
            logits = np.log(shares) - d / 2 * np.log(size) - square / (2 * size)
            out[a, i] = scipy.special.softmax(logits, axis=1).mean(axis=0)
    return out


def normalised_returns(returns: Float[np.ndarray, "t K K"], pi: Any) -> Float[np.ndarray, "t K"]:
    """r_k = (R_k − pi_k)/(1 − pi_k): 1 at t → 0, 0 at t → ∞; the largest class from the others by detailed balance."""
    shares = np.asarray(pi, dtype=np.float64)
    r = (np.diagonal(returns, axis1=1, axis2=2) - shares) / (1 - shares)
    top = int(shares.argmax())
    others = np.arange(shares.size) != top
    lost = returns[:, others, top] @ shares[others]
    r[:, top] = 1 - lost / (shares[top] * (1 - shares[top]))
    return r


def speciation_time(t: Any, r: Any) -> float:
    """Largest t with r(t) >= 1/2, linear between grid points; NaN if r starts below, infinite if it never falls below.

    **Parameters**

    - `t`: (t,) increasing times. - `r`: (t,) normalised return probability.
    """
    times, values = finite_array("t", t, "increasing times"), finite_array("r", r, "a return probability per time")
    if times.ndim != 1 or times.shape != values.shape or (np.diff(times) <= 0).any():
        raise InputError(f"t must increase and r have its length, got shapes {times.shape} and {values.shape}")
    above = np.flatnonzero(values >= 0.5)
    if above.size == 0:
        return float("nan")
    last = int(above[-1])
    if last == times.size - 1:
        return float("inf")
    share = (values[last] - 0.5) / (values[last] - values[last + 1])
    return float(times[last] + share * (times[last + 1] - times[last]))


def speciation_rule(pi_minor: float, pi_major: float, distance2: float) -> float:
    """t_S ≈ ½ ln(|mu_k − mu_j|²/(2 ln(pi_j/pi_k))) of a minority against the majority, unit variance; our rule of thumb."""
    return float(0.5 * np.log(distance2 / (2 * np.log(pi_major / pi_minor))))


@dataclass(frozen=True)
class Clones:
    """Pairs that shared their path down to t_b: observed agreement of each class with its exact value.

    `same`: P(both end in one class), against `same_exact`. `again`: (class) P(second = k | first = k), against `again_exact`.
    """

    t_b: float
    same: Estimate
    same_exact: float
    again: tuple[Estimate, ...]
    again_exact: tuple[float, ...]
    from_data: tuple[bool, ...]


def clone_agreement(
    pi: Any, mu: Any, var: Any, t_b: float, *, pairs: int = 2000, steps: int = 200, start: float = 6.0, seed: int = 0
) -> Clones:
    """Backward paths with the exact score from `start` to t_b, copied there, finished with independent noise.

    Exact: P(both equal) = Σ pi_k R_k(t_b) and P(second = k | first = k) = R_k(t_b). A class with fewer than 50 expected pairs
    starts from its own data noised to t_b instead.

    **Parameters**

    - `pi`, `mu`, `var`: as in `return_probability`. - `t_b`: time of the copy. - `steps`: uniform in ln t from `start` to 0.01.
    """
    shares, centroids, variances = checked(pi, mu, var)
    number("t_b", t_b, above=T_END, below=start)
    rng = np.random.default_rng(seed)
    grid = np.geomspace(start, T_END, steps + 1)
    cut = int(np.argmin(np.abs(np.log(grid / t_b))))
    grid[cut] = t_b
    mixture = (shares, centroids, variances)
    shared = _backward(rng.standard_normal((pairs, centroids.shape[1])), grid[: cut + 1], mixture, rng)
    ends = [_ended(_backward(shared, grid[cut:], mixture, rng), mixture) for _ in range(2)]
    exact = np.diagonal(return_probability(pi, mu, var, [t_b], pairs=20_000, seed=seed)[0])
    again, from_data = [], []
    for k, share in enumerate(shares):
        rare = bool(share * pairs < 50)
        if rare:
            data = centroids[k] + np.sqrt(variances[k]) * rng.standard_normal((pairs, centroids.shape[1]))
            noisy = signal(t_b) * data + np.sqrt(1 - signal(t_b) ** 2) * rng.standard_normal(data.shape)
            kept = _ended(_backward(noisy, grid[cut:], mixture, rng), mixture) == k
        else:
            kept = ends[1][ends[0] == k] == k
        again.append(proportion(int(kept.sum()), int(kept.size)))
        from_data.append(rare)
    same = proportion(int((ends[0] == ends[1]).sum()), pairs)
    return Clones(t_b, same, float(shares @ exact), tuple(again), tuple(map(float, exact)), tuple(from_data))


def _backward(x: Any, times: Any, mixture: tuple[Any, Any, Any], rng: np.random.Generator) -> Any:
    """Euler–Maruyama of the backward diffusion along falling times."""
    for here, there in pairwise(times):
        step = here - there
        x = (
            x
            + step * (x + 2 * exact_score(x, float(here), *mixture))
            + np.sqrt(2 * step) * rng.standard_normal(x.shape)
        )
    return x


def _ended(x: Any, mixture: tuple[Any, Any, Any]) -> Any:
    return log_joint(x, T_END, *mixture).argmax(axis=1)
