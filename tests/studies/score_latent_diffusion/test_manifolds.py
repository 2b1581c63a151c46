"""Tests of `eigenclock_studies.score_latent_diffusion.manifolds`."""

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

import eigenclock as ec
from eigenclock_studies.score_latent_diffusion import make_data
from eigenclock_studies.score_latent_diffusion.metrics import (
    off_manifold,
)

SURFACES = ("wave2", "wave1", "wave2k", "wave4")


@pytest.mark.parametrize("name", SURFACES)
def test_points_of_a_surface_project_to_themselves(name):
    """Off-manifold distance below 1e-6; a point moved along the normal comes back; tangents are orthonormal and tangent."""
    data = make_data(name, 200, 0, D=24)
    assert off_manifold(data.x, data) < 1e-6
    frame = data.tangent(data.u)
    assert np.allclose(np.einsum("ndk,ndl->nkl", frame, frame), np.eye(data.k), atol=1e-10)
    normal = np.random.default_rng(1).standard_normal(data.x.shape)
    normal -= np.einsum("ndk,nk->nd", frame, np.einsum("ndk,nd->nk", frame, normal))
    moved = data.x + 1e-3 * normal / np.linalg.norm(normal, axis=1, keepdims=True)
    assert np.abs(data.project(moved) - data.x).max() < 1e-5  # second order in the distance times curvature
    assert off_manifold(moved, data) == pytest.approx(1e-3, rel=1e-4)


@pytest.mark.parametrize("name", SURFACES)
def test_tangents_against_differences(name):
    data = make_data(name, 5, 0, D=24)
    other = make_data(name, 5, 0, D=24)
    assert np.array_equal(data.x, other.x)
    frame = data.tangent(data.u)
    for axis in range(data.k):
        # a small step of the chart stays in the tangent plane to second order
        step = np.zeros_like(data.u)
        step[:, axis] = 1e-4
        near = _embedded(name, data, data.u + step) - data.x
        outside = near - np.einsum("ndk,nk->nd", frame, np.einsum("ndk,nd->nk", frame, near))
        assert np.linalg.norm(outside) < 1e-3 * np.linalg.norm(near)


def _embedded(name, data, u):
    """The point of a chart coordinate: the projection of a point near it, found by moving along the tangent."""
    guess = data.x + np.einsum("ndk,nk->nd", data.tangent(data.u), u - data.u)
    return data.project(guess)


def test_intrinsic_density_integrates_to_one():
    """p(u)/√det JᵀJ times the area element, over the chart; and on the line by arc length."""
    data = make_data("wave1", 50, 0, D=16)
    u = np.linspace(-3, 3, 20_001)[:, None]
    frame_free = np.exp(data.log_density(u))
    tangent_length = np.linalg.norm(np.gradient(_curve(data, u), u[:, 0], axis=0), axis=1)
    assert scipy.integrate.trapezoid(frame_free * tangent_length, u[:, 0]) == pytest.approx(1, abs=1e-3)


def _curve(data, u):
    from eigenclock_studies.score_latent_diffusion.manifolds import _wave

    rng = np.random.default_rng([0, 17])
    return _wave(1, rng).embed(u)


@pytest.mark.parametrize("name", ["wave1", "wave2"])
def test_exact_denoiser_against_monte_carlo(name, rng):
    """Quadrature in the chart against 200,000 draws from the prior, within their noise."""
    data = make_data(name, 200_000, 3, D=10)
    x = data.x[:3] + 0.3 * rng.standard_normal((3, 10))
    log = -((x[:, None] - data.x[None]) ** 2).sum(2) / (2 * 0.09)
    weight = np.exp(log - log.max(1, keepdims=True))
    brute = weight @ data.x / weight.sum(1, keepdims=True)
    effective = weight.sum(1) ** 2 / (weight**2).sum(1)
    assert np.abs(data.denoise(x, 0.3) - brute).max() < 4 * 0.3 / np.sqrt(effective.min())


def test_bayes_risk_of_the_wave_surface(rng):
    """b(σ) of the specification, within its stated spread of five draws, two of them."""
    for sigma, value, spread in ((0.1, 1.92, 0.06), (0.2, 1.61, 0.09), (0.4, 1.39, 0.06)):
        data = make_data("wave2", 800, 0, D=8)
        noisy = data.x + sigma * rng.standard_normal(data.x.shape)
        risk = ((data.denoise(noisy, sigma) - data.x) ** 2).sum(1).mean() / sigma**2
        assert abs(risk - value) < 3 * spread


def test_other_data_sets(rng):
    gauss = make_data("gauss", 20_000, 0, D=6, lam=(1.0, 0.3))
    assert np.allclose(np.linalg.eigvalsh(np.cov(gauss.x.T))[::-1][:2], (1.0, 0.3), rtol=0.1)
    assert np.allclose(gauss.denoise(gauss.x, 1e-6), gauss.x, atol=1e-8)
    circle = make_data("circle", 100, 0, D=5)
    assert off_manifold(circle.x, circle) < 1e-12
    assert make_data("isotropic", 10, 0, D=5).project is None
    with pytest.raises(
        ec.InputError, match="data must be one of wave2, wave1, wave2k, wave4, circle, gauss, isotropic, got 'torus'"
    ):
        make_data("torus", 10, 0)
    with pytest.raises(ec.InputError, match="D must be >= 8, the dimension that the surface curves in, got 4"):
        make_data("wave2", 10, 0, D=4)
