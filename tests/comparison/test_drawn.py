"""Futures drawn: in parts as at once, and last crossings that come after first ones."""

import numpy as np
import pytest
from support.planted_runs import RECIPE, run, sampled

import eigenclock as ec
from eigenclock.clocks.settling import stays_below
from eigenclock.comparison.drawn import AGAIN


@pytest.fixture(scope="module")
def forecasts():
    """After 100 steps, of a run that theory describes: without and with an error of sampling."""
    whole = run()[0]
    level = {"c": ec.predict_level("c", whole.spectrum, **RECIPE)}
    return [ec.forecast(level, one, at=100) for one in (whole, sampled(whole))]


def test_draws_in_parts_are_those_drawn_alone(forecasts):
    drawn = forecasts[0]._drawn
    which = np.array([0, 7, 50, 51, 120, 3, 4, 5, 199, 2])
    together = drawn.of(which)
    alone = np.concatenate([drawn.of(which[i : i + 1]) for i in range(which.size)])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_allclose(
        together[:, 0], np.broadcast_to(drawn.state.last, together[:, 0].shape)
    )  # from where modes are


def test_a_networks_last_crossing_comes_after_its_first(forecasts):
    """Without an error of sampling the draws' own crossings are the answer; with one they come later by AGAIN times a squared normal."""
    plain, network = (one._drawn for one in forecasts)
    for drawn, later in ((plain, 0.0), (network, AGAIN)):
        own = np.array([stays_below(one, drawn.steps, np.array([0.5]))[0] for one in drawn.distance])
        shift = np.log(drawn.close(0.5) / own)
        assert shift.min() >= -1e-9
        assert shift.mean() == pytest.approx(later, abs=0.05 * later + 1e-9)  # E z² = 1, up to its quantiles' grid
