"""Tests of `eigenclock.latents.heads`."""

import numpy as np
import pytest
import torch

from eigenclock.latents.heads import RIDGE, GaussianHead, RidgeHead, WithGaussian


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


def test_ridge_flow_against_explicit_descent(rng):
    """A(t) against small steps, first order in them; A of descent against descent, to rounding; A(∞) is the ridge solution."""
    z = rng.standard_normal((200, 2))
    head = RidgeHead.fit(z, np.array([0.5]), seed=0, p=24)
    level = head.nearest(0.5)
    flow = level.flow
    moment = flow.vectors @ np.diag(flow.values) @ flow.vectors.T + RIDGE * np.eye(24)
    assert np.allclose(moment @ level.solution, flow.target, atol=1e-10)
    errors = []
    for steps in (1000, 2000):
        weights = np.zeros_like(flow.target)
        for _ in range(steps):
            weights = weights - 50 / steps * (moment @ weights - flow.target)
        assert np.allclose(weights, flow.descended(steps, 50 / steps), atol=1e-10)
        errors.append(np.abs(weights - flow.weights(50.0)).max())
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)
    assert errors[1] < 1e-2 * np.abs(flow.target).max() * 50
    x = torch.as_tensor(rng.standard_normal((4, 2)))
    assert torch.allclose(head(x, torch.tensor(0.5)), x + 0.25 * torch.as_tensor(level.score(x.numpy())))
    late = head.at(1e12)(x, torch.tensor(0.5))
    assert torch.allclose(late, head(x, torch.tensor(0.5)), atol=1e-6)


def test_a_gaussian_stands_in_outside_the_trained_band():
    """Both below and above it, so that bands of training can be compared by one sampler."""
    head = GaussianHead(torch.zeros(1), torch.ones(1, 1))
    band = WithGaussian(lambda x, tau: 0 * x, head, 0.2, 0.02)
    x = torch.ones(4, 1)
    found = band(x, torch.tensor([0.01, 0.05, 0.1, 0.5]))
    assert found[1:3].abs().max() == 0
    assert float(found[0]) == pytest.approx(1 / 1.0001)
    assert float(found[3]) == pytest.approx(0.8)
