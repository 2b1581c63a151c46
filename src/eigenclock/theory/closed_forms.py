"""Generated variance without quadrature: the recipes for which the probability flow integrates in closed form (T5).

As printed in the paper these are NaN at τ = 0, λ = 0 or Q = 0. Here they are written with Ein(z) = ∫₀ᶻ (1−e^{−t})/t dt =
E₁(z) + ln z + γ, which is regular at zero, and their limits are exact.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import erf, exp1

from ..checks import InputError
from ..recipe.objectives import Denoising, FlowMatching
from ..recipe.optimizers import GradientFlow, elapsed
from ..recipe.recipe import Recipe
from ..recipe.samplers import ProbabilityFlow

Modes: TypeAlias = Float[np.ndarray, " mode"]
Time: TypeAlias = Float[np.ndarray, " time"]
Variance: TypeAlias = Float[np.ndarray, "time mode"]
ClosedForm: TypeAlias = Callable[[Modes, Time], Variance]


def closed_form(recipe: Recipe, sharing: float = 1.0) -> ClosedForm | None:
    """The function (mode variances, times) -> generated variances that solves this recipe, or None if there is none.

    `sharing`: number of positions that share each weight, by which training is faster.
    """
    objective, sampler = recipe.objective, recipe.sampler
    curve = recipe.architecture.follows()
    if curve is None:
        return None
    plain = objective.weight == "uniform" and objective.density is None
    if not (plain and isinstance(recipe.optimizer, GradientFlow) and isinstance(sampler, ProbabilityFlow)):
        return None
    lr, init = recipe.optimizer.lr * curve.speed * sharing, curve.init
    if isinstance(objective, FlowMatching) and curve.shape == "exponential":
        return lambda variance, time: flow_one_layer(variance, time, lr, init, sampler)
    if not (isinstance(objective, Denoising) and objective.path == "ve"):
        return None
    if sampler.sigma_min == 0 or np.isinf(sampler.sigma_max):
        raise InputError(
            "sigma_min must be > 0 and sigma_max finite for the denoising objective, "
            f"got sigma_min={sampler.sigma_min:g}, sigma_max={sampler.sigma_max:g}"
        )
    solve = denoising_one_layer if curve.shape == "exponential" else denoising_tied_two_layer
    return lambda variance, time: solve(variance, time, lr, init, sampler)


def denoising_one_layer(variance: Modes, time: Time, lr: float, init: float, sampler: ProbabilityFlow) -> Variance:
    """One layer, x₀ objective (T5): v(τ) = σ_T² Φ²(σ₀)/Φ²(σ_T).

    With c = 2ητ, s = σ²: ln v = ln s_T − [Ein(c(λ+s))] − (1−Q)e^{−cλ}[E₁(c s₀) − E₁(c s_T)], brackets from s₀ to s_T.
    """
    low, high = sampler.sigma_min**2, sampler.sigma_max**2
    rate = 2 * lr * elapsed(time)[:, None]
    rise = _ein_difference(rate, variance + high, variance + low, np.isinf(time))
    unlearned = _exp1_difference(rate, low, high) * np.exp(-rate * variance)
    return high * np.exp(-rise - (1 - init) * unlearned)


def denoising_tied_two_layer(variance: Modes, time: Time, lr: float, init: float, sampler: ProbabilityFlow) -> Variance:
    """Tied two layers, x₀ objective (T5, Prop. 5.1).

    E = e^{−8ητλ}, Z = Q + (1−Q)E: v = s_T·(s₀/s_T)^{(1−Q)E/Z}·[(Q(1−E)s₀/λ + Z)/(Q(1−E)s_T/λ + Z)]^{Q/Z}.
    """
    low, high = sampler.sigma_min**2, sampler.sigma_max**2
    if init == 0:  # a fixed point: the denoiser stays zero and the flow only removes noise
        return np.full((time.size, variance.size), low)
    tau = 8 * lr * elapsed(time)[:, None]
    decay = np.exp(-tau * variance)
    growth = np.where(variance > 0, -np.expm1(-tau * variance) / np.where(variance > 0, variance, 1), tau)
    mixed = init + (1 - init) * decay
    # divided through by Z so that τ = ∞ at λ = 0 stays finite
    ratio = np.log1p(init * growth / mixed * low) - np.log1p(init * growth / mixed * high)
    log_variance = (1 - init) * decay / mixed * np.log(low / high) + init / mixed * ratio
    return high * np.exp(log_variance)


def flow_one_layer(variance: Modes, time: Time, lr: float, init: float, sampler: ProbabilityFlow) -> Variance:
    """Flow matching, one layer (T5, App. H.2), between any two noise levels; σ_T = ∞, σ₀ = 0 is the paper's case.

    On x_t = t·y the flow multiplies a variance by exp(2∫f dt), κ(t) = t²λ + (1−t)²: with c = 2ητ that is
    Ein(cκ) between the ends plus the Gaussian integral 2Q∫e^{−cκ}dt.
    """
    start, end = 1 / (1 + sampler.sigma_max), 1 / (1 + sampler.sigma_min)
    rate = 2 * lr * elapsed(time)[:, None]
    final, initial = end**2 * variance + (1 - end) ** 2, start**2 * variance + (1 - start) ** 2
    log_factor = _ein_difference(rate, final, initial, np.isinf(time))
    steep, valley = 1 + variance, variance / (1 + variance)  # κ = steep·(t − 1/steep)² + valley
    width = np.sqrt(rate * steep)
    with np.errstate(divide="ignore", invalid="ignore"):
        area = np.sqrt(np.pi) * (erf(width * (end - 1 / steep)) - erf(width * (start - 1 / steep))) / width
    area = np.where(width > 0, area, 2 * (end - start))
    log_factor += init * np.exp(-rate * valley) * area
    return (1 - start) ** 2 / end**2 * np.exp(log_factor)


def _exp1_difference(rate: Float[np.ndarray, "time 1"], low: float, high: float) -> Float[np.ndarray, "time 1"]:
    """E₁(rate·low) − E₁(rate·high); ln(high/low) at rate 0."""
    moving = np.where(rate > 0, rate, 1.0)
    return np.where(rate > 0, exp1(moving * low) - exp1(moving * high), np.log(high / low))


def _ein_difference(
    rate: Float[np.ndarray, "time 1"], a: Modes, b: Modes, forever: Bool[np.ndarray, " time"]
) -> Variance:
    """Ein(rate·a) − Ein(rate·b) for a >= 0, b > 0: exactly 0 at rate 0; −∞ at a = 0 after forever."""
    moving = np.where(rate > 0, rate, 1.0)
    empty = a == 0
    filled = np.where(empty, 1.0, a)
    difference = exp1(moving * filled)
    difference -= exp1(moving * b)
    difference += np.log(filled) - np.log(b)
    if empty.any():  # Ein(0) = 0, so only −Ein(rate·b) is left
        whole = exp1(moving * b[empty]) + np.log(moving * b[empty]) + np.euler_gamma
        difference[:, empty] = np.where(forever[:, None], -np.inf, -whole)
    difference[rate[:, 0] == 0] = 0.0
    return difference
