"""Levels of theory and forecasts, on runs whose truth is known."""

import numpy as np
import pytest
from support.planted_runs import RECIPE, run

import eigenclock as ec

SEEDS = 0.15
"""Median |ln| between the times at which two seeds of one run begin: no forecast need be more exact (docs/forecasts.md)."""


@pytest.mark.parametrize("until", [30, 100, 300])
def test_forecast_of_a_run_that_theory_describes(until):
    whole, _ = run()
    predicted = ec.predict_level("c", whole.spectrum, **RECIPE)
    made = ec.forecast(predicted, whole, at=until)
    actual = whole.emergence().time
    later = made.pending & np.isfinite(actual)
    assert later.sum() > 10
    error = np.abs(np.log(made.time[later] / actual[later]))
    assert np.quantile(error, 0.9) < SEEDS  # a forecast claims no more than what two seeds of one run differ by
    assert error.max() < 2 * SEEDS
    assert ((made.low[later] <= actual[later]) & (actual[later] <= made.high[later])).mean() > 0.9
    assert made.low[made.pending].min() >= until
    assert (made.low[later] <= made.time[later]).all()
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
    finest = made.finest()
    assert finest.step > moment.step
    frame = made.to_dataframe()
    assert set(frame["status"]) <= {"emerged", "expected", "gray zone", "no clock"}
    assert len(frame) == 100


def test_nothing_moved_yet():
    whole, _ = run()
    made = ec.forecast(ec.predict_level("c", whole.spectrum, **RECIPE), whole, at=1)
    if made.emerged.any():
        pytest.fail("chosen so that nothing has emerged")
    assert np.isnan(made.time_scale)
    assert str(made) == "0 % of the variance in its band; no mode has moved by step 1: no forecast yet"
    assert str(made.variance_learned(0.9)) == "no forecast yet"
    assert np.isnan(made.closeness().step).all()
    assert np.isnan(made.settling().step).all()
    for call in (lambda: made.curve, lambda: made.by(10.0), lambda: made.draws(2)):
        with pytest.raises(ec.InputError, match="no mode has moved by step 1: there is no forecast yet"):
            call()


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


@pytest.fixture(scope="module")
def planted():
    whole, _ = run()
    return whole, ec.forecast(ec.predict_level("c", whole.spectrum, **RECIPE), whole, at=100)


def test_the_future_is_a_curve_that_goes_on_where_the_measured_one_ends(planted):
    whole, made = planted
    curve, past = made.curve, whole.time.values <= 100
    assert np.array_equal(curve.time.values[: past.sum()], whole.time.values[past])
    assert np.array_equal(curve.variance.values[: past.sum()], whole.variance.values[past])
    assert curve.time.values[past.sum()] > 100
    assert curve.kind == "forecast"
    at = np.array([500.0, 2000.0])
    ahead, true = (np.stack([one.variance_at(t) for t in at]) for one in (curve, whole))
    assert np.median(np.abs(np.log(ahead / true))) < SEEDS  # ln v moves no faster than ln time does on most of a path


def test_draws_surround_the_median_and_are_the_same_for_a_seed(planted):
    _, made = planted
    draws = made.draws(200)
    assert draws.dims == ("draw", "time", "mode")
    assert np.array_equal(made.draws(7, seed=3), made.draws(7, seed=3))
    later = draws.values[:, -1]
    assert (later.min(axis=0) <= np.median(later, axis=0)).all()
    assert np.isfinite(draws.values).all()
    with pytest.raises(ec.InputError, match="n must be a whole number <= 200, got 201"):
        made.draws(201)


def test_closeness_and_settling_of_a_run_that_theory_describes(planted):
    whole, made = planted
    actual, table = whole.closeness((0.5, 0.25)).values, made.closeness((0.5, 0.25))
    assert np.abs(np.log(table.step / actual)).max() < np.log(1.5)  # sixteen times as far as the run has come
    assert (table.low <= actual).all()
    assert (actual <= table.high).all()
    known = ec.LearningCurve(whole.dataset.assign(reachable=made.curve.reachable), recipe=None, source="measurement")
    settled, expected = known.settling(), made.settling()
    later = settled.settled & (settled.time > 100) & np.isfinite(expected.step)
    assert later.sum() > 20
    assert np.median(np.abs(np.log(expected.step[later] / settled.time[later]))) < 0.3
    assert set(expected.status) <= {"in band", "provisional", "expected"}
    with pytest.raises(ec.InputError, match="within must be a finite number > 1, got 1"):
        made.settling(within=1.0)
    with pytest.raises(ec.InputError, match="fractions must be shares > 0 of the data's norm, got 0"):
        made.closeness(0.0)


def test_by_a_step_past_or_to_come(planted):
    whole, made = planted
    before, later = made.by(50.0), made.by(2000.0)
    inside = np.abs(np.log(whole.variance_at(50.0) / made.curve.reachable.values)) <= np.log(1.25)
    assert before.in_band.value == pytest.approx(whole.target.values[inside].sum() / whole.target.values.sum())
    assert before.begun.value <= later.begun.value <= 1
    assert later.distance.low <= later.distance.value <= later.distance.high < before.distance.value
    assert "by step 2,000" in str(later)
    assert np.isnan(later.cycles.value)  # abstract modes have no spatial frequency
    with pytest.raises(ec.InputError, match="step must be <="):
        made.by(1e9)


def test_a_few_modes_make_a_wide_forecast_that_says_so():
    spectrum = ec.Spectrum([10.0, 0.01, 0.001])
    slow = ec.predict(spectrum, optimizer=ec.GradientFlow(lr=0.01), time=np.geomspace(1, 1e4, 80))
    made = ec.forecast(ec.predict(spectrum, time=np.geomspace(1e-3, 1e6, 300)), slow, at=20)
    assert made.moved < 8
    assert "only 1 mode has moved: wide" in str(made)


def test_levels_are_weighed_by_what_describes_the_run():
    whole, _ = run()
    levels = ec.predict_levels(whole.spectrum, **RECIPE)
    made = ec.forecast(levels, whole, at=300)
    assert sum(made.weights.values()) == pytest.approx(1)
    assert made.weights["c"] == max(made.weights.values())  # the run is one of level (c)
    assert set(made.weights) == {*levels, "one time", "1/variance"}


def test_schedules_count_time_in_sums_of_rates():
    """A run whose rate halves is the constant one in another time: its forecast, in steps, is that one's, carried over."""
    whole, _ = run()
    levels, until = {"c": ec.predict_level("c", whole.spectrum, **RECIPE)}, 100.0

    def steps_of(counted):  # rate 1 up to step 100, then a half
        return np.where(counted <= 100, counted, 100 + 2 * (counted - 100))

    slower = whole.dataset.assign_coords(time=steps_of(whole.time.values))
    slower = ec.LearningCurve(slower, recipe=None, source="measurement")
    plain = ec.forecast(levels, whole, at=until)
    rate = np.where(np.arange(400_000) < 100, 1.0, 0.5)
    for schedule in (rate, lambda step: 1.0 if step < 100 else 0.5):
        made = ec.forecast(levels, slower, at=until, schedule=schedule)
        pending = made.pending & np.isfinite(plain.time)
        assert np.allclose(
            made.time[pending], steps_of(plain.time[pending]), rtol=0.02
        )  # the function is asked at 8,000 steps


def test_a_schedule_that_ends_leaves_modes_waiting_for_ever():
    whole, _ = run()
    rate = np.concatenate([np.ones(100), np.linspace(1, 0, 100)])
    made = ec.forecast(ec.predict_level("c", whole.spectrum, **RECIPE), whole, at=100, schedule=rate)
    assert np.isinf(made.time[made.pending]).any()
    assert made.curve.time.values[-1] <= 200
    assert made.finest().one_sided


def test_the_average_of_weights_lags():
    whole, _ = run()
    levels = {"c": ec.predict_level("c", whole.spectrum, **RECIPE)}
    fast, slow = (ec.forecast(levels, whole, at=100, average=a) for a in (0.0, 50.0))
    pending = fast.pending
    assert np.allclose(fast.time[pending].min(), slow.time[pending].min(), rtol=0.2)
    # at step 100 the average has gone through 100 - 50(1 - e^-2) = 57 effective steps: what is left takes fewer real ones
    assert np.median(np.log(slow.time[pending] / fast.time[pending])) < 0


def test_wrong_kinds_are_named():
    whole, _ = run()
    predicted = ec.predict_level("c", whole.spectrum, **RECIPE)
    with pytest.raises(ec.InputError, match="curves must be a learning curve, or several by name, got \\{\\}"):
        ec.forecast({}, whole)
    with pytest.raises(ec.InputError, match="schedule must give rates >= 0, not all 0, got 0 to 0"):
        ec.forecast(predicted, whole, schedule=[0.0, 0.0])
    with pytest.raises(
        ec.InputError, match="schedule must be a function of the step that gives a rate, got ValueError at step 0"
    ):
        ec.forecast(predicted, whole, schedule=lambda step: "fast")
    with pytest.raises(ec.InputError, match="average must be a finite number >= 0, got -1"):
        ec.forecast(predicted, whole, average=-1.0)


def test_a_record_that_diverged_does_not_silence_the_forecast():
    whole, _ = run()
    predicted = ec.predict_level("c", whole.spectrum, **RECIPE)
    plain = ec.forecast(predicted, whole, at=100)
    for record in (3, np.flatnonzero(whole.time.values <= 100)[-1]):
        broken = whole.dataset.copy(deep=True)
        broken["variance"][record] = np.nan
        made = ec.forecast(predicted, ec.LearningCurve(broken, recipe=None, source="measurement"), at=100)
        assert np.median(np.abs(np.log(made.time[made.pending] / plain.time[made.pending]))) < SEEDS


def test_beyond_the_last_record_nothing_is_known():
    whole, _ = run(until=100)
    made = ec.forecast(ec.predict_level("c", whole.spectrum, **RECIPE), whole, at=1e6)
    assert made.made_at == whole.time.values[-1]
    between = ec.forecast(ec.predict_level("c", whole.spectrum, **RECIPE), whole, at=90)
    assert between.by(89.0).begun.value <= between.by(95.0).begun.value


def test_what_a_late_probe_found_has_begun():
    late, _ = run(drop=30)
    made = ec.forecast(ec.predict_level("c", late.spectrum, **RECIPE), late)
    assert made.by(float(late.time.values[0])).begun.value > 0.5
    assert "before the first record" in set(made.emergence().status)


def test_modes_that_the_data_lack_go_on_falling():
    spectrum = ec.Spectrum(np.append(np.geomspace(1, 1e-3, 20), np.zeros(4)))
    recipe = {"objective": ec.EDM(density=ec.LogNormal()), "sampler": ec.Heun(steps=20)}
    whole = ec.predict(spectrum, architecture=ec.OneLayer(0.0), **recipe, time=np.geomspace(0.1, 1e6, 120))
    made = ec.forecast(ec.predict_level("c", spectrum, **recipe), whole, at=20)
    actual, found = whole.closeness((0.25,)).values[0], made.closeness((0.25,)).step[0]
    assert abs(np.log(found / actual)) < np.log(2)


def test_curves_of_the_wrong_kind():
    whole, _ = run()
    predicted = ec.predict_level("c", whole.spectrum, **RECIPE)
    with pytest.raises(ec.InputError, match="curves must not be named 'one time'"):
        ec.forecast({"one time": predicted}, whole)
    with pytest.raises(ec.InputError, match="curves must be predicted at two or more finite times > 0, got 1"):
        ec.forecast(ec.predict(whole.spectrum, time=[5.0]), whole)
    with pytest.warns(ec.InputWarning, match="a prediction ends while many of its modes are still on their way"):
        ec.forecast(ec.predict(whole.spectrum, **RECIPE, time=np.geomspace(0.01, 1.0, 50)), whole, at=100)
