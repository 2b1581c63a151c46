"""At which steps of a run something is looked at."""

from typing import Any

import numpy as np
from jaxtyping import Int

from ..checks import InputError, finite_array, integer, need_memory, shown

ASSUMED_BATCH, PASSES = 64, 3
"""Batch of a training step where it is not known, and forward passes that its forward and backward are worth."""

LAST = 2**53
"""Largest step: beyond it float64, in which curves keep their times, skips whole numbers."""


def log_steps(first: int, last: int, count: int) -> Int[np.ndarray, " step"]:
    """At most `count` different whole steps from `first` to `last`, evenly spread in the logarithm.

    ```python
    >>> import eigenclock as ec
    >>> ec.log_steps(1, 1000, 7)
    array([   1,    3,   10,   32,  100,  316, 1000])

    ```
    """
    integer("first", first, at_least=1)
    integer("last", last, at_least=first)
    integer("count", count, at_least=1)
    need_memory(f"count = {count:,}", 32.0 * count)
    return np.unique(np.round(np.geomspace(first, last, count)).astype(int))


def whole_steps(steps: Any) -> Int[np.ndarray, " step"]:
    """Increasing whole steps >= 0; InputError for anything else."""
    given = finite_array("steps", steps, "whole steps >= 0")
    if (
        given.ndim != 1
        or given.size == 0
        or given.min() < 0
        or given.max() > LAST
        or (given != np.floor(given)).any()
        or (np.diff(given) <= 0).any()
    ):
        raise InputError(f"steps must be increasing whole numbers >= 0, got {shown(steps)}")
    return given.astype(int)


def cost_in_words(evaluations: int, probed: int, n_samples: int, batch_size: int | None) -> str:
    """What a probed step costs, in training steps."""
    batch = batch_size or ASSUMED_BATCH
    assumed = "" if batch_size else " (another: batch_size=)"
    return (
        f"a probed step costs {evaluations:,} passes of the denoiser, as much as {evaluations / (PASSES * batch):,.3g} training "
        f"steps of batch {batch}{assumed}; {probed} steps are probed, n_samples={n_samples}"
    )
