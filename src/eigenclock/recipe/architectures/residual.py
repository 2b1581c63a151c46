"""Residual linear network, F(x) = (I + V_L) ⋯ (I + V_1) x (T4, T9; App. D.1.2 and F.3)."""

from dataclasses import dataclass

from ...checks import InputError, integer_option, number_option
from ...spectrum.spectrum import Spectrum
from .layered import MOST_DEPTH, Layered, one_or_each
from .layers import Layers, checked_layers
from .trainable import Chain, Levels, MatrixNetwork, Modes


@dataclass(frozen=True)
class Residual(Layered):
    """F(x) = (I + V_L) ⋯ (I + V_1) x trained from V_l(0) = init·I.

    One block is a single layer that starts at 1 + init (the paper's D = x + Wx). Deeper ones are a deep linear network that
    starts at the identity: no plateau, but at noise levels where the optimum is small every mode has to fall from 1.

    **Parameters**

    - `depth`: number of blocks, >= 1.
    - `init`: residual gain of every block and mode at time 0, or a tuple of one per block. Two blocks at −1 are a fixed point
      and are refused.

    ```python
    >>> import eigenclock as ec
    >>> curve = ec.predict(ec.Spectrum([1.0, 1e-3]), architecture=ec.Residual(depth=4))
    >>> print(curve.initial.values)  # the identity does not denoise: everything starts at sigma_max² and falls
    [6400. 6400.]

    ```
    """

    depth: int = 1
    init: float | tuple[float, ...] = 0.0

    def __post_init__(self) -> None:
        integer_option(self, "depth", at_least=1, at_most=MOST_DEPTH)
        object.__setattr__(self, "init", one_or_each(self.init, self.depth))
        if not isinstance(self.init, tuple):
            number_option(self, "init")
        if self.layers.is_fixed_point:
            raise InputError(
                f"init must not be -1 in two blocks, got {self.init}: a fixed point, nothing is ever learned"
            )

    @property
    def _gains(self) -> tuple[float, ...]:
        return self.init if isinstance(self.init, tuple) else (self.init,) * self.depth

    @property
    def layers(self) -> Layers:
        """The scalars 1 + v_l of every mode."""
        return checked_layers(tuple(1.0 + v for v in self._gains))

    def trainable(self, spectrum: Spectrum, modes: Modes, levels: Levels) -> MatrixNetwork:
        return Chain(modes.shape[1], self._gains, 1.0)
