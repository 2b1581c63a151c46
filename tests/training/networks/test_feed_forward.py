"""Tests of `eigenclock.training.networks.feed_forward`."""

import torch

import eigenclock as ec


def test_feed_forward_starts_at_zero_and_is_affine_without_layers():
    x, sigma = torch.randn(6, 5), torch.full((6,), 0.7)
    assert (ec.FeedForward(16, 2).build((5,))(x, sigma) == 0).all()
    affine = ec.FeedForward(16, 0).build((5,), seed=1)
    torch.nn.init.normal_(affine.last.weight)
    f = affine(x, sigma)
    assert torch.allclose(affine((x[:3] + x[3:]) / 2, sigma[:3]), (f[:3] + f[3:]) / 2, atol=1e-5)
