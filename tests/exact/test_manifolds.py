"""Tests of `eigenclock.exact.manifolds`."""

import numpy as np
import pytest

from eigenclock.exact.manifolds import Circle, Ellipse, Sphere


def posterior_mean(x, points, weights, sigma):
    """By brute force over a grid of the manifold."""
    log = -((x[:, None] - points) ** 2).sum(2) / (2 * sigma**2) + np.log(weights)
    w = np.exp(log - log.max(1, keepdims=True))
    return w @ points / w.sum(1, keepdims=True)


def test_circle_and_sphere_against_quadrature(rng):
    """Bessel ratios against 4,000 points of the circle, and a product rule on the sphere: 1e-10."""
    circle, t = Circle(1.3, 0.8), np.linspace(0, 2 * np.pi, 4000, endpoint=False)
    x = rng.standard_normal((6, 2))
    points = 1.3 * np.stack([np.cos(t), np.sin(t)], 1)
    for sigma in (0.05, 0.4):
        assert np.allclose(
            circle.denoise(x, sigma), posterior_mean(x, points, np.exp(0.8 * np.cos(t)), sigma), atol=1e-10
        )
    height, weight = np.polynomial.legendre.leggauss(200)
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    ring = np.sqrt(1 - height**2)[:, None]
    grid = np.stack([ring * np.cos(angle), ring * np.sin(angle), height[:, None] + 0 * angle], 2).reshape(-1, 3)
    y = rng.standard_normal((4, 3))
    brute = posterior_mean(y, grid, np.repeat(weight, 200), 0.4)
    assert np.allclose(Sphere(2).denoise(y, 0.4), brute, atol=1e-10)
    assert np.allclose(Sphere(2).denoise(y, 0.1), Sphere(2).expansion(y, 0.1), atol=1e-12)  # exact but for e^{−2q}


def test_small_noise_expansion_is_of_second_order():
    """Halving σ divides the residual of the first order, over σ², by 4 within 10 %."""

    def order(residual):
        return residual(0.04) / residual(0.02)

    circle, x = Circle(1.3, 0.8), 1.3 * np.array([[np.cos(0.9), np.sin(0.9)]])

    def of_circle(sigma):
        return np.linalg.norm((circle.denoise(x, sigma) - circle.project(x)) / sigma**2 - circle.correction(x))

    # the next order, from I₁/I₀(q) = 1 − 1/(2q) − 1/(8q²) at |a| = R²/σ² + κ cos t: tangential and radial part
    c, s = 0.8 * np.cos(0.9), 0.8 * np.sin(0.9)
    constant = np.hypot(s * (c + 0.5), -1 / 8 + c / 2 - s**2 / 2) / 1.3**3
    assert of_circle(0.02) / 0.02**2 == pytest.approx(constant, rel=1e-2)
    ellipse, t = Ellipse(1.5, 1.0), np.array([0.7, 2.0])
    residuals = [of_circle]
    for offset in (0.0, 0.2, -0.2):
        y = ellipse.point(t, offset)
        residuals.append(
            lambda sigma, y=y, offset=offset: np.abs(
                (ellipse.denoise(y, sigma) - ellipse.expansion(t, offset, sigma)) / sigma**2
            ).max()
        )
    y = np.array([[1.2, 0.1, 0.0, 0.0]])
    residuals.append(lambda sigma: np.abs(Sphere(3).denoise(y, sigma) - Sphere(3).expansion(y, sigma)).max() / sigma**2)
    for residual in residuals:
        assert order(residual) == pytest.approx(4, rel=0.1)


def test_bayes_risk_of_the_circle(rng):
    """The specification's values to 1e-3 of quadrature, and by Monte Carlo, four standard errors."""
    for sigma, value in ((0.05, 1.0013), (0.1, 1.0051), (0.2, 1.0225), (0.4, 1.1058)):
        assert Circle(1.0).risk(sigma) == pytest.approx(value, abs=1e-3)
    t = rng.uniform(0, 2 * np.pi, 100_000)
    x = np.stack([np.cos(t), np.sin(t)], 1)
    error = ((Circle(1.0).denoise(x + 0.2 * rng.standard_normal(x.shape), 0.2) - x) ** 2).sum(1) / 0.04
    assert error.mean() == pytest.approx(Circle(1.0).risk(0.2), abs=4 * error.std() / np.sqrt(100_000))
