"""Tests of `eigenclock.latents.prior`."""

import numpy as np
import pytest
import torch

import eigenclock as ec
from eigenclock.latents.prior import OrientedGradients, fit_prior, taught
from eigenclock_studies.prior_aligned_latents.networks import as_tensor


def test_prior_is_a_truncated_svd(rng):
    tokens = rng.standard_normal((50, 6, 2, 3)) * np.arange(1, 7)[:, None, None] + 5
    prior = fit_prior(tokens, 2)
    flat = tokens.transpose(0, 2, 3, 1).reshape(-1, 6)
    _, s, vt = np.linalg.svd(flat - flat.mean(0), full_matrices=False)
    wanted = (flat - flat.mean(0)) @ vt[:2].T
    wanted /= np.sqrt((wanted**2).mean(1, keepdims=True) + 1e-6)
    found = prior(tokens).transpose(0, 2, 3, 1).reshape(-1, 2)
    assert np.allclose(np.abs(found), np.abs(wanted), atol=1e-8)
    assert prior.explained == pytest.approx((s[:2] ** 2).sum() / (s**2).sum(), rel=1e-10)
    assert np.allclose((prior(tokens) ** 2).mean(1), 1, atol=1e-4)
    smooth = fit_prior(tokens, 2, blur=5.0)(tokens)
    assert smooth.std(axis=(2, 3)).mean() < 0.5 * prior(tokens).std(axis=(2, 3)).mean()
    with pytest.raises(ec.InputError, match="d must be <= 6, the teacher's channels, got 7"):
        fit_prior(tokens, 7)


def test_training_free_teacher(images):
    """A token per cell; a gradient in one direction fills one bin; the wrong grid, shape or NaN is refused by name."""
    x = as_tensor(images.images)
    found = OrientedGradients()(x)
    assert found.shape == (96, 19, 4, 4)
    ramp = torch.arange(16.0).expand(1, 3, 16, 16) / 16
    edges = OrientedGradients()(ramp)[0, :8, 1, 1]
    assert int(edges.argmax()) == 0
    turned_ramp = OrientedGradients()(ramp.transpose(2, 3))[0, :8, 1, 1]
    assert int(turned_ramp.argmax()) == 4
    for bad, message in (
        (lambda x: torch.zeros(len(x), 5, 3, 3), r"teacher must return 4×4 tokens, got 3×3"),
        (lambda x: torch.zeros(len(x), 5), r"teacher must return features \(96, C, h, w\), got \(96, 5\)"),
        (lambda x: torch.full((len(x), 5, 4, 4), torch.nan), r"teacher must return finite features"),
    ):
        with pytest.raises(ec.InputError, match=message):
            taught(bad, x, (4, 4))
