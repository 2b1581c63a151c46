"""The way ahead: speeds that return to theory's, against integration and root finding."""

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize

from eigenclock.comparison.future import FARTHEST, HOVER, RECOVERS, REVERTS, SEEDS, Branch, Future, advance, needed
from eigenclock.comparison.paths import Paths


@pytest.mark.parametrize("slope", [0.1, 0.7, 1.0, 1.8, 4.0])
def test_advance_is_the_integral_of_a_speed_that_returns_to_one(slope):
    length = REVERTS if slope > 1 else RECOVERS
    for ahead in (0.1, 1.0, 5.0):
        whole = scipy.integrate.quad(lambda d: 1 + (slope - 1) * np.exp(-d / length), 0, ahead)[0]
        assert advance(np.array([ahead]), np.array([slope])) == pytest.approx([whole], rel=1e-12)


def root_of(gain, slope):
    """Where `advance` has gained so much, by bisection."""
    return scipy.optimize.brentq(lambda d: advance(np.array([d]), np.array([slope]))[0] - gain, 0, 50)


def test_needed_is_the_inverse_of_advance():
    slope = np.array([0.1, 0.3, 1.0, 2.0, 4.0])
    for gain in (1e-3, 0.2, 1.0, 6.0, FARTHEST):
        found = needed(np.full(5, gain), slope)
        root = [root_of(gain, one) for one in slope]
        assert np.allclose(found, root, rtol=1e-6)


def path(middles):
    """Logistic paths in ln time about their middles."""
    grid = np.arange(-15, 15, 0.1)
    return Paths(grid, 1 / (1 + np.exp(-2 * (grid[:, None] - middles))), np.asarray(middles))


def test_a_mode_on_theorys_clock_arrives_when_its_path_does():
    middles, now = np.array([1.0, 3.0]), 0.5
    paths, ones = path(middles), np.ones((4, 2))
    future = Future((Branch(paths, now * ones, ones, ones),), np.zeros(2), np.array([2.0, -2.0]), 0 * ones)
    wait = future.reaches(np.array([1.0, -1.0]))  # half-way
    assert np.allclose(wait, middles - now, atol=1e-3)  # linear between grid points
    assert np.isinf(future.reaches(np.array([3.0, -1.0]))[:, 0]).all()  # beyond the goal
    ahead = np.array([0.0, 0.5, 2.5])
    found = future.log_variance(ahead, np.array([0, 3]))
    exact = np.array([2.0, -2.0]) / (1 + np.exp(-2 * (now + ahead[:, None] - middles)))
    assert np.allclose(found, exact, atol=3e-3)  # a grid of a tenth: h²/8·|L''| = 0.00125·2 at most


def test_slower_draws_arrive_later_seeds_differ_and_modes_wait():
    paths, ones = path(np.array([2.0])), np.ones((2, 1))
    rate = np.array([[1.0], [0.5]])
    for normal in (-3.0, -1.0, 0.5, 2.0):
        drawn = SEEDS * normal * ones
        due = Future((Branch(paths, 2 * ones, ones, rate),), np.zeros(1), np.ones(1), drawn)
        assert np.allclose(
            due.reaches(np.array([0.5])), HOVER * normal**2, atol=1e-3
        )  # at its threshold it waits, never less
        far = Future((Branch(paths, 0 * ones, ones, rate),), np.zeros(1), np.ones(1), drawn)
        expected = np.array([[2.0], [4.0]]) + SEEDS * normal + HOVER * normal**2
        assert np.allclose(far.reaches(np.array([0.5])), expected, atol=1e-3)
    soon = Future(
        (Branch(paths, 1.9 * ones, ones, ones),), np.zeros(1), np.ones(1), -8 * SEEDS * np.array([[0.1], [0.2]])
    )
    assert (soon.reaches(np.array([0.5])) > 0).all()  # however much sooner a seed is, not in the past
    calm = Future((Branch(paths, 0 * ones, ones, rate),), np.zeros(1), np.ones(1), 0 * ones)
    assert np.allclose(calm.reaches(np.array([0.5])), [[2.0], [4.0]], atol=1e-3)
