"""Deep linear network, F(x) = W_L ⋯ W_1 x (T9; App. F.3)."""

from dataclasses import dataclass

from ...checks import InputError, integer_option, number_option
from ...spectrum.spectrum import Spectrum
from .layered import MOST_DEPTH, Layered, one_or_each
from .layers import Layers, checked_layers
from .trainable import Chain, Levels, MatrixNetwork, Modes


@dataclass(frozen=True)
class DeepLinear(Layered):
    """F(x) = W_L ⋯ W_1 x trained from an aligned start: every W_l(0) a multiple of the identity.

    Balanced layers obey u' = −2·L·lr·w·u^{2−2/L}·(κu − χ) (gradient flow): the deeper, the longer the plateau at a small
    start and the sharper the rise. Unbalanced layers keep their differences of squares, and reduce to one scalar too.

    **Parameters**

    - `depth`: number of layers L, >= 1. One is `OneLayer`; two balanced ones are `TwoLayer`.
    - `init`: gain of every mode at time 0, > 0, shared equally by the layers; or a tuple of L factors, one per layer, of any
      sign. A start of 0 (for factors: two of them 0) is a fixed point and is refused.

    ```python
    >>> import eigenclock as ec
    >>> spectrum = ec.Spectrum.power_law(32, exponent=1.0)
    >>> clock = ec.predict(spectrum, architecture=ec.DeepLinear(depth=3, init=0.01)).emergence()
    >>> bool((clock.time[1:] > clock.time[:-1]).all())  # larger variance first, as for every depth
    True

    ```
    """

    depth: int = 3
    init: float | tuple[float, ...] = 0.1

    def __post_init__(self) -> None:
        integer_option(self, "depth", at_least=1, at_most=MOST_DEPTH)
        object.__setattr__(self, "init", one_or_each(self.init, self.depth))
        if not isinstance(self.init, tuple):
            number_option(self, "init", at_least=0)
        if self.depth > 1 and self.layers.is_fixed_point:
            raise InputError(
                f"init must be > 0 for depth >= 2, got {self.init}: a fixed point, nothing is ever learned"
            )

    @property
    def layers(self) -> Layers:
        """The scalars of every mode."""
        return checked_layers(self._factors)

    @property
    def _factors(self) -> tuple[float, ...]:
        return self.init if isinstance(self.init, tuple) else (float(self.init) ** (1 / self.depth),) * self.depth

    def trainable(self, spectrum: Spectrum, modes: Modes, levels: Levels) -> MatrixNetwork:
        return Chain(modes.shape[1], self._factors, 0.0)
