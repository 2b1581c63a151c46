"""How close samples are, and when they are closest (T18)."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock.curve.closeness import best_time, relative_distance


def test_closeness_is_the_last_time_above():
    spectrum = ec.Spectrum([4.0, 1.0, 0.01])
    curve = ec.predict(spectrum, sampler=ec.Heun(steps=40), time=np.geomspace(1e-3, 1e6, 300))
    found = curve.closeness((0.5, 0.25, 1e-9))
    relative = curve.wasserstein().values / np.sqrt(spectrum.variance.sum())
    for fraction, moment in zip((0.5, 0.25), found.values, strict=False):
        last = np.flatnonzero(relative > fraction)[-1]
        assert curve.time.values[last] <= moment <= curve.time.values[last + 1]
    assert np.isnan(found.values[2])  # the sampler's own bias is in the way
    floor = np.sqrt(
        ((np.sqrt(curve.reachable.values) - np.sqrt(spectrum.variance)) ** 2).sum() / spectrum.variance.sum()
    )
    assert found.attrs["sampler_share"] == pytest.approx(floor)
    assert relative[-1] == pytest.approx(floor, rel=1e-6)
    assert found.sel(fraction=0.25) == found.values[1]


def test_the_best_step_of_a_curve_that_turns_back():
    curve = ec.predict(ec.Spectrum([1.0]), time=[1.0, 10.0, 100.0])
    curve.dataset["variance"] = (("time", "mode"), np.array([[0.2], [1.1], [3.0]]))
    assert curve.best() == 10
    assert curve.best(by="kl") == 10
    assert np.isnan(curve.closeness((0.5,)).values[0])
    with pytest.raises(ec.InputError, match="by must be one of 'wasserstein', 'kl', got 'fid'"):
        curve.best(by="fid")
    assert np.isnan(best_time(curve.wasserstein() * np.nan))


def test_measured_curves_know_what_their_sampler_reaches():
    spectrum, sampler = ec.Spectrum([1.0, 0.01]), ec.Heun(steps=20)
    probe = ec.Probe(spectrum, sampler=sampler, steps=[1], n_samples=64, sigma=())
    for step in (0, 1):
        probe(step, lambda x, sigma: x / (1 + sigma**2))
    curve = probe.curve()
    assert np.allclose(curve.reachable, sampler.optimal(spectrum.variance))
    assert curve.settling().settled.tolist() == [True, False]  # the denoiser is the best one for the first mode
    assert curve.reachable.values[0] == pytest.approx(curve.variance.values[-1, 0], rel=1e-4)


def test_relative_distance_and_errors():
    assert relative_distance(2.0, np.array([4.0])) == 1.0
    assert np.isnan(relative_distance(2.0, np.array([0.0])))
    curve = ec.predict(ec.Spectrum([1.0]), time=[1.0, 2.0])
    for wrong in ((), (0.5, -1.0), 0.0):
        with pytest.raises(ec.InputError, match="fractions must be shares > 0 of the data's norm"):
            curve.closeness(wrong)
