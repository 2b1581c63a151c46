"""What a forecast expects of networks beyond theory: acceleration at first, and places that are off together."""

import numpy as np
import pytest
from support.planted_runs import RECIPE, run, sampled

import eigenclock as ec
from eigenclock.comparison.forecast import forecast
from eigenclock.comparison.future import AVERAGED, COMMON_RATE
from eigenclock.comparison.weighing import EARLY, EARLY_UNTIL, RISING, RISING_FROM, TOGETHER


@pytest.fixture(scope="module")
def level():
    return {"c": ec.predict_level("c", run()[0].spectrum, **RECIPE)}


def test_networks_are_expected_to_accelerate_while_they_have_not_moved(level):
    """Of two equal curves the one measured on samples is ahead by (1 − e^−EARLY) of the way, in ln time, where nothing has moved."""
    plain = run()[0]
    at = 10.0
    slow, fast = (forecast(level, one, at=at) for one in (plain, sampled(plain)))
    modes = slow.pending & np.isfinite(slow.time) & (slow.time > 5 * at)
    assert modes.sum() > 30
    ahead = np.log(slow.time[modes] / fast.time[modes])
    far = np.log(slow.time[modes] / at)
    share = np.median(ahead / far)  # in between for modes that have moved a little
    assert 0.5 * (1 - np.exp(-EARLY)) < share < 1.2 * (1 - np.exp(-EARLY))


def test_rising_modes_gain_late_and_falling_ones_the_less_the_further_they_have_come(level):
    """Mean of ln speed ahead over the draws of two equal curves, whose errors are the same draws: exactly what is said."""
    plain = run()[0]
    slow, fast = (forecast(level, one, at=100.0)._drawn for one in (plain, sampled(plain)))
    gained = np.subtract(*(np.concatenate([np.log(b.rate) for b in one.future.branches]).mean(axis=0) for one in (fast, slow)))  # fmt: skip
    state = fast.state
    gone, rising = state.progress[state.order], state.rising[state.order]
    expected = np.where(rising, RISING * (gone > RISING_FROM), EARLY * np.clip(1 - gone / EARLY_UNTIL, 0, 1))
    assert rising.sum() > 0
    assert (expected == 0).sum() > rising.sum()
    assert (expected[~rising] > 0.2).sum() > 5
    np.testing.assert_allclose(gained, expected, atol=1e-9)


def test_places_are_off_together(level):
    """The mean over modes of the expected ln step differs from draw to draw: intervals of a sum do not shrink with their number."""
    made = forecast(level, run()[0], at=100.0)
    begin = made._begin[:, made.pending & (made.time > 150)]
    assert begin.shape[1] > 30
    assert np.log(begin).mean(axis=1).std() > TOGETHER


def test_each_direction_has_a_speed_of_its_own_and_sure_rising_modes_do_not_pause(level):
    """Speeds are the same for all modes of a direction in every draw, but no less than theory's for rising ones on their way."""
    plain = run()[0]
    for curve, least in ((plain, 0.0), (sampled(plain), 1.0)):
        made = forecast(level, curve, at=100.0)._drawn
        state = made.state
        rising = state.rising[state.order]
        sure = rising & (state.progress[state.order] > RISING_FROM)
        for branch in made.future.branches:
            assert np.ptp(branch.slope[:, ~rising], axis=1).max() == pytest.approx(0, abs=1e-12)
            assert (branch.slope[:, sure] >= least).all()
    assert sure.any()


def test_averaged_weights_leave_more_unknown_of_all_modes_together(level):
    """The common part of ln speed ahead has the standard deviation that is said, and AVERAGED times it where weights are averaged."""
    curve = sampled(run()[0])
    spread = []
    for average in (0.0, 5.0):
        made = forecast(level, curve, at=100.0, average=average)._drawn
        rates = np.concatenate([np.log(branch.rate) for branch in made.future.branches])
        spread.append(np.median(rates, axis=1).std())  # over modes: their own part is gone, stragglers do not count
    assert spread[0] == pytest.approx(COMMON_RATE, rel=0.2)  # 200 draws, in pairs: a tenth of standard error
    assert spread[1] / spread[0] == pytest.approx(AVERAGED, rel=0.1)
