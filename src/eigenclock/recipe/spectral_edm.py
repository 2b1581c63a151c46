"""EDM's preconditioning with a matrix in place of its σ_data: the data's own spectrum (T19)."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from jaxtyping import Float

from ..checks import InputError, choice, number_option, shown
from ..spectrum.alignment import aligned
from ..spectrum.bases import OnGrid
from ..spectrum.spectrum import Spectrum
from .densities import Density
from .objectives import EDM_SIGMA_DATA, Coefficients, Objective, Row
from .weighting import Levels

SIGMA_MIN = 0.002
"""Smallest noise level where no sampler says another."""

SAMPLES_OF_A_WAVE = 10
"""Fewest samples for each channel from which variances of waves, whose places in the grid are known, are taken as they are."""

Input = Literal["mode", "scalar"]
Loss = Literal["sample", "mode"]


@dataclass(frozen=True)
class SpectralEDM(Objective):
    """EDM's network with the data's covariance in place of σ_data², D = μ + c_skip(y − μ) + c_out·F(c_in(y − μ)) (T19, *ours*).

    Along a mode of assumed variance s: c_skip = s/(s+σ²), c_out = σ√(s/(s+σ²)). With s the data's own, an untrained network
    (F = 0) is already the best Gaussian denoiser, and generates the data's mean and covariance.

    **Parameters**

    - `spectrum`: assumed variances, and the modes and mean of samples; None takes the spectrum that it is used with.
    - `power`: 1 for s = λ and the mean μ, 0 for EDM; between them s = σ_data^{2(1−power)}·λ^power and the mean power·μ.
    - `floor`: smallest s; None takes sigma_min² of the sampler, where there is none 0.002². Modes of variance exactly 0 stay at
      the mean.
    - `input`: "mode" scales every mode by its own c_in = (s+σ²)^{−1/2}, "scalar" all by that of the mean variance.
    - `loss`: "mode" weighs all modes alike, "sample" as EDM's loss in pixels does: (1+σ²/σ_data²)·s/(s+σ²).
    - `density`: density of training noise levels, or None. - `sigma_data`: EDM's, in the units of the data.

    Raises InputError for a power outside [0, 1], and, when it is used, for a spectrum of other modes, or of too few
    samples to know all directions (T22).

    ```python
    >>> import eigenclock as ec
    >>> spectrum = ec.Spectrum([4.0, 0.01])
    >>> curve = ec.predict(spectrum, objective=ec.SpectralEDM(), architecture=ec.OneLayer(init=0.0), time=[0.0, 1.0])
    >>> print((curve.variance.values[0] / spectrum.variance).round(3))  # before any training
    [0.999 1.   ]

    ```
    """

    spectrum: Spectrum | None = None
    power: float = 1.0
    floor: float | None = None
    input: Input = "mode"
    loss: Loss = "sample"
    density: Density | None = None
    sigma_data: float = EDM_SIGMA_DATA
    papers: ClassVar[tuple[str, ...]] = ("edm",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.spectrum is not None and not isinstance(self.spectrum, Spectrum):
            raise InputError(f"spectrum must be a Spectrum or None, got {shown(self.spectrum)}")
        number_option(self, "power", at_least=0, at_most=1)
        if self.floor is not None:
            number_option(self, "floor", above=0)
        number_option(self, "sigma_data", above=0)
        choice("input", self.input, get_args(Input))
        choice("loss", self.loss, get_args(Loss))

    def bound(self, spectrum: Spectrum, sigma_min: float) -> "BoundSpectralEDM":
        """The objective on the modes of a spectrum, with the assumed variances of its own where it has one."""
        own = spectrum if self.spectrum is None else self.spectrum
        check_enough(own)
        known = spectrum if self.spectrum is None else aligned(own, spectrum, "objective.spectrum")
        return BoundSpectralEDM.of(self, known, spectrum.dimension - spectrum.n_modes, sigma_min)

    def row(self, sigma: Levels) -> Row:
        raise InputError("SpectralEDM needs the spectrum of the data: objective.bound(spectrum, sigma_min)")


def check_enough(spectrum: Spectrum) -> None:
    """Raise where directions that few samples never saw would stay at the mean for ever (T22)."""
    n, basis = spectrum.n_samples, spectrum.basis
    wanted = SAMPLES_OF_A_WAVE * basis.channels if isinstance(basis, OnGrid) else spectrum.dimension
    if n is not None and n <= wanted and spectrum.null_variance is None:
        raise InputError(
            f"spectrum must be cross-validated, {n:,} samples do not show {spectrum.dimension:,} dimensions: "
            "spectrum.cross_validated()"
        )


class BoundSpectralEDM(Objective):
    """A `SpectralEDM` on the modes of a spectrum: what it assumes of each. Made by `SpectralEDM.bound`; no choice of its own.

    - `assumed`: (mode,) variances s; 0 of dead modes. - `outside`: s of each direction that the modes leave out.
    - `mean_variance`: of a coordinate, tr Σ/d. - `floored`: number of directions below the floor.
    """

    def __init__(
        self,
        chosen: SpectralEDM,
        assumed: Float[np.ndarray, " mode"],
        outside: float,
        mean_variance: float,
        floored: int = 0,
    ) -> None:
        self.chosen, self.density = chosen, chosen.density
        self.assumed, self.outside, self.mean_variance, self.floored = assumed, outside, mean_variance, floored

    @classmethod
    def of(cls, chosen: SpectralEDM, spectrum: Spectrum, left_out: int, sigma_min: float) -> "BoundSpectralEDM":
        """Assume a spectrum's variances, to a power, floored; `left_out`: number of directions that its modes leave out."""
        lowest = sigma_min**2 if chosen.floor is None else chosen.floor
        variance = np.append(spectrum.variance, spectrum.null_variance or 0.0)
        # to the power 0 a dead mode is as any other: EDM knows of none
        raised = chosen.sigma_data ** (2 * (1 - chosen.power)) * variance**chosen.power
        low = (raised > 0) & (raised < lowest)
        raised[low] = lowest
        assumed, outside = raised[:-1], float(raised[-1])
        mean = float((assumed.sum() + left_out * outside) / (assumed.size + left_out))
        return cls(chosen, assumed, outside, mean, int(low[:-1].sum()) + left_out * int(low[-1]))

    def some(self, modes: Any) -> "BoundSpectralEDM":
        """The same on some of the modes, by their indices; one beyond the last is a direction that they leave out."""
        chosen = np.append(self.assumed, self.outside)[modes]
        return BoundSpectralEDM(self.chosen, chosen, self.outside, self.mean_variance)

    def __repr__(self) -> str:
        return repr(self.chosen)

    def row(self, sigma: Levels) -> Row:
        s = self.assumed[:, None]
        total = s + sigma**2
        c_in = total**-0.5 if self.chosen.input == "mode" else (self.mean_variance + sigma**2) ** -0.5 + 0 * s
        share = np.sqrt(s / total)
        alive = s > 0
        signal = np.where(alive, sigma / np.sqrt(np.where(alive, s, 1) * total), 0.0)
        return Row(a=c_in, s=c_in * sigma, c=signal, e=-share, offset=s / total, slope=c_in * sigma * share)

    def loss_weight(self, sigma: Levels) -> Coefficients:
        s = self.assumed[:, None]
        if self.chosen.loss == "mode":
            return np.where(s > 0, np.ones_like(sigma), 0.0)
        return (1 + (sigma / self.chosen.sigma_data) ** 2) * s / (s + sigma**2)
