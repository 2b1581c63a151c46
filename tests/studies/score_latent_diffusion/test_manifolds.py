"""Tests of `eigenclock_studies.score_latent_diffusion.manifolds`."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock_studies.score_latent_diffusion import make_data
from eigenclock_studies.score_latent_diffusion.manifolds import GRID, SPREAD, Torus, Wave2
from eigenclock_studies.score_latent_diffusion.metrics import off_manifold


def test_points_of_the_surface_project_to_themselves():
    """Off-manifold distance below 1e-6; a point moved along the normal comes back; tangents are orthonormal and tangent."""
    data = make_data("wave2", 200, 0, D=24)
    assert off_manifold(data.x, data) < 1e-6
    frame = data.tangent(data.x)
    assert np.allclose(np.einsum("ndk,ndl->nkl", frame, frame), np.eye(data.k), atol=1e-10)
    normal = np.random.default_rng(1).standard_normal(data.x.shape)
    normal -= np.einsum("ndk,nk->nd", frame, np.einsum("ndk,nd->nk", frame, normal))
    moved = data.x + 1e-3 * normal / np.linalg.norm(normal, axis=1, keepdims=True)
    assert np.abs(data.project(moved) - data.x).max() < 1e-5  # second order in the distance times curvature
    assert off_manifold(moved, data) == pytest.approx(1e-3, rel=1e-4)


def test_jacobian_of_the_surface_against_differences(rng):
    surface, u, h = Wave2(), 0.8 * rng.standard_normal((20, 2)), 1e-6
    for axis in range(2):
        step = np.eye(2)[axis] * h
        difference = (surface.embed(u + step) - surface.embed(u - step)) / (2 * h)
        assert np.allclose(surface.jacobian(u)[:, :, axis], difference, atol=1e-8)


def test_density_of_the_chart_is_that_of_its_draws(rng):
    surface = Wave2()
    draws = surface.draw(200_000, rng)
    inside = np.abs(draws - np.array([1.2, 0.0])) < SPREAD
    axis = np.linspace(-SPREAD, SPREAD, 201)
    grid = np.stack(np.meshgrid(1.2 + axis, axis, indexing="ij"), axis=2).reshape(-1, 2)
    share = surface.density(grid).mean() * (2 * SPREAD) ** 2
    assert inside.all(axis=1).mean() == pytest.approx(share, abs=4 * np.sqrt(share / 200_000) + 1e-3)


def test_exact_denoiser_of_the_surface_against_monte_carlo(rng):
    """Quadrature in the chart against 200,000 draws from the prior, within their noise."""
    data = make_data("wave2", 200_000, 3, D=10)
    x = data.x[:3] + 0.3 * rng.standard_normal((3, 10))
    log = -((x[:, None] - data.x[None]) ** 2).sum(2) / (2 * 0.09)
    weight = np.exp(log - log.max(1, keepdims=True))
    brute = weight @ data.x / weight.sum(1, keepdims=True)
    effective = weight.sum(1) ** 2 / (weight**2).sum(1)
    assert np.abs(data.denoise(x, 0.3) - brute).max() < 4 * 0.3 / np.sqrt(effective.min())


@pytest.mark.parametrize("sigma", [0.03, 0.1, 0.4])
def test_the_grid_of_the_quadrature_is_fine_enough(sigma, rng, monkeypatch):
    """As many points as σ asks for are as good as three times as many."""
    from eigenclock_studies.score_latent_diffusion import manifolds

    data = make_data("wave2", 20, 3, D=10)
    x = data.x + sigma * rng.standard_normal(data.x.shape)
    found = data.denoise(x, sigma)
    monkeypatch.setattr(manifolds, "GRID", (600, 600))
    assert np.abs(found - data.denoise(x, sigma)).max() < 1e-3 * sigma
    assert GRID[1] * 0.02 >= 4 * manifolds.EDGE / 2  # one point per σ at the smallest noise of the study


@pytest.mark.parametrize("k", [1, 2])
def test_torus_against_quadrature_over_its_angles(k, rng):
    """The product of circle denoisers against the posterior mean over a grid of all angles at once."""
    axis = np.arange(180) * 2 * np.pi / 180
    angles = np.stack([one.ravel() for one in np.meshgrid(*[axis] * k, indexing="ij")], axis=1)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=2).reshape(len(angles), 2 * k)
    y = 1.2 * rng.standard_normal((5, 2 * k))
    weight = np.exp(-((y[:, None] - points) ** 2).sum(2) / (2 * 0.3**2))
    brute = weight @ points / weight.sum(1, keepdims=True)
    assert np.allclose(Torus(k).denoise(y, 0.3), brute, atol=1e-10)
    data = make_data("torus", 5, 0, D=9, k=k)
    flat = Torus(k).draw(5, np.random.default_rng([0, 17]))
    assert np.allclose(np.linalg.norm(data.x, axis=1), np.sqrt(k))
    if k == 1:  # five points of a plane fix its frame: turned into D, the denoiser is turned with it
        frame, noisy = np.linalg.lstsq(flat, data.x, rcond=None)[0], data.x + 0.3 * rng.standard_normal((5, 9))
        assert np.allclose(data.denoise(noisy, 0.3), Torus(k).denoise(noisy @ frame.T, 0.3) @ frame)


@pytest.mark.parametrize("name", ["wave2", "torus"])
def test_samples_on_the_manifold_are_the_same_in_every_space(name):
    """Distances between samples do not depend on D, so that sizes of one seed are paired."""
    near, far = (make_data(name, 40, 3, D=D).x for D in (9, 200))
    assert np.allclose(near @ near.T, far @ far.T)


def test_bayes_risk_of_the_wave_surface(rng):
    """b(σ) of the specification, within its stated spread of five draws, two of them."""
    for sigma, value, spread in ((0.1, 1.92, 0.06), (0.2, 1.61, 0.09), (0.4, 1.39, 0.06)):
        data = make_data("wave2", 800, 0, D=8)
        noisy = data.x + sigma * rng.standard_normal(data.x.shape)
        risk = ((data.denoise(noisy, sigma) - data.x) ** 2).sum(1).mean() / sigma**2
        assert abs(risk - value) < 3 * spread


def test_other_names_and_sizes():
    assert make_data("isotropic", 10, 0, D=5).project is None
    assert np.array_equal(make_data("torus", 9, 1).x, make_data("torus", 9, 1).x)
    with pytest.raises(ec.InputError, match="data must be one of 'wave2', 'torus', 'isotropic', got 'moons'"):
        make_data("moons", 10, 0)
    with pytest.raises(ec.InputError, match="D must be >= 8, the dimension that the surface curves in, got 4"):
        make_data("wave2", 10, 0, D=4)
