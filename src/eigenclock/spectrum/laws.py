"""Variances of abstract modes by a law: falling as a power, or log-normal."""

from typing import Any

import numpy as np
from jaxtyping import Float

from ..checks import LARGEST, integer, need_memory, number, random_seed

LN_LARGEST = 2 * float(np.log(LARGEST)) / 8
"""Largest |mean| and std of ln variance: eight standard deviations stay in the range of variances."""


def power_law(n: Any, exponent: Any, scale: Any) -> Float[np.ndarray, " mode"]:
    """scale·k^(−exponent), k = 1 … n."""
    integer("n", n, at_least=1)
    number("exponent", exponent, at_least=0)
    number("scale", scale, above=0, at_most=LARGEST**2)
    need_memory(f"n = {n:,}", 40.0 * n)
    return scale * np.arange(1, n + 1, dtype=np.float64) ** -exponent


def log_normal(n: Any, seed: Any, mean: Any, std: Any) -> Float[np.ndarray, " mode"]:
    """exp of n normal draws, falling."""
    integer("n", n, at_least=1)
    number("mean", mean, at_least=-LN_LARGEST, at_most=LN_LARGEST)
    number("std", std, at_least=0, at_most=LN_LARGEST)
    need_memory(f"n = {n:,}", 40.0 * n)
    draws = np.random.default_rng(random_seed(seed)).normal(mean, std, n)
    return np.sort(np.exp(draws))[::-1].copy()
