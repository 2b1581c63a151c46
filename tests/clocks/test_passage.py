"""First passages of any observable, and what replicates say together."""

import numpy as np
import pytest
import scipy.stats
import xarray as xr
from hypothesis import given, strategies as st

import eigenclock as ec
from eigenclock.clocks.passage import Clock, Passages
from eigenclock.clocks.replicates import LogRatio, proportion, student_interval

TIME = np.geomspace(1, 1e4, 41)


def logistic(time, middle, width=0.5):
    return 1 / (1 + np.exp(-(np.log(time) - np.log(middle)) / width))


@pytest.mark.parametrize("smooth", ["none", "isotonic"])
@given(middle=st.floats(10, 1000), target=st.floats(0.1, 0.9))
def test_passage_of_a_logistic_curve(smooth, middle, target):
    exact = middle * np.exp(0.5 * np.log(target / (1 - target)))
    found = Clock("x", target, smooth=smooth).of(TIME, logistic(TIME, middle))
    # linear interpolation over h = 0.23 in ln time costs at most h²/8·|f''/f'|, and |f''/f'| <= 1/width = 2
    assert abs(np.log(found.time[0] / exact)) < 0.0133


def test_an_exponential_is_read_where_it_passes():
    e = np.exp(-TIME / 100)
    # records 0.23 apart in ln time around the passage
    assert abs(np.log(Clock("e", np.exp(-1), "falling").of(TIME, e).time[0] / 100)) < 0.005


def test_censoring_is_a_bound_and_never_a_time():
    never, already, twice = np.zeros(41), np.ones(41), np.where(np.arange(41) == 20, 1.0, 0.0)
    found = Clock("x", 0.5).of(TIME, [never, already, np.full(41, np.nan)])
    assert found.status == ["right-censored", "left-censored", "unknown"]
    assert np.isnan(found.time).all()
    assert (found.low[0], found.high[0]) == (1e4, np.inf)
    assert (found.low[1], found.high[1]) == (0.0, 1.0)
    assert (found.low[2], found.high[2]) == (0.0, np.inf)
    assert np.isnan(found.geometric_mean)
    assert Clock("x", 0.5, smooth="twice").of(TIME, twice).status == ["right-censored"]
    assert Clock("x", 0.5, smooth="none").of(TIME, twice).status == ["hit"]
    # censored at the last record that was made, not at the end of the grid
    stopped = np.where(TIME < 100, 0.0, np.nan)
    assert Clock("x", 0.5).of(TIME, stopped).low[0] < 100


def test_gaps_and_noise():
    values = logistic(TIME, 100)
    holes = values.copy()
    holes[5:15] = np.nan
    assert Clock("x", 0.5).of(TIME, holes).time == pytest.approx(Clock("x", 0.5).of(TIME, values).time)
    spike = values.copy()
    spike[3] = 0.9  # one early outlier
    assert Clock("x", 0.5).of(TIME, spike).time[0] < 5
    assert Clock("x", 0.5, smooth="isotonic").of(TIME, spike).time[0] > 50
    falling = Clock("x", 0.5, "falling", smooth="isotonic").of(TIME, 1 - spike)
    assert falling.time == pytest.approx(Clock("x", 0.5, smooth="isotonic").of(TIME, spike).time)


def test_between_the_untrained_model_and_the_first_record_only_a_bound_is_known():
    found = Clock("x", 0.5).of([0.0, 10.0, 20.0], [0.0, 1.0, 1.0])
    assert found.status == ["left-censored"]
    assert found.high[0] == 10


def test_interval_over_seeds_is_students():
    times = np.array([100.0, 120.0, 150.0])
    found = Passages(times, times, 0.5)
    logs = np.log(times)
    expected = scipy.stats.t.interval(0.95, 2, logs.mean(), logs.std(ddof=1) / np.sqrt(3))
    assert np.log(found.interval()) == pytest.approx(expected)
    assert found.geometric_mean == pytest.approx(np.exp(logs.mean()))
    assert str(found).endswith("(3 of 3)")
    one_open = Passages(times, np.array([100.0, 120.0, np.inf]), 0.5)
    assert one_open.interval()[1] == np.inf
    assert one_open.interval()[0] == pytest.approx(found.interval()[0])
    assert "1 right-censored" in str(one_open)
    assert np.isnan(Passages(times[:1], times[:1], 0.5).interval()).all()


def test_clock_reads_curves_of_several_seeds(patches):
    _, spectrum = patches
    curves = []
    for seed, middle in enumerate((10, 20)):
        at = iter((0, 1, 5, 10, 15, 30))
        watch = {"seen": lambda x, at=at, middle=middle: {"share": next(at) / middle}}
        probe = ec.Probe(
            spectrum, sampler=ec.Heun(steps=3), steps=[1, 5, 10, 15, 30], n_samples=8, sigma=(), seed=seed, watch=watch
        )
        for step in range(31):
            probe(step, lambda x, sigma: x / (1 + sigma**2))
        curves.append(probe.curve())
    found = ec.Clock("seen_share", 1.0).read(curves)
    assert found.time == pytest.approx([10, np.exp(np.log(15) + (np.log(30) - np.log(15)) / 3)])
    with pytest.raises(ec.InputError, match=r"observable must be one of .*'seen_share'.*, got 'copies'"):
        ec.Clock("copies", 0.1).read(curves)


def test_sampling_interval_covers_the_truth():
    rng, truth = np.random.default_rng(0), logistic(TIME, 100)
    clock = Clock("share", 0.5, smooth="isotonic")
    covered = []
    for i in range(60):
        seen = rng.binomial(256, truth) / 256
        low, high = clock.sampling_interval(TIME, seen, 256, resamples=100, seed=i)
        covered.append(low <= 100 <= high)
    # a percentile bootstrap of an isotonic fit is a little too sure; 60 trials of 0.95 have a standard deviation of 0.028
    assert np.mean(covered) > 0.8
    assert clock.sampling_interval(TIME, np.zeros(41), 256) == (1e4, np.inf)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Clock("x", 0.5).of([1, 1], [0, 1]), "time must be increasing steps >= 0"),
        (lambda: Clock("x", 0.5).of([1, 2], [0, 1, 2]), r"value must have shape \(time,\) or \(replicate, time\) with 2 times, got \(3,\)"),
        (lambda: Clock("x", float("nan")), "target must be a finite number, got nan"),
        (lambda: Clock("x", 0.5).read(3), "curves must be learning curves or xarray Datasets, got int"),
        (lambda: Clock("y", 0.5).read(xr.Dataset({"x": ("time", [1.0])}, {"time": [1.0]})), "observable must be one of 'x', got 'y'"),
        (lambda: student_interval([]), "values must hold at least one replicate, got none"),
        (lambda: proportion(3, 2), "successes must be <= n = 2, got 3"),
        (lambda: LogRatio.of(Passages(np.ones(1), np.ones(1), 0), Passages(np.ones(2), np.ones(2), 0)), "same replicates, got 1 and 2"),
    ],
)  # fmt: skip
def test_errors(call, message):
    with pytest.raises(ec.InputError, match=message):
        call()


def test_met_before_training_is_a_bound():
    met = Clock("x", 0.5).of([0.0, 10.0, 100.0], [[1.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
    assert met.status == ["left-censored", "hit"]
    assert (met.low[0], met.high[0]) == (0, 10)
    assert np.isnan(met.geometric_mean)
    later = LogRatio.of(Passages(np.full(2, 50.0), np.full(2, 50.0), 0), met)
    assert later.low[0] == pytest.approx(np.log(5))
    assert later.high[0] == np.inf


def test_intervals_over_few_seeds_cover():
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(1000):
        values = rng.standard_normal(3)
        mean = LogRatio(values, values).mean
        covered.append(mean.low <= 0 <= mean.high)
    assert abs(np.mean(covered) - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 1000)
    assert not LogRatio(np.array([0.3]), np.array([0.3])).mean.excludes(0)


def test_a_dataset_may_have_a_variable_of_any_name():
    value = ("time", np.array([0.0, 1.0, 2.0]))
    curve = xr.Dataset({"risk": value, "dataset": value}, coords={"time": [1.0, 10.0, 100.0]})
    assert Clock("risk", 1.0).read(curve).time == pytest.approx([10.0])
