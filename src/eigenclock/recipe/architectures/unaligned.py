"""One layer and tied two layers from a start that is not aligned with the data's modes (App. E.1.2).

Off-diagonal overlaps u_iᵀW u_j must decay for the generated covariance to align with the data. One layer: each decays on its own.
Tied layers: they rise first, fed by the product of two overlaps of P, and fall when the diagonal has taken over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import scipy
from jaxtyping import Float

from ...checks import InputError, shown
from ...spectrum.spectrum import Spectrum
from ..objectives import Objective, Regression
from ..optimizers import GradientFlow, Optimizer, Time, descend_stably
from .matrices import Denoiser, MatrixArchitecture
from .starts import GaussianStart, Start
from .trainable import Levels, MatrixNetwork, Modes, Single, Tied

Matrices = Float[np.ndarray, "sigma d d"]

TOLERANCE = 1e-10
"""Relative tolerance of the integrator of tied layers."""

MOST_STEPS = 1e6
"""Largest stiffness × time that an explicit integrator is asked to follow."""


@dataclass(frozen=True)
class _Unaligned(MatrixArchitecture):
    """What both have in common: a start that is any matrix."""

    init: Start = field(default_factory=GaussianStart)

    def __post_init__(self) -> None:
        if not isinstance(self.init, Start):
            raise InputError(f"init must be GaussianStart or MatrixStart, got {shown(self.init)}")


def _denoiser(regression: Regression, weights: Matrices) -> Denoiser:
    slope, offset = regression.gain_slope[:, None, None], regression.gain_offset[:, None, None]
    return Denoiser(slope * weights + offset * np.eye(weights.shape[-1]))


@dataclass(frozen=True)
class UnalignedOneLayer(_Unaligned):
    """F(x) = W x trained from any matrix W(0).

    In mode coordinates column j of W runs to its optimum at rate 2·lr·w·κ_j, exactly, so an overlap (i, j) decays as fast as
    mode j is learned.

    **Parameters**

    - `init`: `GaussianStart(scale, seed)` or `MatrixStart(weights)`, in mode coordinates.
    """

    def denoisers(
        self, objective: Objective, spectrum: Spectrum, sigma: Levels, optimizer: Optimizer, time: Time
    ) -> Iterator[Denoiser]:
        regression = objective.regression(spectrum.variance, sigma)
        d = spectrum.n_modes
        start = self.init.matrix(d)
        missing = np.zeros((sigma.size, d, d))
        missing[:, range(d), range(d)] = regression.optimum.T
        missing -= start
        hessian = 2 * regression.rate * regression.curvature
        for moment in time:
            progress = optimizer.progress(hessian, np.array([moment]))[0]
            yield _denoiser(regression, start + missing * progress.T[:, None, :])

    def trainable(self, spectrum: Spectrum, modes: Modes, levels: Levels) -> MatrixNetwork:
        return Single(modes.T @ self.init.matrix(len(modes)) @ modes)

    def largest_curvature(self, objective: Objective, spectrum: Spectrum, sigma: Levels) -> float:
        regression = objective.regression(spectrum.variance, sigma)
        return float((2 * regression.rate * regression.curvature).max())


@dataclass(frozen=True)
class UnalignedTiedTwoLayer(_Unaligned):
    """F(x) = P Pᵀ x trained from any matrix P(0): dP/dτ = −lr·w·(G + Gᵀ)P, G = 2(P Pᵀ·κ − χ), integrated numerically.

    **Parameters**

    - `init`: `GaussianStart(scale, seed)` or `MatrixStart(weights)` for P(0), in mode coordinates.
    """

    def denoisers(
        self, objective: Objective, spectrum: Spectrum, sigma: Levels, optimizer: Optimizer, time: Time
    ) -> Iterator[Denoiser]:
        regression = objective.regression(spectrum.variance, sigma)
        start = np.broadcast_to(self.init.matrix(spectrum.n_modes), (sigma.size, spectrum.n_modes, spectrum.n_modes))
        curvature, cross_moment = regression.curvature.T[:, None, :], regression.cross_moment.T[:, None, :]
        rate = regression.rate[:, None, None]
        identity = np.eye(spectrum.n_modes)

        def slope(p: Matrices) -> Matrices:
            """Gradient in P; G + Gᵀ is symmetric."""
            gradient = 2 * ((p @ p.swapaxes(1, 2)) * curvature - identity * cross_moment)
            return rate * ((gradient + gradient.swapaxes(1, 2)) @ p)

        if not isinstance(optimizer, GradientFlow):
            states, finite = descend_stably(slope, start, time, optimizer, init=self.init, overshoots=True)
            if not finite.all():
                raise InputError("time must be finite for UnalignedTiedTwoLayer, got inf")
            yield from (_denoiser(regression, p @ p.swapaxes(1, 2)) for p in states)
            return
        effort = optimizer.lr * self.largest_curvature(objective, spectrum, sigma) * time[-1]
        if not effort <= MOST_STEPS:
            raise InputError(
                f"time must end earlier for UnalignedTiedTwoLayer, got {time[-1]:g}: lr × curvature × time is {effort:.2g}, at "
                f"most {MOST_STEPS:.0g} allowed"
            )
        p, now = start.copy(), 0.0
        for moment in time:
            if moment > now:
                solution = scipy.integrate.solve_ivp(
                    lambda _, flat: -optimizer.lr * slope(flat.reshape(start.shape)).ravel(),
                    (now, moment),
                    p.ravel(),
                    method="DOP853",
                    t_eval=[moment],
                    rtol=TOLERANCE,
                    atol=1e-12,
                )
                p, now = solution.y[:, -1].reshape(start.shape), moment
            yield _denoiser(regression, p @ p.swapaxes(1, 2))

    def trainable(self, spectrum: Spectrum, modes: Modes, levels: Levels) -> MatrixNetwork:
        return Tied(modes.T @ self.init.matrix(len(modes)) @ modes)

    def gain_by(self, optimizer: Optimizer) -> str:
        return "matrix ODE" if isinstance(optimizer, GradientFlow) else "step by step"

    def largest_curvature(self, objective: Objective, spectrum: Spectrum, sigma: Levels) -> float:
        """At the optimum, 8·w·χ; at the start with P's largest singular value in place of the gain."""
        regression = objective.regression(spectrum.variance, sigma)
        size = float(np.linalg.norm(self.init.matrix(spectrum.n_modes), 2)) ** 2
        at_start = 4 * (3 * regression.curvature * size + np.abs(regression.cross_moment))
        return float((regression.rate * np.maximum(at_start, 8 * regression.cross_moment)).max())
