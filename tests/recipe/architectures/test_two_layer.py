"""Tests of `eigenclock.recipe.architectures.two_layer`."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import eigenclock as ec


@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(1e-6, 1e3), st.floats(0.01, 50), st.floats(-3, 4))
def test_two_layers_in_closed_form_equal_the_integral(p, q, variance, sigma, log_time):
    """Two routes that share nothing but the conserved quantity: a Riccati equation, and quadrature inverted."""
    if min(abs(p), abs(q)) < 1e-3:
        return
    for objective in (ec.Denoising(), ec.EDM(), ec.Epsilon()):
        regression = objective.regression(np.array([variance]), np.array([sigma]))
        time, flow = np.array([0.0, 10**log_time, np.inf]), ec.GradientFlow(0.1)
        one = ec.TwoLayer((p, q)).network_gain(regression, flow, time)
        two = ec.DeepLinear(2, (p, q)).network_gain(regression, flow, time)
        assert np.abs(one - two).max() <= 1e-10 * (1 + max(p * p, q * q))


WIDE = ec.Denoising().regression(np.geomspace(1e-3, 10, 20), np.geomspace(0.002, 80, 20))


@pytest.mark.parametrize("init", [(1e8, 1e-8), (1e4, -1e-6), (100.0, 0.0), (0.3, 0.29999), (1e-9, -0.5), (1e20, 1e-20)])
def test_unbalanced_starts_keep_their_digits(init):
    """p² − q² is then far larger than pq: differences of squares would have lost it."""
    time = np.array([0.0, 1e-3, 1.0, 1e4, np.inf])
    one = ec.TwoLayer(init).network_gain(WIDE, ec.GradientFlow(), time)
    two = ec.DeepLinear(2, init).network_gain(WIDE, ec.GradientFlow(), time)
    assert np.abs(one - two).max() < 1e-11
    assert np.allclose(one[0], init[0] * init[1], rtol=1e-12)
    assert np.allclose(one[-1], WIDE.optimum, rtol=1e-12)


def test_time_to_level_without_a_target_is_algebraic():
    """χ = 0: u' = −4·lr·κ·u², so 1/u grows linearly."""
    regression = ec.Denoising().regression(np.array([0.0]), np.array([1.0]))
    for network in (ec.TwoLayer((0.3, 0.3)), ec.DeepLinear(2, 0.09)):
        assert network.time_to(0.05, regression, 1.0)[0, 0] == pytest.approx((1 / 0.05 - 1 / 0.09) / 4, rel=1e-9)
    one = ec.Denoising().regression(np.array([1.0]), np.array([1.0]))
    assert ec.DeepLinear(1, 0.0).time_to(0.3, one, 1.0)[0, 0] == pytest.approx(np.log(0.5 / 0.2) / 4, rel=1e-12)
