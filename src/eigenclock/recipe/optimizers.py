"""How a quadratic is descended (T3), and how a gradient is followed when the loss is not quadratic.

`progress(curvature, time)` is the fraction of the way from the start to the optimum, 1 − P, of a quadratic whose Hessian times
learning rate is h = lr·2·weight·curvature: f(τ) = f₀ + (f* − f₀)·progress. Time is in optimizer steps. The discrete optimizers
act at whole steps: a time between two steps shows the state after the earlier one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool, Float

from ..checks import InputError, number_option

Hessian: TypeAlias = Float[np.ndarray, "mode sigma"]
Time: TypeAlias = Float[np.ndarray, " time"]
Trajectory: TypeAlias = Float[np.ndarray, "time mode sigma"]

FOREVER = 1e250
"""Stands for an infinite training time inside products: rate × FOREVER stays finite, and 0 × FOREVER is 0."""


SEPARATE_ROOTS = 0.05
"""Distance between the heavy ball's real roots above which formulas that divide by it lose at most two digits."""


class Optimizer(ABC):
    """Gradient flow or a discrete descent. Subclasses are frozen dataclasses with a learning rate `lr`."""

    lr: float

    @abstractmethod
    def progress(self, hessian: Hessian, time: Time) -> Trajectory:
        """Fraction of the way from start to optimum on a quadratic of the given Hessian (before the learning rate)."""

    @property
    @abstractmethod
    def stable_step(self) -> float:
        """lr × Hessian must stay below this to converge (inf for gradient flow)."""

    def check_stable(self, hessian: Hessian) -> None:
        """Raise, naming the modes, if some mode at some noise level has lr × Hessian above `stable_step`."""
        unstable: Bool[np.ndarray, "mode sigma"] = self.lr * hessian >= self.stable_step
        if unstable.any():
            allowed = self.stable_step / hessian.max() * (1 - 5e-4)  # so that the printed digits are safe
            raise InputError(
                f"lr must be < {allowed:.4g} for this spectrum and these noise levels, got {self.lr:g}: diverges on "
                f"{named_modes(np.any(unstable, axis=1))} at {int(unstable.any(axis=0).sum())} of {hessian.shape[1]} noise levels"
            )


def named_modes(chosen: Bool[np.ndarray, " mode"]) -> str:
    """How many modes are chosen, and the first of them by index."""
    modes = np.flatnonzero(chosen)
    return f"{modes.size} of {chosen.size} modes ({', '.join(map(str, modes[:5]))}{', ...' if modes.size > 5 else ''})"


def elapsed(time: Time) -> Time:
    """Training time as a factor: infinity becomes FOREVER, and times too short to change anything become 0."""
    return np.where(time < 1 / FOREVER, 0.0, np.minimum(time, FOREVER))


def whole_steps(time: Time) -> Time:
    """Number of completed steps at each time; a time within rounding of a whole step counts as that step."""
    return np.floor(np.minimum(time, FOREVER) * (1 + 1e-12))


@dataclass(frozen=True)
class GradientFlow(Optimizer):
    """Infinitesimal steps: P = exp(−hτ), exact at τ = 0 and ∞.

    **Parameters**

    - `lr`: learning rate η; training time τ is counted in steps of this size.
    """

    lr: float = 1.0

    def __post_init__(self) -> None:
        number_option(self, "lr", above=0)

    @property
    def stable_step(self) -> float:
        return float("inf")

    def progress(self, hessian: Hessian, time: Time) -> Trajectory:
        exponent = (-self.lr * hessian) * elapsed(time)[:, None, None]
        return -np.expm1(exponent, out=exponent)


@dataclass(frozen=True)
class GradientDescent(Optimizer):
    """Full-batch steps f ← f − lr·∇: P = (1 − h)ⁿ, n whole steps. Diverges where h > 2.

    **Parameters**

    - `lr`: learning rate η.
    """

    lr: float = 1.0

    def __post_init__(self) -> None:
        number_option(self, "lr", above=0)

    @property
    def stable_step(self) -> float:
        return 2.0

    def progress(self, hessian: Hessian, time: Time) -> Trajectory:
        self.check_stable(hessian)
        step, n = self.lr * hessian, whole_steps(time)[:, None, None]
        shrinking = np.minimum(step, 1.0)
        logarithm = np.log1p(-shrinking, out=np.full_like(step, -np.inf), where=shrinking < 1)
        smooth = -np.expm1(
            np.multiply(n, logarithm, where=n > 0, out=np.zeros(np.broadcast_shapes(n.shape, step.shape)))
        )
        if (step <= 1).all():
            return smooth
        alternating = 1 - np.where(n % 2, -1.0, 1.0) * np.abs(1 - step) ** n
        return np.where(step <= 1, smooth, alternating)


@dataclass(frozen=True)
class HeavyBall(Optimizer):
    """Steps with momentum, f ← f − lr·∇ + momentum·(f − f_previous), from rest. Diverges where h > 2(1 + momentum).

    With b = 1 + β − h, U the solution of U_{n+1} = b·U_n − β·U_{n−1} with U₀ = 0, U₁ = 1, the remaining fraction is
    P_n = (1−h)·U_n − β·U_{n−1}: the same as T3's two-root form, without its cancellation at the double root.

    **Parameters**

    - `lr`: learning rate η.
    - `momentum`: β in [0, 1).
    """

    lr: float = 1.0
    momentum: float = 0.9

    def __post_init__(self) -> None:
        number_option(self, "lr", above=0)
        number_option(self, "momentum", at_least=0, below=1)

    @property
    def stable_step(self) -> float:
        return 2.0 * (1 + self.momentum)

    def progress(self, hessian: Hessian, time: Time) -> Trajectory:
        if self.momentum < np.finfo(float).eps:
            return GradientDescent(self.lr).progress(hessian, time)
        self.check_stable(hessian)
        step, n = self.lr * hessian, whole_steps(time)[:, None, None]
        remaining = (1 - step) * _momentum_response(step, self.momentum, n)
        remaining -= self.momentum * _momentum_response(step, self.momentum, np.maximum(n - 1, 0))
        # U_{-1} = -1/beta, so that P_0 = 1; a flat direction never moves
        progress = 1 - np.where((n == 0) | (step == 0), 1.0, remaining)
        slow, accurate = _slow_progress(step, self.momentum, n)
        return np.where(slow, accurate, progress)


def _slow_progress(
    step: Hessian, momentum: float, n: Float[np.ndarray, "time 1 1"]
) -> tuple[Bool[np.ndarray, "mode sigma"], Trajectory]:
    """Where the roots are real and far apart, and 1 − P there without its cancellation at small steps.

    1 − P = [r₊(1−r₋)(1−r₊ⁿ) − r₋(1−r₊)(1−r₋ⁿ)]/(r₊−r₋), with 1 − r₊ = h/(1−r₋).
    """
    trace = 1 + momentum - step
    spread = np.sqrt(np.maximum(((1 - np.sqrt(momentum)) ** 2 - step) * ((1 + np.sqrt(momentum)) ** 2 - step), 0))
    slow = (trace > 0) & (spread > SEPARATE_ROOTS)
    trace, spread = np.where(slow, trace, 2.0), np.where(slow, spread, 2 * (1 - momentum))
    smaller = 2 * momentum / (trace + spread)
    gap = np.where(slow, step, 0.0) / (1 - smaller)
    larger_part = (1 - gap) * (1 - smaller) * -np.expm1(n * np.log1p(-gap))
    smaller_part = smaller * gap * -np.expm1(n * np.log(smaller))
    return slow, (larger_part - smaller_part) / spread


def _momentum_response(step: Hessian, momentum: float, n: Float[np.ndarray, "time 1 1"]) -> Trajectory:
    """U_n of `HeavyBall`: complex roots give β^{(n−1)/2}·sin(nθ)/sin θ, real roots a geometric sum."""
    trace, root = 1 + momentum - step, np.sqrt(momentum)
    # b² − 4β = (b − 2√β)(b + 2√β), each factor without cancellation
    discriminant = ((1 - root) ** 2 - step) * ((1 + root) ** 2 - step)
    complex_roots = discriminant < 0

    angle = np.arctan2(np.sqrt(np.where(complex_roots, -discriminant, 1.0)), np.abs(trace))
    oscillating = root ** (n - 1) * (np.sin(n * angle) / np.sin(angle))

    size = np.where(complex_roots, 2.0, np.abs(trace))
    smaller = 2 * momentum / (size + np.sqrt(np.maximum(discriminant, 0)))
    # (1 − r₊)(1 − r₋) = 1 − |b| + β
    gap = np.where(trace >= 0, step, 2 * (1 + momentum) - step) / (1 - smaller)
    log_larger = np.log1p(-np.clip(gap, 0, 1 - momentum / 2))
    log_ratio = np.minimum(np.log(smaller) - log_larger, 0)
    distinct = np.where(log_ratio < 0, log_ratio, -1.0)
    geometric_sum = np.where(log_ratio < 0, np.expm1(n * distinct) / np.expm1(distinct), n)
    monotone = np.exp((n - 1) * log_larger) * geometric_sum

    mirrored = np.where((trace < 0) & (n % 2 == 0), -1.0, 1.0)  # U_n(−b) = (−1)^{n−1} U_n(b)
    return mirrored * np.where(complex_roots, oscillating, monotone)


State: TypeAlias = Float[np.ndarray, "*layer mode sigma"]
States: TypeAlias = Float[np.ndarray, "time *layer mode sigma"]

SETTLED = 1000.0
"""Steps after which a descent that starts by overshooting has diverged or come to rest."""


def descend(gradient: Callable[[State], State], start: State, time: Time, optimizer: Optimizer) -> States:
    """Follow a gradient that is not linear, step by step, to every (finite) time.

    One Python iteration per optimizer step, since a recursion has no shortcut; all modes and noise levels at once. Stops
    early when nothing moves any more. A diverging descent gives inf or NaN, which the caller reports.
    """
    momentum = optimizer.momentum if isinstance(optimizer, HeavyBall) else 0.0
    out = np.empty((time.size, *start.shape))
    value, previous, done, settled = start, start, 0, False
    for i, target in enumerate(whole_steps(time)):
        while done < target and not settled:
            moved = value - optimizer.lr * gradient(value) + momentum * (value - previous)
            settled = np.array_equal(moved, value) and np.array_equal(value, previous)
            value, previous, done = moved, value, done + 1
        out[i] = value
    return out


MOST_STEPS = 1e6
"""Steps of a recursion without a shortcut beyond which it is refused."""


def descend_stably(
    gradient: Callable[[State], State], start: State, time: Time, optimizer: Optimizer, *, init: Any, overshoots: bool
) -> tuple[Float[np.ndarray, "finite *layer mode sigma"], Bool[np.ndarray, " time"]]:
    """States at the finite times, and which times those are; InputError, naming the modes, if the descent diverges.

    Infinite times have a limit only if the first steps are survived: a start that `overshoots` is followed for a while.
    """
    finite = np.isfinite(time)
    steps = time[finite]
    if steps.max(initial=0) > MOST_STEPS:
        raise InputError(
            f"time must be at most {MOST_STEPS:.0e} steps, or inf, for a network of layers under {type(optimizer).__name__}, got "
            f"{steps.max():g}: use GradientFlow for longer times"
        )
    if not finite.all() and overshoots:
        steps = np.append(steps, max(SETTLED, steps.max(initial=0)))
    with np.errstate(over="ignore", invalid="ignore"):
        states = descend(gradient, start, steps, optimizer)
    blown = ~np.isfinite(states)
    if blown.any():
        diverges = blown.any(axis=tuple(i for i in range(states.ndim) if i != states.ndim - 2))
        raise InputError(
            f"lr must be smaller for this start, got {optimizer.lr:g}: descent from init={init} diverges on "
            f"{named_modes(diverges)}"
        )
    return states[: finite.sum()], finite
