"""Full-width circular convolution, F(x) = w ∗ x (T10; Prop. 5.3)."""

from dataclasses import dataclass

from ..objectives import Regression
from ..optimizers import Hessian, Optimizer, Time, Trajectory
from ..spectrum import Spectrum
from .base import Architecture
from .one_layer import OneLayer


@dataclass(frozen=True)
class Circulant(Architecture):
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
        OneLayer(self.init)

    def network_gain(self, regression: Regression, optimizer: Optimizer, time: Time) -> Trajectory:
        return OneLayer(self.init).network_gain(regression, optimizer, time)

    def stiffness(self, regression: Regression) -> Hessian:
        return OneLayer(self.init).stiffness(regression)

    def sees(self, spectrum: Spectrum) -> Spectrum:
        return spectrum.stationary()

    def sharing(self, spectrum: Spectrum) -> float:
        return float(spectrum.positions)
