"""Tests of `eigenclock.training.losses`."""

import numpy as np
import pytest
import torch
from recipes import OBJECTIVES

from eigenclock.training.losses import NetworkDenoiser, loss

VARIANCE = np.array([4.0, 0.25, 1e-2, 1e-4])


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_optimal_network_gives_the_optimal_denoiser_and_the_least_loss(objective):
    """A network with gain f* = χ/κ: its denoiser has gain λ/(λ+σ²), its expected loss is the theory's floor."""

    def network(x, sigma):
        regression = objective.regression(VARIANCE, sigma.double().numpy())
        return x * torch.tensor(regression.optimum.T, dtype=x.dtype)

    levels = np.array([0.05, 0.5, 3.0])
    denoiser = NetworkDenoiser(network, objective)
    for sigma in levels:
        out = denoiser(torch.ones(2, 4, dtype=torch.float64), torch.tensor(sigma))
        np.testing.assert_allclose(out[0].numpy(), VARIANCE / (VARIANCE + sigma**2), rtol=1e-10)  # 1 − σf loses digits
    mixed = denoiser(torch.ones(3, 4, dtype=torch.float64), torch.tensor(levels))
    np.testing.assert_allclose(mixed.numpy(), VARIANCE / (VARIANCE + levels[:, None] ** 2), rtol=1e-10)

    # all sign pairs: second moments exact, so the loss is exact too
    signs = torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]], dtype=torch.float64)
    clean = signs[:, :1] * torch.tensor(np.sqrt(VARIANCE))
    noise = signs[:, 1:] * torch.ones(4, dtype=torch.float64)
    for sigma in levels:
        value = loss(network, objective, clean, torch.full((4,), sigma, dtype=torch.float64), noise)
        regression = objective.regression(VARIANCE, np.array([sigma]))
        floor = regression.loss(regression.optimum)[:, 0].sum()
        np.testing.assert_allclose(value.item(), floor, rtol=1e-10)
