"""Tests of `eigenclock_studies.score_latent_diffusion.part_heads`."""

import numpy as np

from eigenclock_studies.score_latent_diffusion.part_heads import Mixture


def test_mixture_of_known_score(rng):
    """The exact denoiser against its definition by Monte Carlo; modes in their true shares have no divergence."""
    mixture = Mixture()
    draws = mixture.draw(200_000, rng)
    assert np.allclose(draws.mean(0), 0, atol=0.01)
    assert np.allclose(draws.std(0), 1, atol=0.01)
    assert mixture.mode_divergence(draws) < 1e-3
    x = np.array([[0.3, -0.4]])
    weight = np.exp(-((x - draws) ** 2).sum(1) / (2 * 0.25))
    assert np.allclose(mixture.denoise(x, 0.5)[0], weight @ draws / weight.sum(), atol=0.01)
