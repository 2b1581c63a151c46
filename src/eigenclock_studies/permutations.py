"""Whether a cause orders a few things: rank correlations over them, and how often permuted things are ordered as well."""

import itertools
import math

import numpy as np
import scipy
from jaxtyping import Float

Values = Float[np.ndarray, "replicate thing"]

PERMUTATIONS = 10_000
TINY = 1e-12
"""Most permutations; what rounding leaves."""

BY_CHANCE = 0.05
"""Share of permutations that may order the things as well: below it an order is not chance."""


def ranks(values: Values) -> Values:
    """Ranks within each replicate, of mean 0 and length 1; 0 where all are tied or one is NaN. inf ties at the end."""
    found = scipy.stats.rankdata(values, axis=1, nan_policy="omit")
    found -= found.mean(axis=1, keepdims=True)
    return np.nan_to_num(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), TINY))


def correlations(cause: Values, effect: Values) -> Float[np.ndarray, " replicate"]:
    """Spearman's rank correlation over things, per replicate; 0 where all are tied."""
    return (ranks(cause) * ranks(effect)).sum(axis=1)


def by_chance(cause: Values, effect: Values, *, sign: int = 1) -> float:
    """Share of permutations of the things whose mean correlation has this sign and is as large: of all if they are few.

    Replicates share the things, so that these are permuted once for all of them: ten classes, not ten times ten.
    """
    agreement = sign * ranks(cause).T @ ranks(effect)
    places = np.arange(len(agreement))
    if math.factorial(places.size) <= PERMUTATIONS:
        orders = np.array(list(itertools.permutations(places)))
    else:
        drawn = np.random.default_rng(0).permuted(np.tile(places, (PERMUTATIONS, 1)), axis=1)
        orders = np.concatenate([places[None], drawn])
    return float((agreement[orders, places].sum(axis=1) >= agreement.trace() - TINY).mean())
