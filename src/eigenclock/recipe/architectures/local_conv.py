"""Local circular convolution, a kernel smaller than the grid (T11; Prop. 5.4)."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
import scipy
from jaxtyping import Complex, Float

from ...checks import InputError, integer_option
from ...spectrum.bases import Fourier
from ...spectrum.spectrum import Spectrum
from ..objectives import Objective, Regression
from ..optimizers import Optimizer, Time
from .base import Levels
from .convolution import Convolution, Weights
from .one_layer import OneLayer


@dataclass(frozen=True, eq=False)
class Patches:
    """What a local convolution knows of the data: its patches, and what each of their modes does to a wave.

    - `variance`: (patch_mode,) eigenvalues of the mean patch covariance; `vectors`: (displacement, channel, patch_mode).
    - `transfer`: (frequency, c, c, patch_mode): the convolution's transfer matrix is this times the patch modes' gains.
    - `frequency`: (frequency,) indices on the flattened grid, one of each pair ±k.
    """

    variance: Float[np.ndarray, " patch_mode"]
    vectors: Float[np.ndarray, "displacement c patch_mode"]
    transfer: Complex[np.ndarray, "frequency c c patch_mode"]
    frequency: np.ndarray


@dataclass(frozen=True)
class LocalConv(Convolution):
    """A convolution with an odd kernel on a periodic 1-D or 2-D grid, with channels, trained from w(0) = init·δ.

    The weights see only patches of the kernel's size. In the eigenvectors U of the mean patch covariance every weight runs on
    its own, w(τ) = U·diag(f)·Uᵀ·e₀, with f that of one layer on a mode of the patch's variance, N times faster (N positions).
    What the network does to a wave is the Fourier transform of w: all frequencies share the few patch clocks. It never
    becomes the optimal denoiser unless the kernel is as wide as the grid.

    **Parameters**

    - `kernel`: edge length K in pixels, odd, at most the grid's.
    - `init`: gain of every frequency at time 0, dimensionless.

    Needs a spectrum of Fourier modes, see `Circulant`; abstract modes are taken for the power spectrum of a 1-D grid in the order
    of numpy's fft.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> ring = ec.Spectrum.from_power(1 / (0.01 + np.fft.fftfreq(64) ** 2))
    >>> curve = ec.predict(ring, architecture=ec.LocalConv(kernel=5), optimizer=ec.GradientFlow(lr=1e-4), time=[np.inf])
    >>> print((curve.variance / curve.target).values[0, [0, 63]].round(2))  # too little of the longest wave, for ever
    [0.84 1.3 ]

    ```
    """

    kernel: int = 3
    init: float = 0.1
    route: ClassVar[Literal["modes", "frequencies", "matrices"]] = "frequencies"

    def __post_init__(self) -> None:
        integer_option(self, "kernel", at_least=1)
        if self.kernel % 2 == 0:
            raise InputError(f"kernel must be odd, got {self.kernel}")
        OneLayer(self.init)

    def sees(self, spectrum: Spectrum) -> Spectrum:
        if spectrum.basis is None:
            spectrum = _of_a_ring(spectrum)
        seen = spectrum.stationary()
        assert isinstance(seen.basis, Fourier)
        if self.kernel > min(seen.basis.extent):
            grid = "×".join(map(str, seen.basis.extent))
            raise InputError(f"kernel must be at most the grid, {grid}, got {self.kernel}")
        return seen

    def mixes(self, spectrum: Spectrum) -> bool:
        """Channels of one frequency only."""
        return isinstance(spectrum.basis, Fourier) and spectrum.basis.channels > 1

    def regression(self, objective: Objective, spectrum: Spectrum, sigma: Levels) -> Regression:
        """The scalar problems of the patch modes."""
        own = objective.regression(self.patches(spectrum).variance, sigma)
        return replace(own, sharing=self.sharing(spectrum))

    def patches(self, spectrum: Spectrum) -> Patches:
        """Patch modes of stationary data, from their cross-spectrum alone."""
        basis = spectrum.basis
        assert isinstance(basis, Fourier)
        grid, c, axes = basis.grid, basis.channels, tuple(range(len(basis.grid)))
        # covariance of two pixels as a function of their displacement
        covariance = scipy.fft.ifftn(spectrum.cross_spectrum.reshape(*grid, c, c), axes=axes).real
        half = self.kernel // 2
        extents = [np.arange(-half, half + 1) if n > 1 else np.zeros(1, dtype=int) for n in grid]
        offsets = np.stack([axis.ravel() for axis in np.meshgrid(*extents, indexing="ij")])
        apart = tuple((axis[:, None] - axis) % n for axis, n in zip(offsets, grid, strict=True))
        n_offsets = offsets.shape[1]
        patch = covariance[apart].swapaxes(1, 2).reshape(n_offsets * c, n_offsets * c)
        variance, vectors = np.linalg.eigh((patch + patch.T) / 2)
        placed = np.zeros((*grid, c, variance.size))
        placed[tuple(axis % n for axis, n in zip(offsets, grid, strict=True))] = vectors.reshape(n_offsets, c, -1)
        index = np.arange(int(np.prod(grid)))
        first = index <= basis.opposite
        # Σ_j w_j e^{ikj} is the inverse transform without its 1/N
        waves = scipy.fft.ifftn(placed, axes=axes, norm="forward").reshape(-1, c, variance.size)[first]
        modes = vectors.reshape(n_offsets, c, -1)
        transfer = np.einsum("kdm,cm->kcdm", waves, modes[n_offsets // 2])
        return Patches(np.maximum(variance, 0.0), modes, transfer, index[first])

    def weights(
        self, objective: Objective, spectrum: Spectrum, sigma: Levels, optimizer: Optimizer, time: Time
    ) -> Weights:
        seen = self.sees(spectrum)
        modes, gain = self.patches(seen).vectors, self.gains(objective, seen, sigma, optimizer, time)
        return np.einsum("jdm,tms,cm->tsjcd", modes, gain, modes[len(modes) // 2], optimize=True)


def _of_a_ring(spectrum: Spectrum) -> Spectrum:
    """Abstract modes as the power spectrum of a 1-D grid."""
    try:
        return Spectrum.from_power(spectrum.variance)
    except InputError:
        raise InputError(
            "LocalConv takes abstract modes for the power spectrum of a 1-D grid, equal at ±k in the order of numpy's fft, "
            'got one that is not: use Spectrum.from_samples(x, basis="fourier") or Spectrum.from_power'
        ) from None
