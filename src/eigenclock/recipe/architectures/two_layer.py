"""Untied two-layer linear network, F(x) = P Q x (T8; App. F.2)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ...checks import InputError, number, shown
from ...spectrum.spectrum import Spectrum
from ..objectives import Regression
from ..optimizers import GradientFlow, Hessian, Optimizer, Time, Trajectory, elapsed
from .layered import Layered
from .layers import Layers, checked_layers
from .trainable import Chain, Levels, MatrixNetwork, Modes


@dataclass(frozen=True)
class TwoLayer(Layered):
    """F(x) = P Q x trained from an aligned start P(0) = p·I, Q(0) = q·I.

    The gain u = pq obeys u' = −2·lr·w·√(C² + 4u²)·(κu − χ), with C = p² − q² conserved. Balanced layers (|p| = |q|) grow on a
    logistic curve of rate 4·lr·w·χ and never change sign; unbalanced ones learn at least at the rate 2·lr·w·κ·|C|, like one
    layer. (p + q)² obeys a Riccati equation of constant coefficients, so the gain is explicit at every time.

    **Parameters**

    - `init`: (p, q), the same for every mode. One of them may be 0; both would be a fixed point.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> regression = ec.Denoising().regression(np.array([1.0]), np.array([0.5]))
    >>> network = ec.TwoLayer(init=(0.5, 0.2))
    >>> half_way = network.time_to(0.4, regression, lr=1.0)
    >>> network.network_gain(regression, ec.GradientFlow(lr=1.0), half_way[0]).round(12)
    array([[[0.4]]])

    ```
    """

    init: tuple[float, float] = (0.3, 0.3)

    def __post_init__(self) -> None:
        if not isinstance(self.init, tuple | list) or len(self.init) != 2:
            raise InputError(f"init must be two numbers (p, q) for TwoLayer, got {shown(self.init)}")
        factors = tuple(number(f"init[{i}]", factor) for i, factor in enumerate(self.init))  # a file gives a list
        object.__setattr__(self, "init", factors)
        if self.layers.is_fixed_point:
            raise InputError("init must not be (0, 0) for TwoLayer: a fixed point, nothing is ever learned")

    @property
    def layers(self) -> Layers:
        """The two scalars of every mode."""
        return checked_layers(self.init)

    def network_gain(self, regression: Regression, optimizer: Optimizer, time: Time) -> Trajectory:
        if not isinstance(optimizer, GradientFlow):
            return self.layers.trajectory(regression, optimizer, time)
        p, q = self.init
        mirrored = -1.0 if abs(p + q) < abs(p - q) else 1.0  # q → −q mirrors the gain and χ
        saturation = optimizer.lr * regression.rate * regression.curvature
        growth = (4 * optimizer.lr * mirrored) * regression.rate * regression.cross_moment
        larger, smaller = max(abs(p), abs(q)), min(abs(p), abs(q))
        conserved, tau = (larger - smaller) * (larger + smaller), elapsed(time)[:, None, None]
        sum_squared = _riccati((larger + smaller) ** 2, saturation, growth, conserved**2, tau)
        difference_squared = _riccati((larger - smaller) ** 2, saturation, -growth, conserved**2, tau)
        gain = (sum_squared - difference_squared) / 4
        unbalanced = np.abs(gain) < conserved
        if unbalanced.any():  # the difference above has lost its digits
            gain = np.where(unbalanced, _unbalanced_gain(larger, smaller, saturation, growth, tau), gain)
        return mirrored * gain

    def time_to(self, gain: float, regression: Regression, lr: float) -> Hessian:
        """Steps of gradient flow until each mode's gain at each level reaches `gain`, in closed form; NaN if never."""
        p, q = self.init
        mirrored = -1.0 if abs(p + q) < abs(p - q) else 1.0  # p → −p mirrors u and χ; keeps (p + q)² away from 0
        start, conserved = (p + mirrored * q) ** 2, p**2 - q**2
        level = 2 * mirrored * gain + np.hypot(conserved, 2 * gain)
        saturation = lr * regression.rate * regression.curvature
        growth = 4 * lr * mirrored * regression.rate * regression.cross_moment
        rate = np.hypot(growth, 2 * saturation * conserved)
        upper, lower = (growth + rate) / (2 * saturation), (growth - rate) / (2 * saturation)
        with np.errstate(divide="ignore", invalid="ignore"):
            algebraic = (1 / level - 1 / start) / saturation  # without a target or a difference nothing is exponential
            ratio = (start - upper) * (level - lower) / ((start - lower) * (level - upper))
            moving = np.where(rate > 0, np.log(ratio) / rate, algebraic)
        return np.where(level == start, 0.0, np.where((moving > 0) & (level > 0), moving, np.nan))

    def gain_by(self, optimizer: Optimizer) -> str:
        return "closed form" if isinstance(optimizer, GradientFlow) else "step by step"

    def trainable(self, spectrum: Spectrum, modes: Modes, levels: Levels) -> MatrixNetwork:
        return Chain(modes.shape[1], self.init[::-1], 0.0)


def _riccati(
    start: float, saturation: Hessian, growth: Hessian, conserved: float, tau: Float[np.ndarray, "time 1 1"]
) -> Trajectory:
    """y(τ) of y' = saturation·(conserved − y²) + growth·y, for y >= 0, without cancellation at either sign of growth.

    `conserved` is C². With r² = growth² + 4·saturation²·C², E = e^{−rτ}, S = (1−E)/r:
    y = [y₀(1+E+growth·S) + 2·saturation·conserved·S]/[1+E−growth·S + 2·saturation·y₀·S].
    """
    if start == 0 and conserved == 0:
        return np.zeros(np.broadcast_shapes(tau.shape, growth.shape))
    rate = np.sqrt(growth**2 + 4 * saturation**2 * conserved)
    up, down, spent = _weights(growth, 4 * saturation**2 * conserved, rate, tau)
    return (start * up + 2 * saturation * conserved * spent) / (down + 2 * saturation * start * spent)


def _unbalanced_gain(
    larger: float, smaller: float, saturation: Hessian, growth: Hessian, tau: Float[np.ndarray, "time 1 1"]
) -> Trajectory:
    """pq from z = (p+q)² − C, which is small where C is large: z' = C·growth + (growth − 2·saturation·C)·z − saturation·z²."""
    conserved = (larger - smaller) * (larger + smaller)
    drift, source = growth - 2 * saturation * conserved, growth * conserved
    rate = np.sqrt(growth**2 + (2 * saturation * conserved) ** 2)
    up, down, spent = _weights(drift, 4 * saturation * source, rate, tau)
    start = 2 * smaller * (larger + smaller)
    z = (start * up + 2 * source * spent) / (down + 2 * saturation * start * spent)
    return z * (z + 2 * conserved) / (4 * (z + conserved))


def _weights(
    drift: Hessian, coupling: Hessian, rate: Hessian, tau: Float[np.ndarray, "time 1 1"]
) -> tuple[Trajectory, Trajectory, Trajectory]:
    """1 + E + drift·S, 1 + E − drift·S and S = (1−E)/rate, E = e^{−rate·τ}, given coupling = rate² − drift²."""
    moving = np.where(rate > 0, rate, 1.0)
    exponent = rate * tau
    decay = np.exp(-exponent)
    spent = np.where(exponent < np.finfo(float).tiny, tau, -np.expm1(-exponent) / moving)
    share = np.abs(drift) / moving
    # 1 − |drift|/rate
    slow = np.where(rate > 0, coupling / (moving * (moving + np.abs(drift))), 1.0)
    shrinking, growing = slow + decay * (1 + share), 1 + share + decay * slow
    return np.where(drift >= 0, growing, shrinking), np.where(drift >= 0, shrinking, growing), spent
