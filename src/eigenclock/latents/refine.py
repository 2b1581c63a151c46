"""The refine clock: when the density of latents is learned, and the samples it is judged on."""

from typing import Any

import numpy as np
from jaxtyping import Float

from ..clocks.passage import Clock, Passages
from ..training.streams import Stream

FLOOR_SHARE, STILL_FALLING = 0.2, 0.1
"""Last share of the records whose median is the floor of the refine clock, and the fall within it that makes it none."""

HELD_OUT, MOST_HELD_OUT = 0.1, 1000
"""Share of the samples that judge the clocks where no X_val is given, and their largest number."""


def held_out(x: Float[np.ndarray, "n D"], seed: int) -> tuple[Float[np.ndarray, "a D"], Float[np.ndarray, "b D"]]:
    """Samples to train on, and a tenth of them, at most 1,000, to judge by."""
    order = np.random.default_rng([seed, int(Stream.DATA)]).permutation(len(x))
    cut = max(1, min(MOST_HELD_OUT, int(HELD_OUT * len(x))))
    return x[order[cut:]], x[order[:cut]]


def refine_passage(step: Any, error: Any, delta: float) -> Passages:
    """Refine clock of a record of density errors; see `TwoStage.refine_clock`."""
    last = max(2, int(FLOOR_SHARE * len(error)))
    floor, tail = float(np.median(error[-last:])), error[-last:]
    target = floor + delta * (error[0] - floor)
    if not np.isfinite(target) or error[0] <= floor or tail[-1] < (1 - STILL_FALLING) * tail[0]:
        return Passages(np.array([float(step[-1])]), np.array([np.inf]), target, "density error")
    return Clock("density error", float(target), "falling", smooth="twice").of(step, error)
