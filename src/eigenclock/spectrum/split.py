"""Samples held out while data are read once: each by its place in the data and a seed, whatever the batches."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

from ..checks import InputError, number, random_seed


@dataclass(frozen=True)
class HeldOut:
    """A share of samples that are held out at random.

    Sample i of n is held out where `numpy.random.default_rng(seed).random(n)[i] < share`.
    """

    share: float
    seed: int

    def rows(self, start: int, n: int) -> Bool[np.ndarray, " n"]:
        """Which of the samples start … start + n − 1 are held out."""
        stream = np.random.PCG64(self.seed).advance(start)  # one number of the stream is one sample's
        return np.random.Generator(stream).random(n) < self.share


def held_out_share(held_out: Any, seed: Any, test: Any = None) -> HeldOut | None:
    """The split that a user asks for; InputError for a share that is not in (0, 0.5], or beside samples to test on."""
    known = random_seed(seed)
    if test is not None and held_out is not None:
        raise InputError("held_out must be None where test is given, got both")
    return None if held_out is None else HeldOut(number("held_out", held_out, above=0, at_most=0.5), known)
