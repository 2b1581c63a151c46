"""What an architecture is to the theory: how the network's gain evolves on each mode at each noise level."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float

from ...spectrum.spectrum import Spectrum
from ..objectives import Objective, Regression
from ..optimizers import Hessian, Optimizer, Time, Trajectory
from .trainable import Levels as Levels, MatrixNetwork, Modes


@dataclass(frozen=True)
class GainCurve:
    """The curve that the gain of every mode follows under gradient flow, where it is one with a closed form (T4, T7).

    - `shape`: "exponential" as of one layer, "logistic" as of tied two layers; `init`: gain at time 0.
    - `speed`: rate of learning relative to those networks'.
    """

    shape: Literal["exponential", "logistic"]
    init: float
    speed: float = 1.0


class Architecture(ABC):
    """A linear network whose gain on a mode depends on that mode alone. Subclasses are frozen dataclasses."""

    route: ClassVar[Literal["modes", "frequencies", "matrices"]] = "modes"
    """What evolves on its own: the gain of a mode, the transfer matrix of a frequency, or only whole matrices."""

    stationary: ClassVar[bool] = False
    """Whether the network sees only the stationary part of the data, which becomes the curve's target."""

    learns_mean: ClassVar[bool] = False
    """Whether the data's mean is learned; otherwise it is taken as known."""

    kinks: ClassVar[bool] = False
    """Whether the gain has a kink where the cross-moment changes sign: products of layers stop at zero there."""

    levels_apart: ClassVar[bool] = True
    """Whether the gain at a noise level is that level's own, so that every mode may be asked at levels of its own."""

    @abstractmethod
    def network_gain(self, regression: Regression, optimizer: Optimizer, time: Time) -> Trajectory:
        """Network gain f at each training time, of shape (time, mode, sigma)."""

    @abstractmethod
    def stiffness(self, regression: Regression) -> Hessian:
        """Largest second derivative of the loss in the parameters at start or optimum, before the learning rate."""

    @abstractmethod
    def trainable(self, spectrum: Spectrum, modes: Modes, levels: Levels) -> MatrixNetwork:
        """The network itself, in data space: matrices that brute force and PyTorch train at `levels`."""

    def follows(self) -> GainCurve | None:
        """The curve with a closed form that every gain follows under gradient flow; None if there is none."""
        return None

    def gain_by(self, optimizer: Optimizer) -> str:
        """How the gain is found under this optimizer, in two words: for the table of formulas in the documentation."""
        return "closed form"

    def storable(self) -> "Architecture":
        """The same architecture made of numbers only, as a file keeps it."""
        return self

    def sees(self, spectrum: Spectrum) -> Spectrum:
        """What the network can know of the data; InputError if the spectrum has the wrong modes for it."""
        return spectrum

    def on_grid(self, seen: Spectrum) -> Spectrum:
        """What the network sees, with modes that it can be built on."""
        return seen

    def trained_levels(self, needed: Levels) -> tuple[Float[np.ndarray, " trained"], Float[np.ndarray, " trained"]]:
        """Noise levels to train so that it is known at those `needed`, and the share of the loss that each stands for."""
        return needed, np.ones_like(needed)

    def mixes(self, spectrum: Spectrum) -> bool:
        """Whether generated modes may be correlated, so that their variances are not the whole distribution."""
        return False

    def sharing(self, spectrum: Spectrum) -> float:
        """Number of positions that share each weight, by which training is faster."""
        return 1.0

    def regression(self, objective: Objective, spectrum: Spectrum, sigma: Levels) -> Regression:
        """The scalar problems of the modes on which the gains evolve."""
        return replace(objective.regression(spectrum.variance, sigma), sharing=self.sharing(spectrum))

    def largest_curvature(self, objective: Objective, spectrum: Spectrum, sigma: Levels) -> float:
        """Largest second derivative of the loss over all modes and levels: it decides the stable learning rate."""
        seen = self.sees(spectrum)
        return float(self.stiffness(self.regression(objective.bound(seen, float(sigma.min())), seen, sigma)).max())
