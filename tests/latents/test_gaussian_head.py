"""Tests of `eigenclock.latents.gaussian_head`."""

import numpy as np
import pytest
import torch

from eigenclock.latents.gaussian_head import GaussianHead, WithGaussian


def test_gaussian_head_is_the_exact_score(rng):
    a = rng.standard_normal((3, 3))
    covariance, mean, tau = a @ a.T, rng.standard_normal(3), 0.7
    head = GaussianHead(torch.as_tensor(mean), torch.as_tensor(covariance))
    x = rng.standard_normal((5, 3))
    found = (head(torch.as_tensor(x), tau).numpy() - x) / tau**2
    assert np.allclose(found, -np.linalg.solve(covariance + tau**2 * np.eye(3), (x - mean).T).T, atol=1e-12)
    split = WithGaussian(lambda x, tau: x, head, 3.0)
    mixed = split(torch.as_tensor(x), torch.as_tensor([1.0, 4, 1, 4, 1]))
    assert torch.equal(mixed[0], torch.as_tensor(x[0]))
    assert torch.allclose(mixed[1], head(torch.as_tensor(x[1:2]), 4.0)[0])


def test_a_gaussian_stands_in_outside_the_trained_band():
    """Both below and above it, so that bands of training can be compared by one sampler."""
    head = GaussianHead(torch.zeros(1), torch.ones(1, 1))
    band = WithGaussian(lambda x, tau: 0 * x, head, 0.2, 0.02)
    x = torch.ones(4, 1)
    found = band(x, torch.tensor([0.01, 0.05, 0.1, 0.5]))
    assert found[1:3].abs().max() == 0
    assert float(found[0]) == pytest.approx(1 / 1.0001)
    assert float(found[3]) == pytest.approx(0.8)
