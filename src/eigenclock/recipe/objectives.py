"""What is regressed at each noise level, and how the network's gain becomes the denoiser's (T1, T2).

At noise level σ the network sees X = a·x₀ + s·z and is asked for Y = c·x₀ + e·z. On a mode of variance λ this is one
scalar least-squares problem, fixed by three moments: `curvature` κ = a²λ + s², `cross_moment` χ = acλ + se, and the power
of the target ρ = c²λ + e², of which the `floor` ρ − χ²/κ remains at the optimum. An objective is one row of T2: (a, s, c, e)
and the affine map from the network's gain f to the denoiser's ψ. All noise levels are those of the variance-exploding (EDM)
frame, y = x₀ + σz; the other paths are mapped to it.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Float

from ..checks import InputError, choice, finite_array, number_option, shown
from ..spectrum.spectrum import Spectrum
from .densities import Density
from .weighting import WEIGHTS, Levels, NoiseWeight, Weight, check_weight, weights_at

Path: TypeAlias = Literal["ve", "vp"]
Coefficients: TypeAlias = Float[np.ndarray, "*each sigma"]
"""Numbers of a recipe by noise level: alike for all modes, or (mode, sigma) where it knows their variances."""

EDM_SIGMA_DATA = 0.5
"""Data standard deviation that Karras et al. (2022) assume; used by the loss weight "edm"."""


@dataclass(frozen=True, eq=False)
class Regression:
    """The scalar least-squares problem of every mode at every noise level (T1).

    The loss of mode k at level σ is `weight·(curvature·(f − optimum)² + floor)`; it is descended at a rate multiplied by
    `density` and, where one weight serves several positions of a convolution, by their number, `sharing`. The denoiser's
    gain is `gain_offset + gain_slope·f`.
    """

    objective: "Objective"
    variance: Float[np.ndarray, " mode"]
    sigma: Levels
    curvature: Float[np.ndarray, "mode sigma"]
    cross_moment: Float[np.ndarray, "mode sigma"]
    floor: Float[np.ndarray, "mode sigma"]
    weight: Coefficients
    density: Levels
    gain_offset: Coefficients
    gain_slope: Coefficients
    sharing: float = 1.0

    @property
    def rate(self) -> Coefficients:
        """How strongly each noise level is trained: loss weight times noise density times weight sharing."""
        return self.weight * self.density * self.sharing

    def at(self, sigma: Levels) -> "Regression":
        """The same modes at other noise levels."""
        return replace(self.objective.regression(self.variance, sigma), sharing=self.sharing)

    @property
    def optimum(self) -> Float[np.ndarray, "mode sigma"]:
        """Network gain of least loss, f* = χ/κ."""
        return self.cross_moment / self.curvature

    def denoiser_gain(self, network_gain: Float[np.ndarray, "*any mode sigma"]) -> Float[np.ndarray, "*any mode sigma"]:
        """ψ from f."""
        return self.gain_offset + self.gain_slope * network_gain

    def loss(self, network_gain: Float[np.ndarray, "*any mode sigma"]) -> Float[np.ndarray, "*any mode sigma"]:
        """Expected loss of the mode, written around its minimum so that nothing cancels (T1)."""
        return self.weight * (self.curvature * (network_gain - self.optimum) ** 2 + self.floor)


@dataclass(frozen=True, eq=False)
class Row:
    """One row of T2 evaluated at noise levels: input a·x₀ + s·z, target c·x₀ + e·z, ψ = offset + slope·f."""

    a: Coefficients
    s: Coefficients
    c: Coefficients
    e: Coefficients
    offset: Coefficients
    slope: Coefficients


class Objective(ABC):
    """A regression per noise level. Subclasses are frozen dataclasses that state one row of T2."""

    weight: Weight = "uniform"
    path: Path = "ve"
    density: Density | None = None
    weights: ClassVar[tuple[str, ...]] = WEIGHTS
    """Names that `weight` may have."""
    papers: ClassVar[tuple[str, ...]] = ()
    """What to cite for it: names in `report.citation.PAPERS`."""

    def __post_init__(self) -> None:
        check_weight(self.weight, self.weights)
        choice("path", self.path, get_args(Path))
        if self.density is not None and not isinstance(self.density, Density):
            raise InputError(f"density must be a Density, such as LogNormal(), or None, got {shown(self.density)}")

    @abstractmethod
    def row(self, sigma: Levels) -> Row:
        """The row of T2 at noise levels `sigma` > 0."""

    def bound(self, spectrum: Spectrum, sigma_min: float) -> "Objective":
        """The objective on the modes of a spectrum that is sampled down to `sigma_min`: itself, unless it assumes variances."""
        return self

    def some(self, modes: Any) -> "Objective":
        """The objective on some of the modes it is bound to, by their indices."""
        return self

    def loss_weight(self, sigma: Levels) -> Levels:
        """Weight of the squared error of the objective's own target at each noise level; InputError if it is not one, >= 0."""
        if callable(self.weight):
            weight = partial(self.weight.of, self) if isinstance(self.weight, NoiseWeight) else self.weight
            return weights_at(weight, sigma)
        if self.weight == "edm":
            return (sigma**2 + EDM_SIGMA_DATA**2) / (sigma * EDM_SIGMA_DATA) ** 2
        return sigma**-2.0 if self.weight == "snr" else np.ones_like(sigma)

    def density_at(self, sigma: Levels) -> Levels:
        """Density in ln σ at each noise level, 1 where every level is trained alone; InputError unless it is one, >= 0."""
        if self.density is None:
            return np.ones_like(sigma)
        given = finite_array("density", self.density(sigma), "a function from noise levels (sigma,) to densities >= 0")
        if given.shape != np.shape(sigma) or given.min(initial=0.0) < 0:
            raise InputError(
                f"density must give a number >= 0 for each of {np.size(sigma)} noise levels, got {shown(given)}"
            )
        return given

    def regression(self, variance: Float[np.ndarray, " mode"], sigma: Levels) -> Regression:
        """The moments of T1 for modes of the given variance."""
        row, power = self.row(sigma), variance[:, None]
        curvature = row.a**2 * power + row.s**2
        return Regression(
            objective=self,
            variance=variance,
            sigma=sigma,
            curvature=curvature,
            cross_moment=row.a * row.c * power + row.s * row.e,
            # rho - chi^2/kappa without its cancellation
            floor=power * (row.a * row.e - row.s * row.c) ** 2 / curvature,
            weight=self.loss_weight(sigma),
            density=self.density_at(sigma),
            gain_offset=row.offset,
            gain_slope=row.slope,
        )


def variance_preserving(sigma: Levels) -> tuple[Levels, Levels]:
    """Signal and noise amplitudes of the variance-preserving path at EDM-frame noise level σ."""
    signal = 1 / np.sqrt(1 + sigma**2)
    return signal, sigma * signal


@dataclass(frozen=True)
class Denoising(Objective):
    """Regress the clean sample x₀ (the paper's main text).

    **Parameters**

    - `weight`: weight of |D − x₀|² at each noise level: "uniform" (the paper), "edm" (σ²+σ_d²)/(σσ_d)² with σ_d = 0.5,
      "snr" 1/σ².
    - `path`: what the network sees: "ve" x₀ + σz, "vp" (x₀ + σz)/√(1+σ²).
    - `density`: density of training noise levels, scales each level's rate by p(ln σ); None trains every level alone.
    """

    weight: Weight = "uniform"
    path: Path = "ve"
    density: Density | None = None

    def row(self, sigma: Levels) -> Row:
        one, zero = np.ones_like(sigma), np.zeros_like(sigma)
        a, s = (one, sigma) if self.path == "ve" else variance_preserving(sigma)
        return Row(a=a, s=s, c=one, e=zero, offset=zero, slope=a)


@dataclass(frozen=True)
class EDM(Objective):
    """The preconditioned network of Karras et al. (2022), D = c_skip·y + c_out·F(c_in·y), under their loss.

    Their weight (σ²+σ_d²)/(σσ_d)² makes the regression of F have weight one at every noise level.

    **Parameters**

    - `sigma_data`: standard deviation per coordinate that the preconditioning assumes, in the units of the data.
    - `density`: density of training noise levels (EDM trains with `LogNormal(-1.2, 1.2)`); None trains every level alone.
    - `weight`: what multiplies EDM's weight: "uniform" nothing; `MinSNR(gamma)`, `NoisePower(beta)`, or any function of σ.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> regression = ec.EDM(sigma_data=0.5).regression(np.array([0.25]), np.array([0.5]))
    >>> regression.denoiser_gain(regression.optimum)  # λ/(λ+σ²), as for every objective
    array([[0.5]])

    ```
    """

    sigma_data: float = EDM_SIGMA_DATA
    density: Density | None = None
    weight: Weight = "uniform"
    weights: ClassVar[tuple[str, ...]] = ("uniform",)
    papers: ClassVar[tuple[str, ...]] = ("edm",)

    def __post_init__(self) -> None:
        super().__post_init__()
        number_option(self, "sigma_data", above=0)

    def row(self, sigma: Levels) -> Row:
        total = sigma**2 + self.sigma_data**2
        c_skip, c_in = self.sigma_data**2 / total, 1 / np.sqrt(total)
        c_out = sigma * self.sigma_data / np.sqrt(total)
        # (1 - c_skip)/c_out, with 1 - c_skip = sigma^2/total
        signal = sigma / (self.sigma_data * np.sqrt(total))
        noise = -self.sigma_data / np.sqrt(total)
        return Row(a=c_in, s=c_in * sigma, c=signal, e=noise, offset=c_skip, slope=c_out * c_in)


@dataclass(frozen=True)
class Epsilon(Objective):
    """Regress the noise z (DDPM).

    **Parameters**

    - `weight`: weight of |ε̂ − z|² at each noise level, see `Denoising`.
    - `path`: what the network sees: "ve" x₀ + σz, "vp" (x₀ + σz)/√(1+σ²).
    - `density`: density of training noise levels, or None.
    """

    weight: Weight = "uniform"
    path: Path = "ve"
    density: Density | None = None
    papers: ClassVar[tuple[str, ...]] = ("ddpm",)

    def row(self, sigma: Levels) -> Row:
        one = np.ones_like(sigma)
        a, s = (one, sigma) if self.path == "ve" else variance_preserving(sigma)
        return Row(a=a, s=s, c=np.zeros_like(sigma), e=one, offset=one, slope=-s)


@dataclass(frozen=True)
class Velocity(Objective):
    """Regress v = αz − s·x₀ on the variance-preserving path (Salimans & Ho, 2022).

    **Parameters**

    - `weight`: weight of |v̂ − v|² at each noise level, see `Denoising`.
    - `density`: density of training noise levels, or None.
    """

    weight: Weight = "uniform"
    density: Density | None = None
    papers: ClassVar[tuple[str, ...]] = ("velocity",)

    def row(self, sigma: Levels) -> Row:
        signal, noise = variance_preserving(sigma)
        return Row(a=signal, s=noise, c=-noise, e=signal, offset=signal**2, slope=-signal * noise)


@dataclass(frozen=True)
class Score(Objective):
    """Regress the conditional score −z/σ on the variance-exploding path.

    **Parameters**

    - `weight`: weight of the squared score error at each noise level, see `Denoising`.
    - `density`: density of training noise levels, or None.
    """

    weight: Weight = "uniform"
    density: Density | None = None

    def row(self, sigma: Levels) -> Row:
        one = np.ones_like(sigma)
        return Row(a=one, s=sigma, c=np.zeros_like(sigma), e=-1 / sigma, offset=one, slope=sigma**2)


@dataclass(frozen=True)
class FlowMatching(Objective):
    """Regress x₀ − z on the straight path t·x₀ + (1−t)·z; data at t = 1, σ = (1−t)/t (App. H).

    **Parameters**

    - `weight`: weight of |û − (x₀ − z)|² at each noise level, see `Denoising`.
    - `density`: density of training noise levels in ln σ, or None.
    """

    weight: Weight = "uniform"
    density: Density | None = None
    papers: ClassVar[tuple[str, ...]] = ("flow",)

    def row(self, sigma: Levels) -> Row:
        one, t, rest = np.ones_like(sigma), 1 / (1 + sigma), sigma / (1 + sigma)
        return Row(a=t, s=rest, c=one, e=-one, offset=t, slope=t * rest)
