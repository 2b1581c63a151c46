"""One network for all noise levels, F(x, σ) = Σ_j φ_j(σ)·W_j x: training one level moves the others (T13)."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from ...checks import InputError, integer_option, number_option, shown
from ...spectrum.spectrum import Spectrum
from ..objectives import Regression
from ..optimizers import Hessian, Optimizer, Time, Trajectory
from .base import Architecture, Levels
from .kernels import FeatureMap, GaussianKernel, KernelMatrix, NoiseKernel
from .trainable import AcrossLevels, MatrixNetwork, Modes

NULL = 1e-14
"""Eigenvalue, relative to a mode's largest, below which a direction is rounding: no training reaches it."""


@dataclass(frozen=True)
class Coupled(Architecture):
    """Weights shared across noise levels through a kernel K(σ, σ') = Σ_j φ_j(σ)φ_j(σ').

    Per mode ∂f(σ)/∂τ = −2·lr·∫K(σ, σ')·p(σ')·w(σ')·[κ(σ')f(σ') − χ(σ')] d ln σ'. On the training levels (Gauss–Legendre in ln σ)
    that is one symmetric eigenproblem per mode, of √(pwκ)·K·√(pwκ); levels in between follow through the kernel. One
    narrower than the data's features is `OneLayer`; one as wide as everything makes all levels learn at one pace.

    **Parameters**

    - `kernel`: `GaussianKernel(length)`, `FeatureMap(function)` or `KernelMatrix(sigma, values)`.
    - `init`: network gain of every mode at every level at time 0.
    - `sigma_min`, `sigma_max`: noise levels that are trained. The objective's `density` says how often; None trains every
      e-fold of σ equally.
    - `levels`: number of training levels of the quadrature.
    """

    kernel: NoiseKernel = field(default_factory=GaussianKernel)
    init: float = 0.0
    sigma_min: float = 0.002
    sigma_max: float = 80.0
    levels: int = 128
    levels_apart: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not isinstance(self.kernel, NoiseKernel):
            raise InputError(f"kernel must be GaussianKernel, FeatureMap or KernelMatrix, got {shown(self.kernel)}")
        number_option(self, "init")
        number_option(self, "sigma_min", above=0)
        number_option(self, "sigma_max", above=self.sigma_min)
        integer_option(self, "levels", at_least=2, at_most=4096)
        self.kernel.check(self.training_levels[0])
        spacing = np.log(self.sigma_max / self.sigma_min) / self.levels
        if isinstance(self.kernel, GaussianKernel) and self.kernel.length < spacing:
            raise InputError(
                f"length must be >= {spacing:.3g} for {self.levels} training levels, got {self.kernel.length:g}: "
                "use more levels, or OneLayer for levels trained alone"
            )

    @property
    def training_levels(self) -> tuple[Levels, Levels]:
        """Training noise levels, and the share of ln σ that each stands for."""
        nodes, weights = np.polynomial.legendre.leggauss(self.levels)
        low, high = np.log(self.sigma_min), np.log(self.sigma_max)
        return np.exp((high + low) / 2 + (high - low) / 2 * nodes), weights * (high - low) / 2

    def trained_levels(self, needed: Levels) -> tuple[Float[np.ndarray, " trained"], Float[np.ndarray, " trained"]]:
        return self.training_levels

    def trainable(self, spectrum: Spectrum, modes: Modes, levels: Levels) -> MatrixNetwork:
        values, vectors = np.linalg.eigh(self.kernel.matrix(levels, levels))
        features = vectors * np.sqrt(np.maximum(values, 0))
        return AcrossLevels(features[:, values > 1e-15 * values[-1]], self.init, modes.shape[1])

    def storable(self) -> "Coupled":
        """A feature map is a function, which no file holds: it is written as its kernel at the training levels."""
        if not isinstance(self.kernel, FeatureMap):
            return self
        sigma, _ = self.training_levels
        return replace(self, kernel=KernelMatrix(sigma, self.kernel.matrix(sigma, sigma)))

    def _eigenmodes(
        self, trained: Regression
    ) -> tuple[Float[np.ndarray, "mode level"], Float[np.ndarray, "mode level eigen"], Float[np.ndarray, "mode level"]]:
        """Eigenvalues and eigenvectors of √(pwκ)·K·√(pwκ) per mode, and √(pwκ)."""
        sigma, share = self.training_levels
        root = np.sqrt(share * trained.rate * trained.curvature)
        coupling = root[:, :, None] * self.kernel.matrix(sigma, sigma) * root[:, None, :]
        values, vectors = np.linalg.eigh(coupling)
        return values, vectors, root

    def network_gain(self, regression: Regression, optimizer: Optimizer, time: Time) -> Trajectory:
        sigma, _ = self.training_levels
        trained = regression.at(sigma)
        values, vectors, root = self._eigenmodes(trained)
        known = values > NULL * values[:, -1:]
        values = np.where(known, values, 0.0)
        wanted = np.einsum("msj,ms->mj", vectors, root * (trained.optimum - self.init), optimize=True)
        step = optimizer.progress(2 * values, time) * np.where(known, wanted / np.where(known, values, 1.0), 0.0)
        reach = self.kernel.matrix(regression.sigma, sigma)
        carried = np.matmul(reach * root[:, None, :], vectors)  # (mode, sigma, eigen)
        return self.init + np.matmul(step.swapaxes(0, 1), carried.swapaxes(1, 2)).swapaxes(0, 1)

    def gain_by(self, optimizer: Optimizer) -> str:
        return "eigenproblem"

    def stiffness(self, regression: Regression) -> Hessian:
        """The largest eigenvalue of each mode, the same at every level."""
        values, _, _ = self._eigenmodes(regression.at(self.training_levels[0]))
        return np.broadcast_to(2 * values[:, -1:], regression.curvature.shape)
