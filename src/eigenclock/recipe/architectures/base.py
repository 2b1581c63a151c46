"""What an architecture is to the theory: how the network's gain evolves on each mode at each noise level."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar, TypeAlias

import numpy as np
from jaxtyping import Float

from ...spectrum.spectrum import Spectrum
from ..objectives import Objective, Regression
from ..optimizers import Hessian, Optimizer, Time, Trajectory

Levels: TypeAlias = Float[np.ndarray, " sigma"]


class Architecture(ABC):
    """A linear network whose gain on a mode depends on that mode alone. Subclasses are frozen dataclasses."""

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

    def gain_by(self, optimizer: Optimizer) -> str:
        """How the gain is found under this optimizer, in two words: for the table of formulas in the documentation."""
        return "closed form"

    def storable(self) -> "Architecture":
        """The same architecture made of numbers only, as a file keeps it."""
        return self

    def sees(self, spectrum: Spectrum) -> Spectrum:
        """What the network can know of the data; InputError if the spectrum has the wrong modes for it."""
        return spectrum

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
        return float(self.stiffness(self.regression(objective, self.sees(spectrum), sigma)).max())
