"""Circular convolutions: what full-width and local ones share (T10, T11)."""

from abc import abstractmethod
from typing import ClassVar, TypeAlias

import numpy as np
from jaxtyping import Float

from ...checks import InputError
from ...spectrum.bases import Fourier
from ...spectrum.spectrum import Spectrum
from ..objectives import Objective, Regression
from ..optimizers import Hessian, Optimizer, Time, Trajectory
from .base import Architecture, Levels
from .one_layer import OneLayer
from .trainable import MatrixNetwork, Modes, circular_convolution

Weights: TypeAlias = Float[np.ndarray, "time sigma displacement out_channel in_channel"]


class Convolution(Architecture):
    """A convolution on a periodic grid, every weight used at all of its positions. Subclasses are frozen dataclasses."""

    init: float
    kernel: int | None = None
    """Edge length of the kernel; None for one as wide as the grid."""

    stationary: ClassVar[bool] = True

    def network_gain(self, regression: Regression, optimizer: Optimizer, time: Time) -> Trajectory:
        """That of one layer, on the modes in which the weights run on their own."""
        return OneLayer(self.init).network_gain(regression, optimizer, time)

    def stiffness(self, regression: Regression) -> Hessian:
        return OneLayer(self.init).stiffness(regression)

    def sharing(self, spectrum: Spectrum) -> float:
        return float(spectrum.positions)

    def trainable(self, spectrum: Spectrum, modes: Modes, levels: Levels) -> MatrixNetwork:
        if not isinstance(spectrum.basis, Fourier):
            self.sees(spectrum)  # InputError for PCA modes
            raise InputError("a trained convolution needs modes of a grid: Spectrum.from_power or from_samples")
        return circular_convolution(spectrum.basis, self.kernel, self.init)

    def gains(
        self, objective: Objective, spectrum: Spectrum, sigma: Levels, optimizer: Optimizer, time: Time
    ) -> Trajectory:
        """Gains of the modes in which the weights run on their own, of a spectrum that the network has seen."""
        return self.network_gain(self.regression(objective, spectrum, sigma), optimizer, time)

    @abstractmethod
    def weights(
        self, objective: Objective, spectrum: Spectrum, sigma: Levels, optimizer: Optimizer, time: Time
    ) -> Weights:
        """The kernel w in closed form: F(x)[p, out] = Σ w[j, out, in]·x[p + displacement j, in]; displacements come flattened,
        in the order of the grid or, for a local kernel, row by row from its corner."""
