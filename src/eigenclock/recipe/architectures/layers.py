"""A product of scalar layers f = p₁·p₂·…·p_L per mode: what aligned deep linear networks reduce to (T8, T9; App. F).

Under gradient flow every layer obeys p_i' = −2ηw·(f/p_i)·(κf − χ), so all differences p_i² − p_j² are conserved and one
scalar is left: with x the smallest layer in size, p_i = ±√(x² + c_i) and

    x' = −2ηw·R(x)·(κ·x·R(x) − χ),  R(x) = Π_{i≠smallest} √(x² + c_i),

up to the sign of the whole product. x runs monotonically to a fixed point, so time is an integral over x (`scalar_flow`).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from ...checks import InputError
from ..objectives import Regression
from ..optimizers import GradientFlow, Hessian, Optimizer, Time, Trajectory, descend_stably
from .balanced_flow import balanced, fits
from .scalar_flow import ScalarFlow, integrate

LARGEST = 1e50
"""Size of a factor, and of their product, beyond which squares of squares leave the range of a float."""

NEWTON_STEPS = 60
"""Newton steps for the fixed point; the start is on the convex side, so they approach it monotonically."""


@dataclass(frozen=True)
class Layers:
    """Scalar layers at time 0, the same for every mode and noise level.

    **Parameters**

    - `start`: (p₁, …, p_L).
    """

    start: tuple[float, ...]

    @cached_property
    def sign(self) -> float:
        """Sign of the product; zeros count as positive."""
        return float(np.prod([-1.0 if p < 0 else 1.0 for p in self.start]))

    @cached_property
    def _sorted(self) -> Float[np.ndarray, " layer"]:
        return np.sort(np.abs(np.array(self.start, dtype=np.float64)))

    @cached_property
    def differences(self) -> Float[np.ndarray, " others"]:
        """c_i ≥ 0: squared size of every other layer beyond the smallest one's; conserved."""
        size = self._sorted
        return (size[1:] - size[0]) * (size[1:] + size[0])

    @property
    def gain(self) -> float:
        """The product at time 0."""
        return float(np.prod(self.start))

    @property
    def is_fixed_point(self) -> bool:
        """Two layers at zero have no gradient: nothing is ever learned."""
        return self.start.count(0.0) >= 2

    @property
    def barred(self) -> bool:
        """Whether two smallest layers are equal in size: the product can then never change its sign."""
        return bool(self.differences.size and self.differences[0] == 0)

    def others(self, x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """R(x), the product of all layers but the smallest."""
        return np.prod(np.sqrt(x**2 + self.differences.reshape(-1, *(1,) * np.ndim(x))), axis=0)

    def smallest_at(self, gain: Hessian) -> Hessian:
        """x of given signed products x·R(x), by Newton's method on ln x² from its upper bound |gain|^(2/L)."""
        size = np.abs(gain)
        log_target = 2 * np.log(np.where(size > 0, size, 1.0))
        log_square = log_target / len(self.start)
        c = self.differences[:, None, None]
        for _ in range(NEWTON_STEPS):
            square = np.exp(log_square)
            excess = log_square + np.log(square + c).sum(axis=0) - log_target
            step = excess / (1 + (square / (square + c)).sum(axis=0))
            log_square = log_square - step
            if np.abs(step).max(initial=0) < 4e-16 * (1 + np.abs(log_square).max(initial=0)):
                break
        return np.where(size > 0, np.sign(gain) * np.exp(log_square / 2), 0.0)

    def resting(self, regression: Regression) -> Hessian:
        """x at which training comes to rest: the optimum, or zero where the sign of the product bars the way."""
        target = self.sign * regression.optimum
        if self.is_fixed_point:
            return np.zeros_like(target)
        return self.smallest_at(np.maximum(target, 0.0) if self.barred else target)

    def limit(self, regression: Regression) -> Hessian:
        """Gain after infinite training."""
        x = self.resting(regression)
        reached = self.sign * x * self.others(x)
        return np.where(x == 0, reached, regression.optimum)

    def trajectory(self, regression: Regression, optimizer: Optimizer, time: Time) -> Trajectory:
        """Gain at each time under any optimizer."""
        if self.is_fixed_point:
            return np.zeros((time.size, *regression.curvature.shape))
        if len(self.start) == 1:  # one layer is a quadratic: T3 solves it for every optimizer
            hessian = 2 * regression.rate * regression.curvature
            return self.gain + (regression.optimum - self.gain) * optimizer.progress(hessian, time)
        if isinstance(optimizer, GradientFlow):
            speed = (2 * optimizer.lr) * (regression.rate * regression.curvature)
            flow = self._flow(regression)
            depth = len(self.start)
            if not flow.differences.any() and fits(depth, flow.start, flow.end, flow.missed):
                return self.sign * balanced(depth, flow.start, flow.end, flow.missed, speed, time)
            return self.sign * integrate(flow, speed, time)
        return self._stepwise(regression, optimizer, time)

    def found_by(self, optimizer: Optimizer) -> str:
        """How `trajectory` finds the gain, in words."""
        if len(self.start) == 1:
            return "closed form"
        return "inverted integral" if isinstance(optimizer, GradientFlow) else "step by step"

    def time_to(self, gain: float, regression: Regression, lr: float) -> Hessian:
        """Time under gradient flow until the gain reaches a value; NaN where it never does."""
        speed = 2 * lr * regression.rate * regression.curvature
        if len(self.start) == 1:
            with np.errstate(divide="ignore", invalid="ignore"):
                passed = np.log((regression.optimum - self.gain) / (regression.optimum - gain)) / speed
            return np.where(gain == self.gain, 0.0, np.where(passed > 0, passed, np.nan))
        flow = self._flow(regression)
        level = self.smallest_at(np.full_like(regression.curvature, self.sign * gain))
        with np.errstate(divide="ignore", invalid="ignore"):
            return flow.time_to(level) / speed

    def _flow(self, regression: Regression) -> ScalarFlow:
        resting = self.resting(regression)
        return ScalarFlow(
            start=float(self._sorted[0]),
            end=resting,
            missed=np.where(resting == 0, -self.sign * regression.optimum, 0.0),
            differences=self.differences,
        )

    def _stepwise(self, regression: Regression, optimizer: Optimizer, time: Time) -> Trajectory:
        """The recursion of all layers, step by step: it has no closed form."""
        shape = (len(self.start), *regression.curvature.shape)
        start = np.broadcast_to(np.array(self.start).reshape(-1, 1, 1), shape)

        def slope(p: Float[np.ndarray, "layer mode sigma"]) -> Float[np.ndarray, "layer mode sigma"]:
            error = 2 * regression.rate * (regression.curvature * p.prod(axis=0) - regression.cross_moment)
            return error * _products_of_others(p)

        optimizer.check_stable(self._stiffness_at(self._rested(regression), regression))
        overshoots = bool((optimizer.lr * self.stiffness(regression) > 1).any())
        layers, finite = descend_stably(slope, start, time, optimizer, init=self.start, overshoots=overshoots)
        gain = np.empty((time.size, *regression.curvature.shape))
        gain[finite] = layers.prod(axis=1)
        trained = np.broadcast_to(regression.rate > 0, regression.curvature.shape)
        gain[~finite] = np.where(trained, self.limit(regression), self.gain)
        return gain

    def _rested(self, regression: Regression) -> Float[np.ndarray, "layer mode sigma"]:
        x = self.resting(regression)[None]
        return np.concatenate([x, np.sqrt(x**2 + self.differences[:, None, None])])

    def stiffness(self, regression: Regression) -> Hessian:
        """Largest second derivative of the loss at rest, and a bound (Frobenius norm) on it at the start."""
        shape = (len(self.start), *regression.curvature.shape)
        p = np.broadcast_to(np.array(self.start).reshape(-1, 1, 1), shape)
        at_rest = self._stiffness_at(self._rested(regression), regression)
        pairs = [
            np.prod([self.start[k] for k in range(len(self.start)) if k not in (i, j)])
            for i in range(len(self.start))
            for j in range(len(self.start))
            if i != j
        ]
        bending = 2 * np.abs(regression.curvature * self.gain - regression.cross_moment) * np.linalg.norm(pairs)
        return np.maximum(at_rest, self._stiffness_at(p, regression) + regression.rate * bending)

    def _stiffness_at(self, p: Float[np.ndarray, "layer mode sigma"], regression: Regression) -> Hessian:
        return 2 * regression.rate * regression.curvature * (_products_of_others(p) ** 2).sum(axis=0)


def _products_of_others(p: Float[np.ndarray, "layer mode sigma"]) -> Float[np.ndarray, "layer mode sigma"]:
    """Π_{j≠i} p_j for every layer i, without dividing by p_i."""
    one = np.ones_like(p[:1])
    before = np.concatenate([one, np.cumprod(p[:-1], axis=0)])
    after = np.concatenate([np.cumprod(p[:0:-1], axis=0)[::-1], one])
    return before * after


def checked_layers(init: tuple[float, ...]) -> Layers:
    """Layers that can be trained; InputError for one that is too small to square."""
    tiny: Bool[np.ndarray, " layer"] = np.array([0 < abs(p) < 1e-150 for p in init])
    if tiny.any():
        raise InputError(f"init must be 0 or at least 1e-150 in size, got {init[int(tiny.argmax())]:g}")
    sizes = np.abs(np.array(init, dtype=np.float64))
    if sizes.max() > LARGEST or np.log10(np.maximum(sizes, 1e-300)).sum() > np.log10(LARGEST):
        raise InputError(f"init must be at most {LARGEST:g} in size, factors and product, got {init}")
    return Layers(init)
