"""Tests of `eigenclock.recipe.samplers.stepping`."""

import numpy as np
import pytest
from support.samplers import trained_variance

import eigenclock as ec


@pytest.mark.parametrize(("sampler", "order"), [(ec.Euler, 1), (ec.Heun, 2)])
def test_steps_converge_to_the_flow_at_their_order(sampler, order):
    """With the final jump to zero noise made negligible, error falls as steps^−order."""
    variance = np.array([0.5, 2.0])
    exact = trained_variance(ec.ProbabilityFlow(0.05, 5.0), variance)
    errors = []
    for steps in (400, 800, 1600):
        chosen = sampler(steps=steps, sigma_min=0.05, sigma_max=5.0)
        final = (variance / (variance + 0.05**2)) ** 2  # the last step multiplies x by ψ(σ_min)
        errors.append(np.abs(trained_variance(chosen, variance) / final / exact - 1).max())
    assert abs(np.log2(errors[0] / errors[1]) - order) < 0.1
    assert abs(np.log2(errors[1] / errors[2]) - order) < 0.1


def test_noise_levels_of_edm():
    """Karras et al. (2022), Eq. 5, at its ends and in between."""
    levels = ec.Heun(steps=5, rho=7).levels
    root = levels ** (1 / 7)
    assert levels[0] == pytest.approx(80, rel=1e-14)
    assert levels[-1] == pytest.approx(0.002, rel=1e-12)
    assert np.allclose(np.diff(root), np.diff(root)[0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ec.ProbabilityFlow(2.0, 1.0),
            r"^sigma_min must be >= 0 and < sigma_max, got sigma_min=2, sigma_max=1$",
        ),
        (lambda: ec.Heun(sigma_min=3.0, sigma_max=3.0), r"^sigma_min must be >= 0 and < sigma_max"),
        (lambda: ec.Euler(sigma_min=0.0), r"^sigma_min must be a finite number > 0, got 0\.0$"),
        (lambda: ec.Euler(steps=1), r"^steps must be a whole number >= 2, got 1$"),
        (lambda: ec.Heun(rho=0.5), r"^rho must be a finite number >= 1, got 0\.5$"),
        (lambda: ec.ProbabilityFlow(nodes=1), r"^nodes must be a whole number >= 2, got 1$"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ec.InputError, match=message):
        make()
