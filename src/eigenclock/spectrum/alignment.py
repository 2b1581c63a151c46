"""One spectrum along the modes of another: what is assumed of data whose own spectrum was made elsewhere."""

import numpy as np

from ..checks import InputError
from .bases import OnGrid
from .spectrum import Spectrum


def aligned(own: Spectrum, other: Spectrum, name: str) -> Spectrum:
    """A spectrum along the modes of another; waves of one channel may come in another order.

    InputError, which calls it by `name`, for other modes. Abstract modes are taken in the order in which they are given.
    """
    mine, theirs = own.basis, other.basis
    if own.n_modes == other.n_modes:
        if mine is None or theirs is None or mine is theirs:
            return own
        if type(mine) is type(theirs) and mine.shape == theirs.shape:
            if isinstance(mine, OnGrid) and isinstance(theirs, OnGrid) and mine.channels == 1:
                at_places = np.empty_like(own.variance)
                at_places[mine.order] = own.variance
                variance = at_places[theirs.order]
                return Spectrum(variance, mean=own.mean, basis=theirs, null_variance=own.null_variance)
            first, second = mine.to_dataset(), theirs.to_dataset()
            if all(key in second and np.allclose(first[key], second[key], atol=1e-8) for key in first):
                return own
    raise InputError(f"{name} must have the modes of the data's spectrum, got {own} for {other}")
