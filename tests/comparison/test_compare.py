"""Tests of `eigenclock.comparison.compare`."""

import numpy as np
import pytest

import eigenclock as ec


def test_a_slower_run_has_the_same_clock_up_to_its_time_scale():
    spectrum = ec.Spectrum.power_law(50, exponent=1.5)
    fast = ec.predict(spectrum, time=np.geomspace(1e-3, 1e6, 900))
    slow = ec.predict(spectrum, optimizer=ec.GradientFlow(lr=0.125), time=np.geomspace(1e-3, 1e6, 900))
    comparison = ec.compare(fast, slow)
    assert comparison.time_scale == pytest.approx(8, rel=1e-3)
    assert comparison.median_error < 1e-3
    assert comparison.rank_correlation == pytest.approx(1)
    assert comparison.disagreeing.size == 0
    assert comparison.used.sum() == 50
    for predicted, measured in comparison.laws().values():
        assert predicted.n == measured.n
    assert "rank correlation 1.000" in str(comparison)


def test_modes_that_disagree_are_named():
    spectrum = ec.Spectrum.power_law(20, exponent=1.0)
    curve = ec.predict(spectrum, time=np.geomspace(1e-2, 1e4, 500))
    dataset = curve.dataset.copy(deep=True)
    # mode 7 of the second curve runs three times late
    late = np.interp(np.log(curve.dataset["time"] / 3), np.log(curve.dataset["time"]), curve.variance.values[:, 7])
    dataset["variance"][:, 7] = late
    comparison = ec.compare(curve, ec.LearningCurve(dataset, recipe=None, source="measurement"))
    assert comparison.disagreeing.tolist() == [7]
    frame = comparison.to_dataframe()
    assert frame["ratio"][7] == pytest.approx(3, rel=0.05)


def test_censored_and_gray_modes_are_left_out():
    spectrum = ec.Spectrum(np.logspace(-3, 2, 20))
    long = ec.predict(spectrum, architecture=ec.OneLayer(0.5), time=np.geomspace(1e-3, 1e5, 400))
    short = ec.predict(spectrum, architecture=ec.OneLayer(0.5), time=np.geomspace(1e-3, 1.0, 400))
    comparison = ec.compare(long, short)
    table = short.emergence()
    assert not comparison.used[table.censored | table.gray_zone].any()
    assert np.isnan(comparison.ratio[table.censored]).all()


def test_different_modes_are_refused():
    with pytest.raises(ec.InputError, match=r"^curves must have the same modes, got 1 and 2$"):
        ec.compare(ec.predict(ec.Spectrum([1.0])), ec.predict(ec.Spectrum([1.0, 2.0])))


def test_different_targets_are_refused():
    with pytest.raises(ec.InputError, match=r"^curves must have the same target variances"):
        ec.compare(ec.predict(ec.Spectrum([1.0, 2.0, 3.0])), ec.predict(ec.Spectrum([1e-3, 5.0, 7.0])))


def test_nothing_to_compare_gives_nan():
    curve = ec.predict(ec.Spectrum([1.0]), time=[1e-9])
    comparison = ec.compare(curve, curve)
    assert np.isnan(comparison.median_error)
    assert str(comparison) == "0 of 1 modes emerged in both with a clear clock: nothing to compare"
