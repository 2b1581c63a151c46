"""What a probe says once of the training that it watches: rare calls, a training begun again, a denoiser called wrongly."""

import logging

import numpy as np
from jaxtyping import Float
from torch import Tensor

from ...checks import say

LOG = logging.getLogger("eigenclock")

WORSE = 3.0
"""Times the error of two answers that know nothing, the noisy sample and zero, from which a denoiser is called wrong."""


class Doubts:
    """Says each of them once."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def _first(self, kind: str) -> bool:
        """Whether a doubt of this kind is new; from now on it is not."""
        new = kind not in self._said
        self._said.add(kind)
        return new

    def rare(self, passed: int, step: int, recorded: int) -> None:
        """Of calls so rare that several of the probe's steps share a record."""
        if passed > 1 and recorded and self._first("rare"):
            say(
                f"{passed} of the probe's steps up to {step:,} came between two calls and share one record: call it every step",
                level=3,
            )

    def again(self, step: int, recorded: int) -> None:
        """Of step 0 after later ones: another training, of which nothing would be recorded."""
        if step == 0 and recorded > 1 and self._first("again"):
            LOG.warning(
                "step 0 comes again: a new training needs a new Probe, this one records nothing before its last step"
            )

    def wrong(
        self, step: int, error: Float[np.ndarray, " sigma"], sigma: Float[np.ndarray, " sigma"], clean: Tensor
    ) -> None:
        """Of a network in training whose error E|D(y) − x|² is far above those of the noisy sample and of zero, at any noise."""
        size = float(clean.double().square().sum()) / len(clean)
        ratio = error / np.maximum(sigma**2 * clean[0].numel(), size)
        worst = int(np.argmax(ratio))
        if step > 0 and ratio[worst] > WORSE and self._first("wrong"):
            LOG.warning(
                "step %s: at noise level %.3g the denoiser is %.3g times as far from clean samples as noisy ones, or none at "
                "all, are: are objective, condition and scale those that the network is trained with?",
                step, sigma[worst], ratio[worst],
            )  # fmt: skip
