"""Errors of levels over seeds: planted runs that one level describes, on the same modes as what it must beat."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock_studies.spectral_bias.level_errors import ONE_TIME, Errors

RECIPE = {"objective": ec.EDM(density=ec.LogNormal()), "sampler": ec.Heun(steps=20)}


def measured(architecture, factor=0.05):
    """A run that theory describes with this architecture, in other units."""
    spectrum = ec.Spectrum(np.geomspace(50, 1e-3, 80))
    time = np.concatenate([[0.0], np.geomspace(1, 1e7, 200)])
    curve = ec.predict(spectrum, architecture=architecture, optimizer=ec.GradientFlow(factor), **RECIPE, time=time)
    return ec.LearningCurve(curve.dataset, recipe=None, source="measurement")


def runs(architecture):
    return [ec.compare_levels(measured(architecture, factor), **RECIPE) for factor in (0.05, 0.5)]


def test_errors_of_a_run_of_two_layers():
    compared = runs(ec.TwoLayer((1.0, 0.0)))
    found = Errors.of(compared, "e")
    assert all(found.against[rival].estimate.high < 0 for rival in ("a", "c", ONE_TIME))
    assert found.medians["e"].estimate.high < 0.01
    for seed, levels in enumerate(compared):
        same = np.logical_and.reduce([levels[name].used for name in "abce"])
        assert found.modes[seed] == same.sum()
        assert found.measured[seed] >= found.modes[seed]
        ratio = np.log(levels["a"].ratio[same])
        assert found.medians["a"].values[seed] == pytest.approx(np.median(np.abs(ratio - np.median(ratio))))
        time = np.log(levels["e"].measured.time[same])
        assert found.medians[ONE_TIME].values[seed] == pytest.approx(np.median(np.abs(time - np.median(time))))


def test_one_layer_is_not_beaten_by_two_where_there_is_one():
    found = Errors.of(runs(ec.OneLayer(0.0)), "e")
    assert found.against["c"].estimate.low > 0


def test_rising_modes_alone():
    found = Errors.of(runs(ec.TwoLayer((0.1, 0.1))), "e_balanced", "rising")
    assert found.against["c"].estimate.high < 0
    assert found.medians["e_balanced"].estimate.high < 0.01
    assert max(Errors.of(runs(ec.TwoLayer((0.1, 0.1))), "e_balanced", "falling").modes) == 0
