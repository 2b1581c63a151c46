"""Full-width circular convolution, F(x) = w ∗ x (T10; Prop. 5.3)."""

from dataclasses import dataclass

import numpy as np
import scipy

from ...checks import InputError, number_option
from ...spectrum.bases import Fourier
from ...spectrum.spectrum import Spectrum
from ..objectives import Objective
from ..optimizers import Optimizer, Time
from .base import GainCurve, Levels
from .convolution import Convolution, Weights


@dataclass(frozen=True)
class Circulant(Convolution):
    """A convolution as wide as the grid, on a periodic grid, trained from w(0) = init·δ.

    Its modes are Fourier modes, of which it sees only the power spectrum. Each is learned like a mode of one layer, but
    N times faster, N being the number of positions: every weight is used at each of them (rate 2·N·lr·w·κ). With C channels
    the modes of a frequency are the eigenvectors of its C×C cross-spectral matrix. The same as one layer trained on all
    circular shifts of the data, at N times its learning rate (App. G.3.2).

    **Parameters**

    - `init`: gain of every mode at time 0, dimensionless.

    Needs a spectrum of Fourier modes: `Spectrum.from_samples(x, basis="fourier")`, `Spectrum.from_power`, or abstract modes,
    taken for those of one channel.

    ```python
    >>> import eigenclock as ec
    >>> ring = ec.Spectrum.from_power([4.0, 1.0, 0.5, 1.0])
    >>> shared = ec.predict(ring, architecture=ec.Circulant(), optimizer=ec.GradientFlow(lr=0.01))
    >>> alone = ec.predict(ring, optimizer=ec.GradientFlow(lr=0.01))
    >>> round(ec.compare(alone, shared).time_scale, 3)  # four positions: four times faster
    0.25

    ```
    """

    init: float = 0.1

    def __post_init__(self) -> None:
        number_option(self, "init")

    def sees(self, spectrum: Spectrum) -> Spectrum:
        return spectrum.stationary()

    def on_grid(self, seen: Spectrum) -> Spectrum:
        return Spectrum.from_power(seen.variance) if seen.basis is None else seen

    def follows(self) -> GainCurve:
        return GainCurve("exponential", self.init)

    def weights(
        self, objective: Objective, spectrum: Spectrum, sigma: Levels, optimizer: Optimizer, time: Time
    ) -> Weights:
        seen = self.sees(spectrum)
        basis = seen.basis
        if not isinstance(basis, Fourier):
            raise InputError(
                'weights need Fourier modes: Spectrum.from_samples(x, basis="fourier") or Spectrum.from_power'
            )
        gain = basis.by_frequency(self.gains(objective, seen, sigma, optimizer, time).swapaxes(1, 2))
        transfer = np.einsum("fck,tsfk,fdk->tsfcd", basis.rotation, gain, basis.rotation.conj(), optimize=True)
        # Σ_j w_j e^{ikj} is the transfer: the forward transform undoes it
        axes = tuple(range(2, 2 + len(basis.grid)))
        on_grid = transfer.reshape(*transfer.shape[:2], *basis.grid, *transfer.shape[3:])
        return scipy.fft.fftn(on_grid, axes=axes, norm="forward").real.reshape(transfer.shape)
