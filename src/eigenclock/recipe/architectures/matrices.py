"""Networks whose gain is a matrix, not a number per mode: what the matrix route reads (App. D, E.1.2)."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float

from ...checks import InputError
from ...spectrum.spectrum import Spectrum
from ..objectives import Objective, Regression
from ..optimizers import Hessian, Optimizer, Time, Trajectory
from .base import Architecture, Levels


@dataclass(frozen=True, eq=False)
class Denoiser:
    """D(y) = linear·y + shift at every noise level, in mode coordinates."""

    linear: Float[np.ndarray, "sigma d d"]
    shift: Float[np.ndarray, "sigma d"] | None = None


class MatrixArchitecture(Architecture):
    """An architecture that mixes modes. Subclasses are frozen dataclasses."""

    route: ClassVar[Literal["modes", "frequencies", "matrices"]] = "matrices"

    def mean(self, spectrum: Spectrum) -> Float[np.ndarray, " mode"]:
        """The data's mean in mode coordinates; zero where it is taken as known."""
        return np.zeros(spectrum.n_modes)

    @abstractmethod
    def denoisers(
        self, objective: Objective, spectrum: Spectrum, sigma: Levels, optimizer: Optimizer, time: Time
    ) -> Iterator[Denoiser]:
        """The denoiser at each training time, in order."""

    def sees(self, spectrum: Spectrum) -> Spectrum:
        if spectrum.n_modes != spectrum.dimension:
            raise InputError(
                f"{type(self).__name__} needs all {spectrum.dimension} directions of the data, got {spectrum.n_modes} modes: "
                "use at least as many samples as coordinates"
            )
        return spectrum

    def mixes(self, spectrum: Spectrum) -> bool:
        return True

    def network_gain(self, regression: Regression, optimizer: Optimizer, time: Time) -> Trajectory:
        raise TypeError(f"{type(self).__name__} mixes modes: it has matrices (denoisers), not a gain per mode")

    def stiffness(self, regression: Regression) -> Hessian:
        raise TypeError(f"{type(self).__name__} mixes modes: see largest_curvature")
