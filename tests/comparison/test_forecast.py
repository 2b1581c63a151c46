"""Levels of theory and forecasts, on runs whose truth is known."""

import numpy as np
import pytest
from support.planted_runs import RECIPE, run

import eigenclock as ec
from eigenclock.comparison.forecast import Moment, forecast_by_variance


@pytest.mark.parametrize("until", [30, 100, 300])
def test_forecast_of_a_run_that_theory_describes(until):
    whole, _ = run()
    predicted = ec.predict_level("c", whole.spectrum, **RECIPE)
    made = ec.forecast(predicted, whole, at=until)
    actual = whole.emergence().time
    later = made.pending & np.isfinite(actual)
    assert later.sum() > 10
    assert np.abs(np.log(made.time[later] / actual[later])).max() < 0.1
    assert ((made.low[later] <= actual[later]) & (actual[later] <= made.high[later])).mean() > 0.9
    assert made.low[made.pending].min() >= until
    assert (made.low[later] < made.time[later]).all()
    assert made.time_scale == pytest.approx(20, rel=0.3)
    assert np.allclose(made.time[made.emerged], actual[made.emerged])


def test_intervals_narrow_as_the_run_goes_on():
    whole, _ = run(noise=0.2)
    predicted = ec.predict_level("c", whole.spectrum, **RECIPE)
    last = np.flatnonzero(np.isfinite(whole.emergence().time))[-1]
    widths = []
    for at in (10, 40, 200, 1000):
        made = ec.forecast(predicted, whole, at=at)
        if made.pending[last]:
            widths.append(made.high[last] / made.low[last])
    assert len(widths) >= 3
    assert (np.diff(widths) < 0).all()


def test_more_coverage_is_wider():
    whole, _ = run(noise=0.3)
    predicted = ec.predict_level("c", whole.spectrum, **RECIPE)
    narrow, wide = (ec.forecast(predicted, whole, at=40, coverage=c) for c in (0.5, 0.95))
    later = narrow.pending
    assert (wide.high[later] > narrow.high[later]).all()
    inside = later & (narrow.time > narrow.low)  # an interval never begins after what is expected
    assert inside.any()
    assert np.allclose(narrow.time[inside], wide.time[inside])


@pytest.mark.parametrize("seed", range(3))
def test_forecast_from_a_probe_that_started_late(seed):
    """What happened before the first record is only known to have happened."""
    late, _ = run(noise=0.1, seed=seed, drop=16)
    whole, _ = run(noise=0.1, seed=seed)
    first = late.time.values[0]
    predicted = ec.predict_level("c", late.spectrum, **RECIPE)
    made = ec.forecast(predicted, late, at=5 * first)
    actual = whole.emergence().time
    unknown = np.isfinite(actual) & (actual < first)
    assert unknown.any()
    assert not (made.emerged | made.pending)[unknown & (actual < 0.9 * first)].any()
    later = made.pending & np.isfinite(actual)
    assert np.median(np.abs(np.log(made.time[later] / actual[later]))) < 0.35
    assert np.isfinite(made.variance_learned(0.9).step)


def test_moments():
    whole, _ = run()
    predicted = ec.predict_level("c", whole.spectrum, **RECIPE)
    made = ec.forecast(predicted, whole, at=40)
    table = whole.emergence()
    moment = made.variance_learned(0.9)
    assert moment.low <= moment.step <= moment.high
    assert moment.low / 1.2 <= table.variance_learned(0.9) <= 1.2 * moment.high
    done = ec.forecast(predicted, whole).variance_learned(0.5)
    assert done.known
    assert done.step == pytest.approx(table.variance_learned(0.5))
    assert str(done).endswith("reached")
    finest = made.finest()
    assert finest.step > moment.step
    assert "90 % of the variance by step" in str(made)
    assert "(between" in str(ec.forecast(predicted, whole, at=30).finest())
    assert str(Moment(4100.0, 3500.0, 4700.0)) == "step 4,100 ± 15 %"
    assert str(Moment(200.0, 199.0, 450.0)) == "step 200 (between 200 and 450)"
    assert str(Moment(55.4, 55.4, 55.4, known=True)) == "step 55, reached"
    frame = made.to_dataframe()
    assert set(frame["status"]) <= {"emerged", "expected", "gray zone", "no clock"}
    assert len(frame) == 100


def test_nothing_moved_yet():
    whole, _ = run()
    made = ec.forecast(ec.predict_level("c", whole.spectrum, **RECIPE), whole, at=1)
    if made.emerged.any():
        pytest.fail("chosen so that nothing has emerged")
    assert np.isnan(made.time_scale)
    assert str(made) == "no mode has emerged by step 1: no forecast yet"
    assert str(made.variance_learned(0.9)) == "no forecast yet"


def test_late_probes_are_compared_from_the_predicted_start():
    late, _ = run(drop=16)
    whole, _ = run()
    predicted = ec.predict_level("c", late.spectrum, **RECIPE)
    comparison = ec.compare(predicted, late)
    assert comparison.time_scale == pytest.approx(20, rel=0.05)
    assert comparison.median_error < 0.05
    first = late.time.values[0]
    assert not comparison.used[np.nan_to_num(whole.emergence().time, nan=np.inf) < 0.9 * first].any()
    checked = ec.check_forecasts(predicted, late, fractions=(0.002, 0.01))
    assert checked[checked["method"] == "theory"]["error"].max() < 0.1


def test_moments_hold_over_runs_with_common_and_own_noise():
    """Intervals of a moment that many modes decide: over seeds of noise they hold about as often as they say."""
    held = []
    for seed in range(12):
        whole, _ = run(noise=0.4, seed=seed, until=5000)
        predicted = ec.predict_level("c", whole.spectrum, **RECIPE)
        actual = whole.emergence().variance_learned(0.9)
        moment = ec.forecast(predicted, whole, at=40).variance_learned(0.9)
        assert moment.low <= moment.step <= moment.high
        held.append(moment.low <= actual <= moment.high)
    assert np.mean(held) >= 0.7


def test_plain_law_is_right_where_the_plain_law_holds():
    spectrum = ec.Spectrum.power_law(40, exponent=2.0)
    plain = ec.predict(spectrum, architecture=ec.OneLayer(0.1), time=np.geomspace(1e-2, 1e5, 200))
    made = forecast_by_variance(plain, plain, at=10.0)
    actual = plain.emergence().time
    assert np.median(np.abs(np.log(made.time[made.pending] / actual[made.pending]))) < 0.25


def test_errors():
    whole, _ = run()
    with pytest.raises(ec.InputError, match="curve and measured must have the same modes, got 1 and 100 modes"):
        ec.forecast(ec.predict(ec.Spectrum([1.0])), whole)
    predicted = ec.predict_level("c", whole.spectrum, **RECIPE)
    with pytest.raises(ec.InputError, match=r"at must be at or after the first record, step 1, got 0\.5"):
        ec.forecast(predicted, whole, at=0.5)
    with pytest.raises(ec.InputError, match=r"coverage must be a finite number > 0 and < 1, got 1\.5"):
        ec.forecast(predicted, whole, coverage=1.5)
    with pytest.raises(ec.InputError, match="fraction must be"):
        ec.forecast(predicted, whole).variance_learned(2.0)
    with pytest.raises(ec.InputError, match="level d needs the measured gain"):
        ec.predict_level("d", whole.spectrum, **RECIPE)
