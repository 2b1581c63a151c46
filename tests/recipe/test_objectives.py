"""Tests of `eigenclock.recipe.objectives`."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from recipes import OBJECTIVES

import eigenclock as ec

VARIANCE = np.concatenate([[0.0], np.logspace(-8, 4, 25)])
SIGMA = np.geomspace(0.002, 80, 40)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_optimal_denoiser_is_the_same_for_every_objective(objective):
    regression = objective.regression(VARIANCE, SIGMA)
    wiener = VARIANCE[:, None] / (VARIANCE[:, None] + SIGMA**2)
    assert np.abs(regression.denoiser_gain(regression.optimum) - wiener).max() <= 1e-12


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_moments_are_those_of_sampled_pairs(objective, rng):
    """T1's three moments against samples of input and target, within five standard errors."""
    variance, sigma, n = 0.7, np.array([0.4]), 400_000
    clean, noise = rng.standard_normal(n) * np.sqrt(variance), rng.standard_normal(n)
    row, regression = objective.row(sigma), objective.regression(np.array([variance]), sigma)
    x, y = row.a * clean + row.s * noise, row.c * clean + row.e * noise
    floor = regression.floor + regression.cross_moment**2 / regression.curvature  # rho
    for products, expected in ((x * x, regression.curvature), (x * y, regression.cross_moment), (y * y, floor)):
        assert abs(products.mean() - expected[0, 0]) < 5 * products.std() / np.sqrt(n) + 1e-12


@given(st.floats(1e-8, 1e4), st.floats(0.002, 80), st.floats(-3, 3))
def test_loss_is_the_quadratic_of_t1(variance, sigma, gain):
    for objective in OBJECTIVES:
        level = np.array([sigma])
        row, regression = objective.row(level), objective.regression(np.array([variance]), level)
        kappa = row.a**2 * variance + row.s**2
        chi = row.a * row.c * variance + row.s * row.e
        rho = row.c**2 * variance + row.e**2
        scale = kappa * gain**2 + 2 * abs(chi * gain) + rho
        expected = objective.loss_weight(level) * (kappa * gain**2 - 2 * chi * gain + rho)
        got = regression.loss(np.full((1, 1), gain))
        assert abs(got - expected) <= 1e-12 * scale * objective.loss_weight(level)
        assert got >= 0


def test_edm_weight_gives_the_network_unit_weight():
    """Karras et al.: loss weight times c_out² is one; so EDM equals x₀-denoising of weight "edm" in the denoiser's loss."""
    preconditioned, plain = ec.EDM(), ec.Denoising(weight="edm")
    gain = np.full((VARIANCE.size, SIGMA.size), 0.3)
    one, two = preconditioned.regression(VARIANCE, SIGMA), plain.regression(VARIANCE, SIGMA)
    network = (gain - one.gain_offset) / one.gain_slope
    assert np.allclose(one.loss(network), two.loss(gain), rtol=1e-9)


def test_density_integrates_to_one():
    log_sigma = np.linspace(-12, 10, 4001)
    assert abs(np.trapezoid(ec.LogNormal(-1.2, 1.2)(np.exp(log_sigma)), log_sigma) - 1) < 1e-12


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ec.EDM(sigma_data=0), "sigma_data must be a finite number > 0, got 0"),
        (lambda: ec.LogNormal(0.0, -1.0), "density.std must be a finite number > 0, got -1.0"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ec.InputError, match=f"^{message}$"):
        make()
