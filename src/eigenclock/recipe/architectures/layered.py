"""Networks that are products of aligned layers: what they share, whatever their layers start from (T8, T9)."""

from abc import abstractmethod
from typing import Any, ClassVar

from ...checks import InputError, number, shown
from ..objectives import Regression
from ..optimizers import Hessian, Optimizer, Time, Trajectory
from .base import Architecture, GainCurve
from .layers import Layers
from .tied_two_layer import SMALLEST_START


class Layered(Architecture):
    """A network whose gain on a mode is a product of scalars. Subclasses are frozen dataclasses."""

    kinks: ClassVar[bool] = True

    @property
    @abstractmethod
    def layers(self) -> Layers:
        """The scalars of every mode."""

    def network_gain(self, regression: Regression, optimizer: Optimizer, time: Time) -> Trajectory:
        return self.layers.trajectory(regression, optimizer, time)

    def follows(self) -> GainCurve | None:
        factors = self.layers.start
        if len(factors) == 1:
            return GainCurve("exponential", factors[0])
        # balanced layers are logistic like tied ones, at rate 4 in place of 8
        if len(factors) == 2 and factors[0] == factors[1] and factors[0] ** 2 >= SMALLEST_START:
            return GainCurve("logistic", factors[0] ** 2, 0.5)
        return None

    def time_to(self, gain: float, regression: Regression, lr: float) -> Hessian:
        """Steps of gradient flow until each mode's gain at each level reaches `gain`; NaN if never."""
        return self.layers.time_to(gain, regression, lr)

    def gain_by(self, optimizer: Optimizer) -> str:
        return self.layers.found_by(optimizer)

    def stiffness(self, regression: Regression) -> Hessian:
        return self.layers.stiffness(regression)


MOST_DEPTH = 1000
"""Largest number of layers or blocks."""


def one_or_each(init: Any, depth: int) -> Any:
    """`init` as a number for all layers, or a tuple of one per layer (a file gives a list); InputError otherwise."""
    if not isinstance(init, tuple | list):
        return init
    if len(init) != depth:
        raise InputError(
            f"init must be a number or {depth} of them, one per layer, for depth {depth}, got {shown(init)}"
        )
    return tuple(number(f"init[{i}]", value) for i, value in enumerate(init))
