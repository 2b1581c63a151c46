"""What a forecast expects of networks beyond theory: acceleration at first, and places that are off together."""

import numpy as np
import pytest
from support.planted_runs import RECIPE, run, sampled

import eigenclock as ec
from eigenclock.comparison.forecast import forecast
from eigenclock.comparison.weighing import EARLY, EARLY_UNTIL, TOGETHER


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


def test_modes_well_on_their_way_gain_nothing(level):
    plain = run()[0]
    slow, fast = (forecast(level, one, at=300.0) for one in (plain, sampled(plain)))
    near = slow.pending & (slow._drawn.state.progress > EARLY_UNTIL)
    assert near.sum() > 3
    assert np.abs(np.log(slow.time[near] / fast.time[near])).max() < 0.05


def test_places_are_off_together(level):
    """The mean over modes of the expected ln step differs from draw to draw: intervals of a sum do not shrink with their number."""
    made = forecast(level, run()[0], at=100.0)
    begin = made._begin[:, made.pending & (made.time > 150)]
    assert begin.shape[1] > 30
    assert np.log(begin).mean(axis=1).std() > TOGETHER
