"""Tests of `eigenclock.recipe.architectures.deep`."""

import numpy as np

import eigenclock as ec

VARIANCE = np.array([0.0, 1e-3, 0.4, 20.0])
SIGMA = np.array([0.05, 0.6, 5.0])
LR = 0.02


def test_balanced_depths_agree_with_one_layer_and_with_tied_layers():
    regression, time = ec.EDM().regression(VARIANCE, SIGMA), np.array([0.0, 0.3, 5.0, 100.0, np.inf])
    flow = ec.GradientFlow(LR)
    one = ec.OneLayer(0.2).network_gain(regression, flow, time)
    assert np.allclose(ec.DeepLinear(1, 0.2).network_gain(regression, flow, time), one, rtol=1e-12, atol=1e-15)
    assert np.allclose(ec.Residual(1, -0.8).network_gain(regression, flow, time), one, rtol=1e-12, atol=1e-14)
    tied = ec.TiedTwoLayer(0.2).network_gain(regression, ec.GradientFlow(LR / 2), time)
    for network in (ec.DeepLinear(2, 0.2), ec.TwoLayer((np.sqrt(0.2), np.sqrt(0.2)))):
        assert np.allclose(network.network_gain(regression, flow, time), tied, rtol=1e-9, atol=1e-12)
    deep = ec.DeepLinear(3, (1.1, 1.1, 1.1)).network_gain(regression, flow, time)
    assert np.allclose(ec.Residual(3, 0.1).network_gain(regression, flow, time), deep, rtol=1e-12, atol=1e-14)


def test_deeper_networks_wait_longer_at_a_small_start():
    """The plateau: time to half of the optimum grows with depth when all start at the same small gain."""
    regression = ec.Denoising().regression(np.array([1.0]), np.array([0.1]))
    times = [float(ec.DeepLinear(depth, 1e-4).time_to(0.5, regression, 1.0)[0, 0]) for depth in (2, 3, 4, 6)]
    assert (np.diff(times) > 0).all()
