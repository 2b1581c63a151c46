"""Tests of `eigenclock.clocks.emergence`."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import eigenclock as ec
from eigenclock.clocks.emergence import emergence, first_passage, threshold_level


def table(variance, time, target, initial=None, threshold="geometric"):
    variance, time = np.asarray(variance, float), np.asarray(time, float)
    start = variance[0] if initial is None else np.asarray(initial, float)
    return emergence(variance, time, start, np.asarray(target, float), threshold)


def test_thresholds():
    initial, target = np.array([1.0, 16.0]), np.array([4.0, 4.0])
    assert np.allclose(threshold_level(initial, target, "geometric"), [2, 8])
    assert np.allclose(threshold_level(initial, target, "arithmetic"), [2.5, 10])
    assert np.allclose(threshold_level(initial, target, "harmonic"), [1.6, 6.4])
    assert np.allclose(threshold_level(initial, target, 0.5), [2, 8])
    assert np.allclose(threshold_level(initial, target, 0.25), [2**0.5, 16**0.75 * 4**0.25])


@given(st.floats(-3, 3), st.floats(0.1, 3), st.sampled_from([1, -1]))
def test_power_law_trajectories_are_timed_exactly(start, slope, sign):
    """v = e^start·τ^{±slope} is linear in (ln τ, ln v): interpolation is exact."""
    time = np.geomspace(1, 1000, 7)
    variance = np.exp(start) * time ** (sign * slope)
    clock = table(variance[:, None], time, [variance[-1]])
    assert np.isclose(clock.time[0], np.sqrt(1000), rtol=1e-9)
    assert clock.direction[0] == ("rising" if sign > 0 else "falling")


def test_first_bracket_from_zero_is_linear_in_time():
    time, initial, level = np.array([2.0, 4.0]), np.array([1.0]), np.array([np.e])
    assert first_passage(np.array([[np.e**2], [np.e**3]]), time, initial, level)[0] == pytest.approx(1.0)


def test_first_passage_is_the_first():
    variance = np.array([1.0, 5.0, 1.0, 5.0])[:, None]
    assert table(variance, [0, 1, 2, 3], [4.0]).time[0] < 1


def test_directions_censoring_and_gray_zone():
    time = [0.0, 1.0, 10.0]
    variance = np.array([[1, 8, 1, 1, 1.5], [2, 4, 1, 1, 1.2], [8, 1, 1, 1.5, 1.0]], dtype=float)
    clock = table(variance, time, [9.0, 0.9, 100.0, 0.0, 1.0])
    assert clock.direction.tolist() == ["rising", "falling", "rising", "falling", "falling"]
    assert clock.censored.tolist() == [False, False, True, True, False]
    assert clock.gray_zone.tolist() == [False, False, False, False, True]
    assert np.isnan(clock["time"][2])
    with pytest.raises(ec.InputError, match=r"^column must be one of 'mode', .*, got 'speed'$"):
        clock["speed"]
    assert list(clock.to_dataframe().columns) == [
        "mode",
        "target",
        "initial",
        "level",
        "time",
        "direction",
        "censored",
        "gray_zone",
    ]


def test_infinite_time_emerges_only_in_finite_time():
    clock = table([[1.0], [1.1], [100.0]], [0.0, 5.0, np.inf], [100.0])
    assert clock.censored[0]


def test_refining_times_does_not_move_the_clock():
    spectrum = ec.Spectrum(np.logspace(-2, 2, 9))
    coarse = ec.predict(spectrum, time=np.geomspace(1e-4, 1e4, 80)).emergence().time
    fine = ec.predict(spectrum, time=np.geomspace(1e-4, 1e4, 8000)).emergence().time
    # between records a tenth of a decade apart, ln v bends by less than 2 % in ln time
    assert np.abs(np.log(coarse / fine)).max() < 0.02


def law_of(exponent, noise=0.0, n=40, seed=0):
    target = np.logspace(-2, 2, n)
    time = target**exponent * np.exp(noise * np.random.default_rng(seed).standard_normal(n))
    nothing = np.zeros(n, dtype=bool)
    return ec.Emergence(
        target=target,
        initial=target / 100,
        level=target / 10,
        time=time,
        direction=np.full(n, "rising"),
        censored=nothing,
        gray_zone=nothing.copy(),
        threshold="geometric",
        last_time=float(time.max()),
    )


@given(st.floats(-3, 3))
def test_power_law_recovers_its_exponent(exponent):
    law = law_of(exponent).power_law("rising")
    assert law.exponent == pytest.approx(exponent, abs=1e-9)
    assert law.n == 40


def test_bootstrap_interval_covers():
    """A 95 % interval of 40 modes should hold the truth in most of 200 repetitions (percentile bootstraps run a little short)."""
    hits = 0
    for seed in range(200):
        low, high = law_of(-1.0, noise=0.3, seed=seed).power_law("rising", resamples=400).interval
        hits += low <= -1.0 <= high
    print(f"coverage {hits / 200:.1%}")
    assert 0.88 <= hits / 200 <= 0.99


def test_regression_against_numpy_and_its_inverse():
    clock = law_of(-0.7, noise=0.5)
    law = clock.power_law("rising")
    x, y = np.log(clock.target), np.log(clock.time)
    slope, intercept = np.polyfit(x, y, 1)
    assert law.exponent == pytest.approx(slope)
    assert law.intercept == pytest.approx(intercept)
    assert law.r2 == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2)
    assert law.inverse_exponent == pytest.approx(np.polyfit(y, x, 1)[0])
    assert law.time(2.0) == pytest.approx(np.exp(intercept) * 2**slope)


def test_power_law_leaves_out_and_counts():
    curve = ec.predict(
        ec.Spectrum(np.logspace(-3, 2, 20)), architecture=ec.OneLayer(0.5), time=np.geomspace(1e-5, 1e-3, 400)
    )
    clock = curve.emergence()
    rising, falling = clock.power_law("rising"), clock.power_law("falling")
    assert rising.n + rising.gray_zone + rising.censored == (clock.direction == "rising").sum()
    assert falling.n + falling.gray_zone + falling.censored == (clock.direction == "falling").sum()
    assert falling.censored > 0
    everything = clock.power_law("rising", gray_zone=True)
    assert everything.gray_zone == 0
    assert everything.n + everything.censored == (clock.direction == "rising").sum()


def test_zero_start_is_counted_not_hidden():
    """A network that starts at zero gain and takes the step to zero noise generates exactly nothing: no threshold."""
    curve = ec.predict(ec.Spectrum([4.0, 2.0, 1.0]), architecture=ec.OneLayer(0.0), sampler=ec.Heun(), time=[0, 1, 100])
    law = curve.emergence().power_law("rising")
    assert (law.n, law.undefined, law.censored) == (0, 3, 0)
    assert np.isnan(curve.emergence().variance_begun(0.5)), "nothing generated is nothing begun"
    assert curve.emergence("arithmetic").power_law("rising").n == 3


def test_too_few_modes_give_no_law():
    law = ec.predict(ec.Spectrum([1.0, 2.0])).emergence().power_law("rising")
    assert law.n == 2
    assert np.isnan(law.exponent)


def test_variance_begun():
    time = [0.0, 1.0, 2.0, 3.0]
    variance = np.array([[0.1, 0.1, 0.1], [6, 0.1, 0.1], [6, 3, 0.1], [6, 3, 0.1]], dtype=float)
    clock = table(variance, time, [6.0, 3.0, 1.0])
    assert clock.variance_begun(0.5) == clock.time[0]
    assert clock.variance_learned(0.5) == clock.time[0], "as it was called before"
    assert clock.variance_begun(0.9) == clock.time[1]
    assert np.isnan(clock.variance_begun(0.95)), "the third mode never comes"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.emergence(1.5), r"threshold must be a finite number > 0 and < 1, got 1\.5"),
        (lambda c: c.emergence().variance_begun(2.0), r"fraction must be a finite number > 0 and < 1, got 2\.0"),
        (lambda c: c.emergence().power_law(resamples=0), r"resamples must be a whole number >= 1, got 0"),
        (lambda c: c.sample(0, time=1.0, seed=0), r"n must be a whole number >= 1, got 0"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ec.InputError, match=f"^{message}$"):
        call(ec.predict(ec.Spectrum([1.0])))


@pytest.mark.parametrize("threshold", ["geometric", "harmonic", "arithmetic", 0.3])
def test_infinite_start_has_no_threshold(threshold):
    """A score network that starts with a positive gain: infinite variance, no clock, no warning."""
    curve = ec.predict(
        ec.Spectrum([1.0, 0.1]), objective=ec.Score(), architecture=ec.OneLayer(0.2), time=[0.0, 1.0, 1e6]
    )
    assert np.isinf(curve.initial).all()
    clock = curve.emergence(threshold)
    assert clock.undefined.all()
    assert clock.censored.all()
    images = ec.Spectrum.from_samples(np.eye(3) + np.arange(3))
    exploding = ec.predict(images, objective=ec.Score(), architecture=ec.OneLayer(0.2))
    with pytest.raises(ec.InputError, match=r"^generated variance at time 0 is not finite"):
        exploding.sample(1, time=0, seed=0)


def test_no_warning_at_the_edges():
    """Equal variances have no slope; no variance has no share; a share of nearly one is still found."""
    same = ec.predict(ec.Spectrum([1.0, 1.0, 1.0, 1.0])).emergence().power_law()
    assert same.n == 4
    assert np.isnan([same.exponent, same.r2, *same.interval]).all()
    assert np.isnan(ec.predict(ec.Spectrum([0.0])).emergence().variance_begun(0.5))
    clock = ec.predict(ec.Spectrum.log_normal(100, seed=0)).emergence()
    assert clock.variance_begun(float(np.nextafter(1, 0))) == np.max(clock.time[~clock.gray_zone])
