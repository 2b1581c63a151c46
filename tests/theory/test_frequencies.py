"""Tests of `eigenclock.theory.frequencies`."""

import numpy as np
import pytest
from support.textures import SPECTRA

import eigenclock as ec


def test_channels_go_their_own_way_where_they_are_independent():
    """A matrix route on diagonal cross-spectra is the scalar route of each channel."""
    one, two = 1 / (0.02 + np.fft.fftfreq(9) ** 2), 1 / (0.5 + np.fft.fftfreq(9) ** 2)
    both = np.zeros((9, 2, 2))
    both[:, 0, 0], both[:, 1, 1] = one, two
    recipe = {"optimizer": ec.GradientFlow(1e-3), "time": [1.0, 10.0, 200.0], "architecture": ec.LocalConv(3, 0.3)}
    for sampler in (ec.Heun(steps=10), ec.Stochastic(steps=10), ec.ProbabilityFlow(0.02, 20.0, nodes=150)):
        together = ec.predict(ec.Spectrum.from_power(both, channels=True), sampler=sampler, **recipe)
        apart = [
            ec.predict(ec.Spectrum.from_power(power), sampler=sampler, **recipe).variance.values for power in (one, two)
        ]
        expected = np.sort(np.concatenate(apart, axis=1), axis=1)
        assert np.allclose(np.sort(together.variance.values, axis=1), expected, rtol=1e-7)


def test_samples_of_a_convolution_have_its_covariance():
    spectrum = SPECTRA["colour"]
    curve = ec.predict(
        spectrum,
        architecture=ec.LocalConv(3),
        optimizer=ec.GradientFlow(0.01),
        time=[3.0],
        sampler=ec.Heun(steps=10),
        keep_covariance=True,
    )
    n = 60_000
    coordinates = curve.spectrum.to_modes(curve.sample(n, time=3.0, seed=0))
    expected = curve.covariance.values[0]
    measured = np.cov(coordinates.T, bias=True)
    error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / n)
    assert np.abs((measured - expected) / error).max() < 5  # 300 entries
    assert np.abs(expected - np.diag(np.diag(expected))).max() > 1e-3 * expected.max(), (
        "channels must be correlated here"
    )


def test_distances_of_channels_are_those_of_the_whole_covariance():
    spectrum = SPECTRA["colour"]
    recipe = {
        "optimizer": ec.GradientFlow(0.01),
        "time": [0.5, 5.0, 100.0],
        "sampler": ec.Heun(steps=10),
        "keep_covariance": True,
    }
    curve = ec.predict(spectrum, architecture=ec.LocalConv(3), **recipe)
    target, zero = np.diag(curve.target.values), np.zeros(spectrum.n_modes)
    for i in range(3):
        covariance = curve.covariance.values[i]
        assert curve.kl().values[i] == pytest.approx(ec.divergences.kl_full(zero, covariance, zero, target), rel=1e-9)
        expected = ec.divergences.wasserstein_full(zero, covariance, zero, target)
        assert curve.wasserstein().values[i] == pytest.approx(expected, rel=1e-9)
        assert curve.alignment.values[i] == pytest.approx(ec.divergences.alignment(covariance), rel=1e-9)
