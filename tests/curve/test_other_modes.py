"""Tests of `eigenclock.curve.other_modes`."""

import numpy as np
import pytest
from support.textures import SPECTRA, textured

import eigenclock as ec


def test_distances_along_other_modes_need_the_covariance():
    """Waves are no modes of non-stationary data: the distance from the data themselves is larger than from their power."""
    x = textured(6, 5)
    fourier, pca = ec.Spectrum.from_samples(x, basis="fourier"), ec.Spectrum.from_samples(x)
    curve = ec.predict(fourier, architecture=ec.Circulant(), time=[1.0, 1e4])
    with pytest.raises(ec.InputError, match="keep_covariance"):
        curve.along(pca).kl()
    along = curve.along(pca, keep_covariance=True)
    waves = curve.spectrum.basis.from_modes(np.eye(30)).reshape(30, 30)
    for i in range(2):
        covariance = waves.T @ np.diag(curve.variance.values[i]) @ waves
        data, zero = pca.covariance(), np.zeros(30)
        assert along.kl().values[i] == pytest.approx(ec.divergences.kl_full(zero, covariance, zero, data), rel=1e-6)
        assert along.wasserstein().values[i] == pytest.approx(
            ec.divergences.wasserstein_full(zero, covariance, zero, data), rel=1e-6
        )
    assert along.wasserstein()[-1] > 2 * curve.wasserstein()[-1]
    assert "stationary" in curve.wasserstein().attrs["long_name"]
    assert along.sample(3, time=1.0, seed=0).shape == (3, 6, 5)


def test_variance_along_pca_modes():
    """uᵀF·diag(v)·F*u, by building the circulant covariance and turning it."""
    x = textured(6, 5)
    fourier, pca = ec.Spectrum.from_samples(x, basis="fourier"), ec.Spectrum.from_samples(x)
    recipe = {"optimizer": ec.GradientFlow(0.01), "time": [0.5, 5.0]}
    for architecture in (ec.Circulant(), ec.LocalConv(3)):
        curve = ec.predict(fourier, architecture=architecture, **recipe)
        along = curve.along(pca)
        waves = curve.spectrum.basis.from_modes(np.eye(30)).reshape(30, 30)
        for i in range(2):
            covariance = waves.T @ np.diag(curve.variance.values[i]) @ waves
            assert np.allclose(
                along.variance.values[i], np.diag(pca.basis.components @ covariance @ pca.basis.components.T)
            )
        assert (along.target.values == pca.variance).all()
    colour = SPECTRA["colour"]
    kept = ec.predict(colour, architecture=ec.LocalConv(3), keep_covariance=True, **recipe)
    again = kept.along(kept.spectrum)
    assert np.allclose(again.variance, kept.variance)
    assert np.allclose(again.initial, kept.initial)
