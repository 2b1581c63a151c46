"""What neighbours lend: against the normal equations of the same Gaussian, and where the answer is known."""

import numpy as np
import pytest

from eigenclock.comparison.neighbours import COMMON, DIRECTION, TREND, lend


def test_a_common_shift_is_lent_to_modes_that_have_not_moved():
    middle = np.linspace(0, 4, 20)
    seen = middle < 2
    found = lend(np.full(20, 1.7), np.full(20, 0.05), seen, middle, np.zeros(20, dtype=bool), np.ones(20))
    assert np.allclose(found.mean, 1.7, atol=0.05)
    assert (np.diff(found.spread[~seen]) > 0).all()  # the further, the less sure


def test_a_trend_is_followed():
    middle = np.linspace(0, 4, 20)
    shift = 1 + 0.3 * middle
    found = lend(shift, np.full(20, 0.02), middle < 3, middle, np.zeros(20, dtype=bool), np.ones(20))
    assert np.abs(found.mean - shift).max() < 2 * found.spread.max()
    assert found.mean[-1] > shift[14] + 0.1


def test_the_other_direction_is_told_less():
    rising = np.arange(10) < 5
    found = lend(np.zeros(10), np.full(10, 0.05), rising, np.arange(10.0), rising, np.ones(10))
    assert found.spread[~rising].min() >= DIRECTION
    assert found.spread[rising].max() < DIRECTION


def test_the_mean_is_that_of_the_joint_gaussian():
    """Against the conditional mean by a dense solve, for whichever kernel the evidence chose: here the plain one."""
    rng = np.random.default_rng(0)
    middle, shift = np.linspace(-2, 2, 12), 0.05 * rng.standard_normal(12)
    seen, error = np.arange(12) % 2 == 0, np.full(12, 0.1)
    found = lend(shift, error, seen, middle, np.zeros(12, dtype=bool), np.ones(12))
    place = middle - np.median(middle[seen])
    kernel = COMMON**2 + TREND**2 * np.outer(place, place) + DIRECTION**2
    noise = np.diag(error[seen] ** 2 + found.own**2)
    centre = np.median(shift[seen])
    mean = centre + kernel[:, seen] @ np.linalg.solve(kernel[np.ix_(seen, seen)] + noise, shift[seen] - centre)
    assert found.mean == pytest.approx(mean, abs=1e-8)
