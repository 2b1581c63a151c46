"""Tests of `eigenclock.comparison.levels`."""

import numpy as np
import pytest
from support.planted_runs import RECIPE, run

import eigenclock as ec
from eigenclock.comparison.levels import MEANING, plain_start


def test_levels_of_a_run_that_theory_describes():
    measured, _ = run()
    levels = ec.compare_levels(measured, **RECIPE)
    assert levels.best == "c"
    assert list(levels) == ["a", "b", "c"], "no gain was measured, so no level d"
    assert levels["c"].median_error < 0.01
    assert levels["c"].time_scale == pytest.approx(20, rel=0.01)
    assert levels["c"].slope == pytest.approx(1, abs=0.01)
    assert levels["c"].explained > 0.999
    assert levels["c"].median_error < levels["b"].median_error < levels["a"].median_error
    table = levels.to_dataframe()
    assert table["meaning"].tolist() == [MEANING[name] for name in "abc"]
    assert str(levels).count("\n") == 2
    with pytest.raises(ec.InputError, match="level must be one of a, b, c, got 'z'"):
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


def test_plain_start_generates_the_variance():
    for variance in (1e-4, 0.3, 2.0):
        sampler = ec.Heun(steps=20)
        curve = ec.predict(ec.Spectrum([1.0]), architecture=ec.OneLayer(plain_start(variance, sampler)), time=[0.0])
        assert curve.variance.item() == pytest.approx(variance, rel=1e-9)
