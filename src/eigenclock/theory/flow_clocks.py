"""Mode clocks of a latent space: when a linear generator learns each direction of its covariance, and the whole of it."""

from bisect import bisect_left
from dataclasses import replace
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import scipy
from jaxtyping import Float

from ..checks import InputError, choice, finite_array, number
from ..clocks.emergence import Emergence, emergence

Density: TypeAlias = Literal["logit-normal", "uniform"]
"""Of the time t of flow matching, t = 1 is data."""

NODES, REACH = 400, 18.0
"""Of the midpoint rule over the logit of t, and where it ends."""

BLOCK = 4_000_000
"""Numbers held at a time."""

CONVERGED = 0.02
"""Second-order distance, relative to the total variance, at which a latent space counts as learned."""

GRAY = 1.5
"""Modes whose variance is within this factor of 1, where they start, have no clock."""


def linear_mode_variance(
    lam: Any, s: Any, eta: float = 1.0, weighting: Density = "logit-normal"
) -> Float[np.ndarray, "step mode"]:
    """Variance (step, mode) that a linear flow-matching generator gives to modes of variance `lam` after `s` steps.

    At every t the gain w of x_t = t·x₁ + (1 − t)·x₀ descends its own risk, from the flow of data of unit variance:
    c = λt² + (1 − t)², w* = (λt − (1 − t))/c, w₀ = (2t − 1)/(t² + (1 − t)²), w(t, s) = w* + (w₀ − w*)e^{−2ηp(t)cs}, and the
    probability flow gives v(s) = exp(2∫w dt): 1 before training, λ in the end. Midpoint rule over 400 nodes in ln t/(1 − t).
    Our reconstruction for flow matching of the linear theory of arXiv:2503.03206.

    **Parameters**

    - `lam`: (mode,) variances > 0. - `s`: (step,) optimizer steps >= 0. - `eta`: rate per step, the one free constant.
    - `weighting`: density p(t) of training times, "logit-normal" (0, 1) or "uniform".

    ```python
    >>> from eigenclock.theory.flow_clocks import linear_mode_variance
    >>> linear_mode_variance([4.0, 1.0, 0.25], [0.0, 1e6], weighting="uniform").round(3)
    array([[1.  , 1.  , 1.  ],
           [4.  , 1.  , 0.25]])

    ```
    """
    power = np.atleast_1d(finite_array("lam", lam, "variances > 0"))
    number("lam", float(power.min()), above=0)
    steps = np.atleast_1d(finite_array("s", s, "steps >= 0"))
    number("s", float(steps.min()), at_least=0)
    number("eta", eta, above=0)
    choice("weighting", weighting, get_args(Density))
    logit = (
        REACH * (2 * np.arange(NODES) + 1 - NODES) / NODES
    )  # evenly in ln t/(1 − t): fine at both ends, where w turns
    t, rest = scipy.special.expit(logit), scipy.special.expit(-logit)
    c = power[:, None] * t**2 + rest**2
    best, start = (power[:, None] * t - rest) / c, (t - rest) / (t**2 + rest**2)
    p = np.exp(-(logit**2) / 2) / (np.sqrt(2 * np.pi) * t * rest) if weighting == "logit-normal" else np.ones_like(t)
    blocks = np.array_split(steps, max(1, steps.size * power.size * NODES // BLOCK))
    gains = [
        ((best + (start - best) * np.exp(-2 * eta * p * c * some[:, None, None])) * (t * rest)).sum(axis=2)
        for some in blocks
    ]
    return np.exp(2 * np.concatenate(gains) * (2 * REACH / NODES))


def second_order_distance(variance: Any, lam: Any) -> Any:
    """Σ(√v − √λ)²/Σλ: squared Wasserstein distance of Gaussians with common modes over the variance; (..., mode) → (...)."""
    power = np.asarray(lam, dtype=np.float64)
    return ((np.sqrt(variance) - np.sqrt(power)) ** 2).sum(axis=-1) / power.sum()


def mode_clocks(steps: Any, var: Any, lam: Any) -> Emergence:
    """First step at which the generated variance (step, mode) of each mode passes √λ, midway in ln from its start at 1.

    Log-interpolated; NaN and `censored` where it does not, or where it has passed at the first record already. Modes within a
    factor 1.5 of variance 1 are `gray_zone`.
    """
    power = finite_array("lam", lam, "variances > 0")
    time, values = finite_array("steps", steps, "steps >= 0"), finite_array("var", var, "variances (step, mode)")
    if values.shape != (time.size, power.size):
        raise InputError(f"var must have shape (step, mode) = {(time.size, power.size)}, got {values.shape}")
    found = emergence(np.maximum(values, 1e-300), time, np.ones_like(power), power)
    rising = np.where(power >= 1, 1.0, -1.0)
    early = (time[0] > 0) & (rising * (values[0] - np.sqrt(power)) >= 0)  # met at the first record: left-censored
    return replace(
        found,
        time=np.where(early, np.nan, found.time),
        censored=found.censored | early,
        gray_zone=np.abs(np.log(power)) <= np.log(GRAY),
    )


def time_to_learn(lam: Any, *, converged: float = CONVERGED, weighting: Density = "logit-normal") -> float:
    """T_lin: step, in units of 1/η, from which a linear generator is within `converged` of a latent space's covariance.

    0 if it starts there. The unit is common to all latent spaces with the same generator: compare them before training any.
    At every t the gain goes one way, the same for all of a mode, so that no distance grows again: the step is found by halving.
    """
    number("converged", converged, above=0)
    steps = np.concatenate([[0.0], np.geomspace(1e-3, 1e8, 400)])

    def distance(first: int, last: int) -> Any:
        variance = linear_mode_variance(lam, steps[first : last + 1], weighting=weighting)
        return second_order_distance(variance, np.atleast_1d(lam))

    after = bisect_left(range(steps.size), True, key=lambda i: bool(distance(i, i)[0] <= converged))
    if after <= 1 or after == steps.size:
        return (0.0, float(steps[1]))[after] if after <= 1 else float("inf")
    low, high = np.log(distance(after - 1, after))
    share = (low - np.log(converged)) / (low - high)
    return float(steps[after - 1] ** (1 - share) * steps[after] ** share)


def predicted_mode_clocks(lam: Any, *, weighting: Density = "logit-normal") -> Float[np.ndarray, " mode"]:
    """τ_lin of every mode, in units of 1/η: when its variance passes √λ. NaN for modes that start within a factor 1.5."""
    power = np.atleast_1d(finite_array("lam", lam, "variances > 0"))
    steps = np.geomspace(1e-4, 1e9, 400)
    found = mode_clocks(steps, linear_mode_variance(power, steps, weighting=weighting), power)
    return np.where(found.gray_zone, np.nan, found.time)
