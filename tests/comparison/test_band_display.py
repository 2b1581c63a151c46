"""Tests of `eigenclock.comparison.band_display`."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock.comparison.band_display import BandDisplay, drawn_at, figure_of

SPECTRUM = ec.Spectrum.power_law(40, exponent=1.5)


@pytest.fixture(scope="module")
def run():
    return ec.predict(SPECTRUM, optimizer=ec.GradientFlow(lr=0.01), time=np.geomspace(1, 1e5, 60))


def test_so_far_expected_and_what_came(run):
    expected = ec.forecast(ec.predict(SPECTRUM), run, at=100)
    display = BandDisplay.of(run, expected, modes=[0, 20])
    time = run.time.values
    assert np.array_equal(np.concatenate([display.time, display.later]), time)
    assert display.time[-1] <= expected.made_at < display.later[0]
    goal = run.reachable.values[[0, 20]]
    np.testing.assert_allclose(display.came, run.variance.values[time > expected.made_at][:, [0, 20]] / goal)
    assert (display.low <= display.middle).all()
    assert (display.middle <= display.high).all()
    np.testing.assert_allclose(display.middle[0], display.ratio[-1])  # the forecast begins where the last record is
    draws = expected.draws(100).values[:, :, 20] / goal[1]
    np.testing.assert_allclose(display.middle[1:, 1], np.median(draws, axis=0)[: len(display.middle) - 1])


def test_without_a_forecast_there_is_nothing_ahead():
    still = ec.predict(SPECTRUM, optimizer=ec.GradientFlow(lr=1e-9), time=[1.0, 2.0])
    display = BandDisplay.of(still, ec.forecast(ec.predict(SPECTRUM), still))
    assert display.ahead.size == 0
    figure = figure_of(still, ec.forecast(ec.predict(SPECTRUM), still))
    assert len(figure.axes) == 2


def test_step_zero_has_a_place_on_a_logarithmic_axis():
    assert drawn_at(np.array([0.0, 4.0, 8.0])).tolist() == [2.0, 4.0, 8.0]
    assert drawn_at(np.array([0.0])).tolist() == [0.5]


def test_scales_of_the_steps(run):
    expected = ec.forecast(ec.predict(SPECTRUM), run, at=100)
    assert figure_of(run, expected).axes[0].get_xscale() == "log"
    assert figure_of(run, expected, scale="linear").axes[0].get_xscale() == "linear"
    labels = [text.get_text() for text in figure_of(run, expected).axes[0].get_legend().get_texts()]
    assert labels[0] == "band, within ×1.25"
    assert labels[1].endswith("(coarsest)")
    assert labels[-1].endswith("(finest)")
