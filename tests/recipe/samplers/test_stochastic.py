"""Tests of `eigenclock.recipe.samplers.stochastic`."""

import numpy as np
from support.samplers import trained_variance

import eigenclock as ec


def test_churn_of_zero_is_heun_and_many_steps_approach_the_flow():
    variance = np.array([0.5, 2.0])
    assert np.allclose(
        trained_variance(ec.Stochastic(20, churn=0.0), variance), trained_variance(ec.Heun(20), variance), rtol=1e-14
    )
    errors = []
    for steps in (500, 1000, 2000):
        chosen = ec.EulerMaruyama(steps=steps, sigma_min=0.05, sigma_max=5.0)
        # the reverse diffusion from N(0, σ_max²): v = λ²/(λ+σ²)·(...) solved exactly for the optimal denoiser
        start, end = 25.0, 0.05**2
        shrink = (variance + end) / (variance + start)
        exact = shrink**2 * start + (variance + end) * (1 - shrink)
        final = (variance / (variance + end)) ** 2
        errors.append(np.abs(trained_variance(chosen, variance) / (final * exact) - 1).max())
    assert abs(np.log2(errors[0] / errors[1]) - 1) < 0.1
    assert abs(np.log2(errors[1] / errors[2]) - 1) < 0.1
