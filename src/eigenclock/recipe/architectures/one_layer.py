"""One-layer linear network, F(x) = W x (T4; Prop. 4.2)."""

from dataclasses import dataclass

import numpy as np

from ...checks import number_option
from ...spectrum.spectrum import Spectrum
from ..objectives import Regression
from ..optimizers import Hessian, Optimizer, Time, Trajectory
from .base import Architecture, GainCurve, Levels
from .trainable import MatrixNetwork, Modes, Single


@dataclass(frozen=True)
class OneLayer(Architecture):
    """F(x) = W x trained from W(0) = init·I.

    The gain of a mode runs exponentially from `init` to its optimum, at rate 2·lr·weight·curvature: with the plain denoising
    objective that is 2·lr·(λ + σ²), so high variance is learned first, and high noise before low.

    **Parameters**

    - `init`: network gain of every mode at time 0, dimensionless. For an EDM-preconditioned network 0 is the usual start.
    """

    init: float = 0.1

    def __post_init__(self) -> None:
        number_option(self, "init")

    def network_gain(self, regression: Regression, optimizer: Optimizer, time: Time) -> Trajectory:
        gain = optimizer.progress(self.stiffness(regression), time)
        gain *= regression.optimum - self.init
        gain += self.init
        return gain

    def stiffness(self, regression: Regression) -> Hessian:
        return 2 * regression.rate * regression.curvature

    def follows(self) -> GainCurve:
        return GainCurve("exponential", self.init)

    def trainable(self, spectrum: Spectrum, modes: Modes, levels: Levels) -> MatrixNetwork:
        return Single(self.init * np.eye(modes.shape[1]))
