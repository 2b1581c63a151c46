"""Rules on so few bits that every one can be enumerated."""

import itertools

import numpy as np

import eigenclock as ec
from eigenclock.exact.rules import Permutation

SMALL = [
    ec.GroupParity(8, 4), ec.GroupParity(9, 3), ec.GroupParity(8, 2, "strided"), ec.GroupParity(8, 4, "random"), ec.GroupWeight(8, 4),
    ec.GroupWeight(6, 3, k=1), Permutation(3), ec.NoRule(6),
]  # fmt: skip


def cube(d):
    return np.array(list(itertools.product((0, 1), repeat=d)))
