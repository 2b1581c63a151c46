"""Tied two-layer linear network, F(x) = P Pᵀ x (T7; Prop. 5.1)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...checks import InputError, number_option
from ...spectrum.spectrum import Spectrum
from ..objectives import Regression
from ..optimizers import (
    GradientDescent,
    GradientFlow,
    HeavyBall,
    Hessian,
    Optimizer,
    Time,
    Trajectory,
    descend_stably,
    elapsed,
)
from .base import Architecture, GainCurve, Levels
from .layers import LARGEST
from .trainable import MatrixNetwork, Modes, Tied

SMALLEST_START = 1e-250
"""A positive start so small that products with it underflow is neither a fixed point nor a number."""


@dataclass(frozen=True)
class TiedTwoLayer(Architecture):
    """F(x) = P Pᵀ x trained from an aligned start P(0)P(0)ᵀ = init·I.

    Under gradient flow the gain follows a logistic curve of rate 8·lr·weight·cross_moment. For the plain denoising objective
    that rate is 8·lr·λ, the same at every noise level. Targets below zero (e.g. noise prediction at a negative cross-moment)
    are out of reach of P Pᵀ: the gain then decays to zero. Not the untied product W = P Q.

    **Parameters**

    - `init`: gain of every mode at time 0, dimensionless, >= 0. `0` is a fixed point: nothing is ever learned.
    """

    init: float = 0.1
    kinks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        number_option(self, "init", at_least=0)
        if self.init > LARGEST:
            raise InputError(f"init must be at most {LARGEST:g}, got {self.init:g}")
        if 0 < self.init < SMALLEST_START:
            raise InputError(f"init must be 0 or >= {SMALLEST_START:g}, got {self.init:g}")

    def network_gain(self, regression: Regression, optimizer: Optimizer, time: Time) -> Trajectory:
        if isinstance(optimizer, GradientDescent | HeavyBall):
            return self._stepwise(regression, optimizer, time)
        speed = 8 * optimizer.lr * regression.rate
        return self._logistic(speed * regression.cross_moment, speed * regression.curvature, time)

    def _logistic(self, growth: Hessian, saturation: Hessian, time: Time) -> Trajectory:
        """f' = growth·f − saturation·f², any sign of growth.

        With E = e^{−|growth|τ} and T = (1−E)/|growth|: f = Q/(E + Q·saturation·T) growing, Q·E/(1 + Q·saturation·T) decaying.
        """
        if self.init == 0:
            return np.zeros((time.size, *growth.shape))
        tau, speed = elapsed(time)[:, None, None], np.abs(growth)
        exponent = speed * tau
        flat = exponent < np.finfo(float).tiny
        saturating = np.where(flat, tau, -np.expm1(-exponent) / np.where(speed > 0, speed, 1.0))  # T → τ as growth → 0
        remaining = np.exp(-exponent)
        decaying = growth < 0
        denominator = np.where(decaying, 1.0, remaining) + self.init * saturation * saturating
        return self.init * np.where(decaying, remaining, 1.0) / denominator

    def _stepwise(self, regression: Regression, optimizer: GradientDescent | HeavyBall, time: Time) -> Trajectory:
        """The recursion of p, f = p², step by step: it has no closed form."""
        rate, curvature, cross_moment = regression.rate, regression.curvature, regression.cross_moment
        optimizer.check_stable(8 * rate * np.maximum(cross_moment, 0) if self.init > 0 else np.zeros_like(curvature))
        factor, finite = descend_stably(
            lambda p: 4 * rate * (curvature * p**2 - cross_moment) * p,
            np.full(curvature.shape, np.sqrt(self.init)),
            time,
            optimizer,
            init=f"{self.init:g}",
            overshoots=bool((4 * optimizer.lr * rate * (curvature * self.init - cross_moment) > 1).any()),
        )
        gain = np.empty((time.size, *curvature.shape))
        gain[finite] = factor**2
        rested = np.where(np.broadcast_to(rate > 0, curvature.shape), np.maximum(regression.optimum, 0), self.init)
        gain[~finite] = rested if self.init > 0 else 0.0
        return gain

    def gain_by(self, optimizer: Optimizer) -> str:
        return "closed form" if isinstance(optimizer, GradientFlow) else "step by step"

    def stiffness(self, regression: Regression) -> Hessian:
        at_start = 4 * (3 * regression.curvature * self.init - regression.cross_moment)
        return regression.rate * np.maximum(at_start, 8 * regression.cross_moment)

    def follows(self) -> GainCurve:
        return GainCurve("logistic", self.init)

    def trainable(self, spectrum: Spectrum, modes: Modes, levels: Levels) -> MatrixNetwork:
        return Tied(np.sqrt(self.init) * np.eye(modes.shape[1]))
