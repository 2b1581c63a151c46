"""Emergence tables whose law is known."""

import numpy as np

from eigenclock.clocks.emergence import Emergence


def table(alpha, *, noise=0.0, seed=0, modes=40, direction="rising", waiting=0):
    """Modes that emerge at 100·variance^−alpha, with noise in the logarithm; the last `waiting` of them never."""
    rng = np.random.default_rng(seed)
    target = np.geomspace(30, 0.01, modes)
    time = 100 * target**-alpha * np.exp(noise * rng.standard_normal(modes))
    nothing = np.zeros(modes, dtype=bool)
    censored = np.arange(modes) >= modes - waiting
    time[censored] = np.nan
    start = np.full(modes, 1e-4 if direction == "rising" else 1e4)
    return Emergence(
        target, start, np.sqrt(target * start), time, np.full(modes, direction), censored, nothing, "geometric", 1e6
    )
