"""When classes part in backward diffusion with the exact score: posteriors, return probabilities, clones."""

from typing import Any

import numpy as np
import scipy
from jaxtyping import Float

from eigenclock.checks import InputError, finite_array, integer, shown
from .mixtures import check_classes, noised_variance, signal


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
