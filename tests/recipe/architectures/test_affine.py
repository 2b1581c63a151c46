"""Tests of `eigenclock.recipe.architectures.affine`."""

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg

import eigenclock as ec

SPECTRUM = ec.Spectrum([2.0, 0.5, 0.1], mean=[0.5, -1.0, 0.0])


def test_affine_weights_solve_their_gradient_flow():
    """d[W b]/dτ = −2·lr·w·([W b]M − E Y(X, 1)ᵀ), moments written out from samples of a known Gaussian."""
    sigma, lr, moments = np.array([0.4, 3.0]), 0.05, np.array([0.3, 4.0, 50.0])
    mean, covariance = SPECTRUM.mean, np.diag(SPECTRUM.variance)
    got = list(ec.Affine(0.2, 0.5).denoisers(ec.Denoising(), SPECTRUM, sigma, ec.GradientFlow(lr), moments))
    for i, level in enumerate(sigma):
        noisy = covariance + np.outer(mean, mean) + level**2 * np.eye(3)
        second = np.block([[noisy, mean[:, None]], [mean[None], np.ones((1, 1))]])
        cross = np.column_stack([covariance + np.outer(mean, mean), mean])

        def slope(_, flat, second=second, cross=cross):
            return (-2 * lr * (flat.reshape(3, 4) @ second - cross)).ravel()

        start = np.column_stack([0.2 * np.eye(3), 0.5 * mean]).ravel()
        solution = scipy.integrate.solve_ivp(
            slope, (0, 50), start, method="LSODA", t_eval=moments, rtol=1e-12, atol=1e-14
        )
        for j in range(3):
            expected = solution.y[:, j].reshape(3, 4)
            assert np.abs(got[j].linear[i] - expected[:, :3]).max() < 1e-9
            assert np.abs(got[j].shift[i] - expected[:, 3]).max() < 1e-9


def test_without_a_mean_affine_is_one_layer():
    spectrum = ec.Spectrum([2.0, 0.3], mean=[0.0, 0.0])
    recipe = {"objective": ec.EDM(), "time": [0.0, 1.0, 20.0], "sampler": ec.Heun(steps=12)}
    affine, one = (ec.predict(spectrum, architecture=a, **recipe) for a in (ec.Affine(0.1), ec.OneLayer(0.1)))
    assert np.allclose(affine.variance, one.variance, rtol=1e-12)
    assert np.abs(affine.generated_mean).max() == 0
    assert np.allclose(affine.kl(), one.kl(), rtol=1e-9)
    assert np.allclose(affine.wasserstein(), one.wasserstein(), rtol=1e-7, atol=1e-7)


def test_modes_along_the_mean_overshoot():
    """The same noise level, with and without mean along the mode: W first learns λ + μ² as if it were variance."""
    along = ec.Spectrum([0.5, 0.1], mean=[2.0, 0.0])
    recipe = {"time": np.geomspace(1e-2, 1e3, 60), "optimizer": ec.GradientFlow(0.1), "sampler": ec.Heun(steps=6)}
    curve = ec.predict(along, architecture=ec.Affine(0.0), sigma=[1.0], keep_gain=True, **recipe)
    mixed, best = curve.gain.values[:, :, 0], along.variance / (along.variance + 1)
    assert mixed[:, 0].max() > 1.5 * best[0]
    assert mixed[-1, 0] == pytest.approx(best[0], rel=1e-6)
    known = ec.predict(along, architecture=ec.OneLayer(0.0), sigma=[1.0], keep_gain=True, **recipe).gain.values[:, :, 0]
    assert known.max(axis=0) == pytest.approx(best, rel=1e-6)
    assert np.allclose(mixed[:, 1], known[:, 1], rtol=1e-9), "no mean along it, no overshoot"
