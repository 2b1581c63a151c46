"""Paths of modes, against the curves they come from."""

import numpy as np

import eigenclock as ec
from eigenclock.comparison.paths import STEP, Paths

RECIPE = {"objective": ec.EDM(density=ec.LogNormal()), "sampler": ec.Heun(steps=20)}


def test_a_path_is_the_log_distance_that_a_curve_has_gone():
    spectrum = ec.Spectrum([10.0, 0.02, 1e-3])
    curve = ec.predict_level("c", spectrum, **RECIPE)
    paths = Paths.of(curve, np.array([True, False, False]))
    for time in (0.5, 3.0, 40.0):
        gone = np.log(curve.variance_at(time) / curve.initial.values)
        whole = np.log(curve.variance.values[-1] / curve.initial.values)
        assert np.allclose(paths.at(np.full(3, np.log(time))), gone / whole, atol=0.01)  # between grid points
    assert np.allclose(paths.progress[-1], 1, atol=0.05)  # six e-folds beyond the last middle
    assert np.allclose(paths.at(paths.middle), 0.5, atol=0.01)
    assert np.allclose(paths.first_reach(np.full(3, 0.5)), paths.middle, atol=STEP / 2)
    assert np.isinf(paths.first_reach(np.full(3, 2.0))).all()


def test_modes_without_variance_are_no_trouble():
    curve = ec.predict_level("c", ec.Spectrum([1.0, 0.01, 0.0]), **RECIPE)
    assert np.isfinite(Paths.of(curve, np.array([True, False, False])).progress).all()


def test_modes_without_a_path_follow_their_neighbour():
    spectrum = ec.Spectrum([10.0, 0.26, 0.02])  # the second starts where it ends, at σ_data² = 0.25
    curve = ec.predict_level("c", spectrum, **RECIPE)
    paths = Paths.of(curve, np.array([True, False, False]))
    assert np.array_equal(paths.progress[:, 1], paths.progress[:, 2])


def test_one_time_for_all_and_times_in_proportion():
    spectrum = ec.Spectrum.power_law(9, exponent=2.0)
    curve = ec.predict_level("c", spectrum, **RECIPE)
    falling = [np.arange(2, 9)]
    paths = Paths.of(curve, np.arange(9) < 2)
    same = paths.one_time_for_all(falling)
    assert (same.middle[2:] == same.middle[5]).all()
    assert np.array_equal(same.progress[:, :2], paths.progress[:, :2])
    apart = paths.in_proportion(1 / spectrum.variance, falling)
    assert np.allclose(np.diff(apart.middle[2:]), -np.diff(np.log(spectrum.variance[2:])))
    assert np.allclose(apart.at(apart.middle)[2:], 0.5, atol=0.02)
