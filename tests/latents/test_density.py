"""Tests of `eigenclock.latents.density`."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.small_latents import SMALL

import eigenclock as ec
from eigenclock.latents.density import LatentDensity, sampler_of
from eigenclock.latents.gaussian_head import GaussianHead
from eigenclock.training.losses import NetworkDenoiser, loss


def test_gaussian_latents_are_sampled_exactly():
    """Mean and covariance within four standard errors, of both samplers."""
    for sampler in ("heun", "sde"):
        config = replace(SMALL, sampler=sampler, gaussian_head_above=1e-3)
        density = LatentDensity(config, 2)
        covariance = np.array([[1.0, 0.6], [0.6, 1.0]])
        density.gaussian = GaussianHead(torch.zeros(2), torch.as_tensor(covariance, dtype=torch.float32))
        z = density.sample(20_000, 0).double().numpy()
        assert np.abs(z.mean(0)).max() < 4 / np.sqrt(20_000)
        bias = 0.07 if sampler == "heun" else 0.05  # of 30 Heun steps (tests/recipe/samplers), of 200 Euler steps
        assert np.abs(np.cov(z.T) - covariance).max() < 4 * np.sqrt(2 / 20_000) + bias


def test_second_stage_is_edm_and_starts_as_a_gaussian(rng):
    """The loss of F is (1 + τ²)/τ² of the denoising loss, 1e-6; step 0 is the Gaussian of unit variance."""
    density = LatentDensity(SMALL, 3)
    x, tau, z = (
        torch.as_tensor(rng.standard_normal((8, 3))),
        torch.full((8,), 0.6, dtype=torch.float64),
        torch.zeros(8, 3).double(),
    )
    z = torch.as_tensor(rng.standard_normal((8, 3)))
    network, objective = density.network.double(), ec.EDM(sigma_data=1.0)
    torch.nn.init.normal_(network.last.weight)
    denoiser = NetworkDenoiser(network, objective)
    with torch.no_grad():
        found = float(loss(network, objective, x, tau, z))
        wanted = (1 + 0.36) / 0.36 * float((denoiser(x + 0.6 * z, 0.6) - x).square().sum()) / 8
        assert found == pytest.approx(wanted, rel=1e-6)
        torch.nn.init.zeros_(network.last.weight)
        assert torch.allclose(denoiser(x, 0.6), x / 1.36, atol=1e-12)


def test_sampler_of_a_config():
    assert sampler_of(SMALL).sigma_min == 0.02
    assert isinstance(sampler_of(replace(SMALL, sampler="sde")), ec.EulerMaruyama)
