"""Tests of `eigenclock_studies.score_latent_diffusion.metrics`."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock_studies.score_latent_diffusion import make_data
from eigenclock_studies.score_latent_diffusion.metrics import (
    jacobian_spectrum,
    jacobians,
    kernel_leakage,
    mode_divergence,
    score_dimension,
)


def test_metrics_of_known_maps(rng):
    """A projection: singular values 1 and 0, no leakage; the identity lets all normal noise through."""
    data = make_data("gauss", 200, 0, D=6, lam=(1.0, 0.5))
    basis = np.linalg.svd(data.x, full_matrices=False)[2][:2].T
    import torch

    matrix = torch.as_tensor(basis @ basis.T, dtype=torch.float32)
    jacobian = jacobians(lambda x: x @ matrix, data.x[:4])
    assert np.allclose(jacobian_spectrum(jacobian), [1, 1, 0, 0, 0, 0], atol=1e-6)
    tangent = np.repeat(basis[None], 4, axis=0)
    assert kernel_leakage(jacobian, tangent) == pytest.approx(0, abs=1e-10)
    assert kernel_leakage(np.repeat(np.eye(6)[None], 4, axis=0), tangent) == pytest.approx(4)
    score = lambda x: (x @ basis @ basis.T - x) / 0.01  # noqa: E731
    assert score_dimension(score, data.x[0], 0.1, rng) == 2


def test_mode_divergence(rng):
    data = make_data("wave2", 4000, 0, D=8)
    assert (data.modes_of(data.x) == data.mode).mean() > 0.95
    assert mode_divergence(data.x, data) < 0.01
    only = data.x[data.mode == 1]  # the rarest mode: KL → ln 20
    assert mode_divergence(only, data) == pytest.approx(np.log(20), abs=0.1)


def test_sliced_wasserstein(rng):
    """Of a shift it is the shift; of Gaussians of another width, √D·|s − 1| per direction."""
    x = rng.standard_normal((3000, 4))
    assert ec.divergences.sliced_wasserstein(x, x) == 0
    assert ec.divergences.sliced_wasserstein(x, x + 1.0, directions=5000) == pytest.approx(2, rel=0.02)
    assert ec.divergences.sliced_wasserstein(x, 3 * x) == pytest.approx(2 * np.sqrt(4), rel=0.05)
    with pytest.raises(
        ec.InputError, match=r"a and b must be samples \(n, D\) of one size, got \(3000, 4\) and \(2, 4\)"
    ):
        ec.divergences.sliced_wasserstein(x, x[:2])
