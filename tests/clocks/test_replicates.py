"""Tests of `eigenclock.clocks.replicates`."""

import numpy as np
import pytest

from eigenclock.clocks.passage import Passages
from eigenclock.clocks.replicates import LogRatio, bootstrap_interval, difference, proportion, student_interval


@pytest.mark.parametrize(("successes", "low", "high"), [(5, 0.478, 1.0), (6, 0.541, 1.0), (8, 0.631, 1.0)])
def test_exact_intervals_of_unanimous_replicates(successes, low, high):
    found = proportion(successes, successes, method="exact")
    assert (round(found.low, 3), found.high) == (low, high)


def test_intervals_of_means():
    assert student_interval([0.9, 1.0, 1.1]).high - 1 == pytest.approx(4.302653 * 0.1 / np.sqrt(3), rel=1e-6)
    assert np.isnan(student_interval([1.0]).low)
    found = bootstrap_interval(np.arange(40.0))
    # normal theory: mean 19.5 ± 1.96·11.5/√40
    assert abs(found.low - (19.5 - 1.96 * 11.54 / np.sqrt(40))) < 0.4
    assert found == bootstrap_interval(np.arange(40.0))
    assert not found.excludes(19)
    assert found.excludes(30)


def test_difference_of_shares_is_newcombes():
    # Newcombe (1998), table II, method 10, example a: 56/70 − 48/80 = 0.2 [0.0524, 0.3339]
    found = difference(proportion(56, 70), proportion(48, 80))
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)
    none = difference(proportion(0, 100), proportion(0, 100))
    assert none.low < 0 < none.high  # nothing seen is not nothing


def test_paired_ratios_and_their_bounds():
    inf = np.inf
    a, b = Passages(np.array([20.0, 40.0, 100.0, 100.0]), np.array([20.0, 40.0, inf, inf]), 0.5), Passages(
        np.array([10.0, 40.0, 50.0, 100.0]), np.array([10.0, 40.0, 50.0, inf]), 0.5)  # fmt: skip
    found = LogRatio.of(a, b)
    assert found.low[:3] == pytest.approx([np.log(2), 0, np.log(2)])
    assert found.high[2] == inf
    assert found.undetermined.tolist() == [False, False, False, True]
    assert (found.positive.n, found.positive.value, found.ties) == (2, 1.0, 1)
    assert np.isnan(found.mean.value)
    assert found.mean.low == -inf
    known = LogRatio.of(Passages(a.low[:3], a.high[:3], 0.5), Passages(b.low[:3], b.high[:3], 0.5))
    assert known.mean.high == inf
    assert known.mean.low == student_interval(known.low).low
    assert str(known).startswith(">= 0.462")
    opposite = LogRatio.of(Passages(b.low[:3], b.high[:3], 0.5), Passages(a.low[:3], a.high[:3], 0.5))
    assert str(opposite).startswith("<= -0.462")
    assert opposite.low[:2] == pytest.approx(-known.high[:2])
