"""The scatter of a network's samples from record to record, found and drawn."""

import numpy as np
import pytest

from eigenclock.comparison.fluctuation import CALMS, LATELY, SWINGS, fluctuations, scatter

TIME = np.exp(np.cumsum(np.random.default_rng(1).uniform(0.2, 1.0, 4000) * LATELY / 2000))


def test_planted_scatter_is_found():
    """Independent scatter about a line in ln time, at uneven records: within 4 standard errors of 2,500 of them."""
    rng = np.random.default_rng(2)
    planted = 0.3 * rng.standard_normal(TIME.size)
    found = scatter(TIME, 2.0 - 3.0 * np.log(TIME) + planted)
    assert found == pytest.approx(0.3, rel=4 * np.sqrt(1.5 / 2500))  # neighbouring residuals are correlated: 1.5, not 1


def test_a_line_in_ln_time_does_not_scatter():
    assert scatter(TIME, 5.0 - 2.0 * np.log(TIME)) < 1e-12


def test_as_by_interpolation_record_by_record():
    time, value = np.array([0.0, 1.0, 8.0, 10.0, 13.0, 15.0]), np.array([9.0, 5.0, 1.0, 3.0, 2.0, 6.0])
    squares = []
    for i in (3, 4):  # records from 15/e^1.5 = 3.3 on that have two neighbours there
        ends = np.log(time[[i - 1, i + 1]])
        line = np.interp(np.log(time[i]), ends, value[[i - 1, i + 1]])
        way = (np.log(time[i]) - ends[0]) / (ends[1] - ends[0])
        squares.append((value[i] - line) ** 2 / (1 + way**2 + (1 - way) ** 2))
    assert scatter(time, value) == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-12)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_records_say_nothing(n):
    assert scatter(np.arange(1.0, n + 1), np.arange(n) ** 2.0) == 0.0


def test_draws_have_the_size_that_is_said():
    """None now, then a normal draw each, smaller with time; within 4 standard errors of 4,000 draws, in pairs that cancel."""
    ahead = np.array([0.0, 0.5, 2.0])
    drawn = fluctuations(0.1, ahead, 4000, seed=3)
    assert (drawn[:, 0] == 0).all()
    said = SWINGS * 0.1 * np.exp(-CALMS * ahead[1:])
    np.testing.assert_allclose(drawn[:, 1:].std(axis=0), said, rtol=4 / np.sqrt(2 * 2000))
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=1e-15)
    assert abs(np.corrcoef(drawn[:2000, 1], drawn[:2000, 2])[0, 1]) < 4 / np.sqrt(2000)
