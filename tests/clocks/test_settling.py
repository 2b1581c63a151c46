"""Settling and closeness (T18), against a plain reading record by record."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import eigenclock as ec
from eigenclock.clocks.settling import Settling, settles, settling, stays_below

TIME = np.array([0.0, 1.0, 10.0, 100.0, 1000.0])


def by_hand(deviation, tolerance, slack=0.0):
    """Index of the first record in the band within the last stretch inside the wider band; None if there is none."""
    last = len(deviation)
    while last > 0 and abs(deviation[last - 1]) <= tolerance + slack:
        last -= 1
    return next((i for i in range(last, len(deviation)) if abs(deviation[i]) <= tolerance), None)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.floats(-2, 2), min_size=5, max_size=5), st.floats(0.05, 1), st.floats(0, 0.5))
def test_settles_at_the_record_that_a_plain_reading_finds(values, tolerance, slack):
    column = np.array(values)
    moment = settles(column[:, None], TIME, tolerance, slack)[0]
    index = by_hand(column, tolerance, slack)
    if index is None:
        assert np.isnan(moment)
    elif index == 0:
        assert moment == 0
    else:
        assert TIME[index - 1] <= moment <= TIME[index] * (1 + 1e-12)


def test_between_records_the_band_is_entered_in_proportion():
    deviation = np.array([[3.0], [2.0], [1.0], [0.0], [0.0]])
    assert settles(deviation, TIME, 0.5)[0] == pytest.approx(
        10**1.5
    )  # half of the way from step 10 to 100, in the logarithm
    assert settles(-deviation, TIME, 0.5)[0] == pytest.approx(10**1.5)
    assert settles(np.array([[1.0], [0.0], [0.0], [0.0], [0.0]]), TIME, 0.25)[0] == pytest.approx(
        0.75
    )  # linear from time 0


def test_an_excursion_beyond_the_noise_starts_the_clock_anew():
    deviation = np.array([[2.0, 2.0], [0.1, 0.1], [0.1, 0.3], [0.1, 0.1], [0.1, 0.1]])
    early, late = settles(deviation, TIME, 0.2)
    assert early < 1 < late
    assert settles(deviation, TIME, 0.2, 0.15)[1] == early  # within what the noise explains


def test_noise_would_make_the_last_exit_an_extreme_value():
    """T18: without the slack a mode that is right from step 10 on settles many times too late."""
    rng = np.random.default_rng(0)
    time = np.geomspace(1, 10_000, 60)
    error = 0.14
    deviation = np.where(time[:, None] < 10, 2.0, error * rng.standard_normal((60, 400)))
    tolerance = np.log(1.25)
    plain, with_slack = (np.nanmedian(settles(deviation, time, tolerance, slack)) for slack in (0.0, 2 * error))
    assert plain > 10 * with_slack
    assert with_slack < 15


def test_table_of_a_prediction():
    spectrum = ec.Spectrum([100.0, 1.0, 1e-3])
    curve = ec.predict(spectrum, objective=ec.EDM(density=ec.LogNormal()), sampler=ec.Heun(steps=20), time=np.geomspace(1e-3, 1e7, 400))  # fmt: skip
    table = curve.settling()
    gain = spectrum.variance[:, None] / (spectrum.variance[:, None] + ec.Heun(steps=20).levels ** 2)
    assert np.allclose(table.reachable, ec.Heun(steps=20).variance(gain[None])[0])
    assert np.allclose(np.abs(np.log([curve.variance_at(t)[k] for k, t in enumerate(table.time)] / table.reachable)), np.log(1.25), atol=0.02)  # fmt: skip
    assert (table.time > curve.emergence().time).all()
    assert not table.censored.any()
    assert not table.unreachable.any()  # 20 Heun steps are 2 to 21 % above
    narrow = curve.settling(within=1.05)
    assert narrow.unreachable.tolist() == (np.log(table.reachable / table.target) > np.log(1.05)).tolist()
    assert narrow.share() == 1
    assert narrow.share(of_data=True) == pytest.approx(100 / spectrum.variance.sum())
    frame = table.to_dataframe()
    assert set(frame) >= {"mode", "target", "initial", "time", "direction", "censored", "provisional", "unreachable"}
    assert table.variance_settled(0.5) == pytest.approx(table.time[0])


def test_provisional_and_censored():
    variance = np.array([[4.0, 4.0, 4.0], [4.0, 1.0, 4.0], [4.0, 1.0, 4.0], [1.0, 1.0, 4.0]])
    ones = np.ones(3)
    table = settling(variance, np.array([1.0, 10.0, 100.0, 110.0]), 4 * ones, ones, ones)
    assert table.provisional.tolist() == [True, False, False]
    assert table.censored.tolist() == [False, False, True]
    assert table["time"][1] < 10
    assert "2 in their band (within ×1.25), 1 of them provisionally, 1 not" in repr(table)
    assert isinstance(table, Settling)


def test_dead_modes_and_divergence():
    variance = np.array([[1.0, 0.0], [np.nan, 0.0]])
    table = settling(variance, np.array([1.0, 2.0]), np.array([1.0, 1.0]), np.array([1.0, 0.0]), np.array([1.0, 0.0]))
    assert table.censored.tolist() == [True, False]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(1e-3, 1e3), min_size=5, max_size=5), st.floats(1e-2, 1e2))
def test_stays_below_is_the_last_time_above(values, level):
    value = np.array(values)
    moment = stays_below(value, TIME, np.array([level]))[0]
    above = np.flatnonzero(np.log(value) > np.log(level))
    if above.size == 0:
        assert moment == 0
    elif above[-1] == 4:
        assert np.isnan(moment)
    else:
        assert TIME[above[-1]] <= moment <= TIME[above[-1] + 1] * (1 + 1e-12)


def test_errors():
    curve = ec.predict(ec.Spectrum([1.0]), time=[1.0, 2.0])
    with pytest.raises(ec.InputError, match="within must be a finite number > 1, got 1"):
        curve.settling(within=1)
    with pytest.raises(ec.InputError, match="column must be one of 'mode'"):
        curve.settling()["nothing"]
    with pytest.raises(ec.InputError, match="fraction must be a finite number > 0 and < 1, got 2"):
        curve.settling().variance_settled(2)
