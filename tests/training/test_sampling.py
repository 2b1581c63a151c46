"""Tests of `eigenclock.training.sampling`."""

import numpy as np
import pytest
import torch

import eigenclock as ec

VARIANCE = np.array([4.0, 0.25, 1e-2, 1e-4])
SAMPLERS = [ec.Heun(steps=20), ec.Heun(steps=40, rho=5.0), ec.Euler(steps=18), ec.ProbabilityFlow()]


def optimal(x, sigma):
    """The best denoiser of Gaussian modes."""
    variance = torch.tensor(VARIANCE, dtype=x.dtype)
    return x * variance / (variance + sigma**2)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_sampler_multiplies_modes_as_theory_says(sampler):
    """x₀/noise of every mode is the root of the theory's variance, with the optimal denoiser."""
    noise = torch.ones(3, 4, dtype=torch.float64)
    out = ec.sample(optimal, sampler, noise)
    expected = ec.predict(ec.Spectrum(VARIANCE), sampler=sampler, time=[np.inf]).variance.values[0]
    # required 1e-5 of discrete samplers: the same product in 64 bits; 40 Runge–Kutta steps stand for the flow, to 1e-4
    tolerance = 5e-5 if isinstance(sampler, ec.ProbabilityFlow) else 1e-11
    np.testing.assert_allclose(out[0].numpy() ** 2, expected, rtol=2 * tolerance)


@pytest.mark.parametrize("sampler", [ec.Stochastic(steps=20), ec.EulerMaruyama(steps=20)], ids=str)
def test_stochastic_samplers_have_the_variance_of_theory(sampler):
    n = 20_000
    noise = torch.randn(n, 4, generator=torch.Generator().manual_seed(0))
    out = ec.sample(optimal, sampler, noise, generator=torch.Generator().manual_seed(1))
    expected = ec.predict(ec.Spectrum(VARIANCE), sampler=sampler, time=[np.inf]).variance.values[0]
    # four standard errors of a variance of n Gaussian samples
    np.testing.assert_allclose(out.double().var(dim=0).numpy(), expected, rtol=4 * np.sqrt(2 / n))


@pytest.mark.parametrize("sampler", [*SAMPLERS, ec.Stochastic(steps=7), ec.EulerMaruyama(steps=9)], ids=str)
def test_evaluations_are_counted(sampler):
    """A probe's budget stands on this number."""
    calls = []
    ec.sample(lambda x, sigma: calls.append(sigma) or optimal(x, sigma), sampler, torch.ones(2, 4))
    assert len(calls) == sampler.evaluations


def test_chunks_are_the_whole():
    noise = torch.randn(10, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ec.sample(optimal, ec.Heun(), noise, chunk=3), ec.sample(optimal, ec.Heun(), noise))


def test_unbounded_flow_is_refused():
    with pytest.raises(ec.InputError, match="sigma_min must be > 0 and sigma_max finite to sample a network"):
        ec.sample(optimal, ec.ProbabilityFlow(sigma_min=0.0), torch.ones(1, 4))
