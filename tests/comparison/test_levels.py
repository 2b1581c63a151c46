"""Tests of `eigenclock.comparison.levels`."""

from dataclasses import replace

import numpy as np
import pytest
from support.planted_runs import RECIPE, run

import eigenclock as ec
from eigenclock.comparison.levels import MEANING, plain_start


def test_levels_of_a_run_that_theory_describes():
    measured, _ = run()
    levels = ec.compare_levels(measured, **RECIPE)
    assert levels.best == "c"
    assert list(levels) == ["a", "b", "c", "e", "e_balanced"], "no gain was measured, so no level d"
    assert levels["c"].median_error < 0.01
    assert levels["c"].time_scale == pytest.approx(20, rel=0.01)
    assert levels["c"].slope == pytest.approx(1, abs=0.01)
    assert levels["c"].explained > 0.999
    assert levels["c"].median_error < levels["b"].median_error < levels["a"].median_error
    table = levels.to_dataframe()
    assert table["meaning"].tolist() == [MEANING[name] for name in levels]
    falling = levels.to_dataframe("falling").set_index("level")
    assert falling.loc["c", "median_error"] == levels["c"].of("falling").median_error
    assert str(levels).count("\n") == 4
    with pytest.raises(ec.InputError, match="level must be one of a, b, c, e, e_balanced, got 'z'"):
        levels["z"]


def test_level_d_starts_from_the_measured_gain():
    """A run of one layer that starts at 0.3: only level (d) knows."""
    spectrum, sampler = ec.Spectrum.power_law(60, exponent=1.5), RECIPE["sampler"]
    truth = ec.predict(spectrum, objective=ec.EDM(density=ec.LogNormal()), architecture=ec.OneLayer(0.3), optimizer=ec.GradientFlow(0.01), sampler=sampler,
                       time=np.concatenate([[0.0], np.geomspace(1, 1e7, 300)]), sigma=sampler.levels[::-1], keep_gain=True)  # fmt: skip
    measured = ec.LearningCurve(truth.dataset.assign_attrs(first_step=0), recipe=None, source="measurement")
    levels = ec.compare_levels(measured, **RECIPE)
    np.testing.assert_allclose(levels.curves["d"].initial, truth.initial, rtol=1e-9)
    assert levels.best == "d"
    assert levels["d"].median_error < 0.01 < levels["c"].median_error


def two_layers(init):
    spectrum, time = ec.Spectrum(np.geomspace(50, 1e-3, 80)), np.concatenate([[0.0], np.geomspace(1, 1e7, 200)])
    truth = ec.predict(spectrum, architecture=ec.TwoLayer(init), optimizer=ec.GradientFlow(0.02), **RECIPE, time=time)
    return ec.LearningCurve(truth.dataset, recipe=None, source="measurement")


def test_level_e_is_two_layers_from_its_named_starts():
    """A run of two layers is set right by the level of its own start, and by no other."""
    levels = ec.compare_levels(two_layers((1.0, 0.0)), **RECIPE)
    assert levels.best == "e"
    assert levels["e"].time_scale == pytest.approx(50, rel=0.01)
    assert levels["e"].median_error < 0.01 < levels["c"].median_error
    assert "; rising alone 0.00" in str(levels)
    balanced = ec.compare_levels(two_layers((0.1, 0.1)), **RECIPE)
    assert balanced["e_balanced"].median_error < 0.01 < balanced["c"].median_error
    assert not balanced["e_balanced"].of("falling").used.any(), "a gain keeps its sign from there"


def test_a_level_that_times_few_modes_is_never_the_best():
    levels = ec.compare_levels(two_layers((1.0, 0.0)), **RECIPE)
    few = replace(levels["e_balanced"], median_error=0.0)
    assert few.used.sum() < 0.9 * levels["e"].used.sum()
    assert replace(levels, comparisons={**levels.comparisons, "e_balanced": few}).best == "e"


def test_directions_have_a_constant_each():
    levels = ec.compare_levels(two_layers((1.0, 0.0)), **RECIPE)
    for direction in ("rising", "falling"):
        part, whole = levels["c"].of(direction), levels["c"]
        own = whole.used & (whole.measured.direction == direction)
        ratio = np.log(whole.measured.time[own] / whole.predicted.time[own])
        assert np.array_equal(part.used, own)
        assert part.time_scale == pytest.approx(np.exp(np.median(ratio)))
        assert part.median_error == pytest.approx(np.median(np.abs(ratio - np.median(ratio))))


def test_predict_levels_needs_no_run():
    spectrum = ec.Spectrum.power_law(20, exponent=1.5)
    curves = ec.predict_levels(spectrum, **RECIPE)
    assert list(curves) == ["a", "b", "c", "e", "e_balanced"]
    for level, init in (("e", (1.0, 0.0)), ("e_balanced", (0.1, 0.1))):
        plain = ec.predict(spectrum, architecture=ec.TwoLayer(init), **RECIPE, time=curves[level].time.values)
        np.testing.assert_array_equal(curves[level].variance, plain.variance)
    np.testing.assert_array_equal(curves["c"].variance, ec.predict_level("c", spectrum, **RECIPE).variance)


def test_plain_start_generates_the_variance():
    for variance in (1e-4, 0.3, 2.0):
        sampler = ec.Heun(steps=20)
        curve = ec.predict(ec.Spectrum([1.0]), architecture=ec.OneLayer(plain_start(variance, sampler)), time=[0.0])
        assert curve.variance.item() == pytest.approx(variance, rel=1e-9)
