"""Tests of `eigenclock_studies.permutations`: against SciPy, against orders one by one, and without any order."""

import itertools

import numpy as np
import pytest
import scipy.stats

from eigenclock_studies.permutations import by_chance, correlations, ranks


def test_correlations_are_spearmans(rng):
    cause, effect = rng.standard_normal((4, 10)), rng.standard_normal((4, 10))
    expected = [scipy.stats.spearmanr(one, other).statistic for one, other in zip(cause, effect, strict=True)]
    assert correlations(cause, effect) == pytest.approx(expected)
    assert correlations(cause[:1], np.ones((1, 10))) == pytest.approx([0.0]), "all tied"
    assert (ranks(np.array([[1.0, np.nan, 2.0]])) == 0).all(), "not measured"


def test_a_time_that_was_not_reached_is_tied_at_the_end():
    found = ranks(np.array([[3.0, np.inf, np.inf, 1.0]]))[0]
    assert found * np.sqrt(4.5) == pytest.approx([-0.5, 1, 1, -1.5])  # ranks 2, 3.5, 3.5, 1, less 2.5


def test_the_share_is_that_of_orders_one_by_one(rng):
    cause, effect = rng.random((3, 5)), rng.random((3, 5))
    every = [
        np.mean([scipy.stats.spearmanr(a[list(order)], b).statistic for a, b in zip(cause, effect, strict=True)])
        for order in itertools.permutations(range(5))
    ]
    assert by_chance(cause, effect) == pytest.approx(np.mean(np.array(every) >= every[0] - 1e-9))
    assert by_chance(cause, effect, sign=-1) == pytest.approx(np.mean(np.array(every) <= every[0] + 1e-9))


@pytest.mark.parametrize("things", [5, 10])  # all permutations, and drawn ones
def test_without_an_order_a_small_share_is_as_rare_as_it_says(rng, things):
    """Three replicates that agree are no more things: of 200 causes that have nothing to do with the effect, 5 % are below 0.05."""
    effect = np.tile(rng.random(things), (3, 1))
    few = sum(by_chance(np.tile(rng.random(things), (3, 1)), effect) < 0.05 for _ in range(200))
    assert few <= 20  # 10, and 3.2 standard deviations of 3.1
