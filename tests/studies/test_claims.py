"""Tests of `eigenclock_studies.claims`."""

import numpy as np

from eigenclock.clocks.passage import Passages
from eigenclock.clocks.replicates import LogRatio
from eigenclock_studies.claims import above, contains_zero, verdict, within
from eigenclock_studies.class_imbalance import (
    part_mlp,
)


def test_bounds_are_compared_as_bounds():
    inf = np.inf
    seen, bound = LogRatio(np.full(3, 0.2), np.full(3, 0.2)), LogRatio(np.full(3, 3.3), np.full(3, inf))
    lower, unknown = LogRatio(np.full(3, 3.2), np.full(3, inf)), LogRatio(np.full(3, -inf), np.full(3, inf))
    assert part_mlp._rises(seen, bound) is True
    assert part_mlp._rises(bound, lower) is None
    assert part_mlp._rises(bound, seen) is False
    assert part_mlp._rises(seen, unknown) is None
    mixed = LogRatio(np.log([1.0, 1.0, 1.0, 1.0, 20.0]), np.array([0.0, 0.0, 0.0, 0.0, inf]))
    assert within(mixed, 3, np.inf) is None  # the geometric mean is only known to be above 1.8


def test_verdict_words():
    times = np.array([2.0, 2.2, 2.1])
    ratio = LogRatio.of(Passages(times, times, 0), Passages(np.ones(3), np.ones(3), 0))
    assert within(ratio, 1.6, 2.4) is True
    assert within(ratio, 3, np.inf) is False
    bound = LogRatio(np.log(times), np.full(3, np.inf))
    assert within(bound, 3, np.inf) is None
    assert within(bound, 1.0, np.inf) is True
    assert above(ratio.mean, 0) is True
    assert above(bound.mean, 0) is True
    assert contains_zero(ratio) is False
    assert verdict(True, True) == "supported"
    assert verdict(True, False) == "not supported"
    assert verdict(True, None) == "inconclusive"
    assert verdict(True, control=False) == "inconclusive (the control failed)"
    assert verdict(True, enough=False) == "inconclusive (too few replicates)"
