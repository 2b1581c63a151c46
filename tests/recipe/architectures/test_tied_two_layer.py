"""Tests of `eigenclock.recipe.architectures.tied_two_layer`."""

import numpy as np
import pytest

import eigenclock as ec

VARIANCE = np.array([0.0, 1e-3, 0.4, 20.0])
SIGMA = np.array([0.05, 0.6, 5.0])


def test_zero_start_of_tied_layers_is_a_fixed_point():
    regression = ec.Denoising().regression(VARIANCE, SIGMA)
    for optimizer in (ec.GradientFlow(0.01), ec.GradientDescent(1e-3)):
        assert (ec.TiedTwoLayer(0.0).network_gain(regression, optimizer, np.array([0.0, 5.0, np.inf])) == 0).all()


def test_stepwise_tied_layers_approach_gradient_flow_at_first_order():
    regression = ec.Denoising().regression(np.array([1.0]), np.array([0.5]))
    exact = ec.TiedTwoLayer(0.1).network_gain(regression, ec.GradientFlow(0.01), np.array([50.0]))
    errors = []
    for refinement in (1, 2, 4):
        stepped = ec.TiedTwoLayer(0.1).network_gain(
            regression, ec.GradientDescent(0.01 / refinement), np.array([50.0 * refinement])
        )
        errors.append(abs(float((stepped - exact)[0, 0, 0])))
    assert 0.9 < np.log2(errors[0] / errors[1]) < 1.1
    assert 0.9 < np.log2(errors[1] / errors[2]) < 1.1


def test_divergence_of_tied_layers_names_modes():
    regression = ec.Denoising().regression(np.array([5.0, 1.0]), np.array([0.5]))
    with pytest.raises(ec.InputError, match=r"^lr must be < 0\.04998 .* diverges on 1 of 2 modes \(0\)"):
        ec.TiedTwoLayer(0.1).network_gain(regression, ec.GradientDescent(0.1), np.array([1.0]))
    with pytest.raises(
        ec.InputError, match=r"^lr must be smaller for this start, got 0\.04: descent from init=50 diverges"
    ):
        ec.TiedTwoLayer(50.0).network_gain(regression, ec.GradientDescent(0.04), np.array([100.0]))


def test_negative_start_of_tied_layers_is_refused():
    with pytest.raises(ec.InputError, match=r"^init must be a finite number >= 0, got -0\.1$"):
        ec.TiedTwoLayer(-0.1)
