"""Tests of `eigenclock.latents.first_stage`."""

import pytest
import torch

from eigenclock.latents.bottleneck import mlp_autoencoder
from eigenclock.latents.first_stage import Reconstruction, ScoreMatching, Variational


@pytest.mark.parametrize("alpha", [1.0, 0.7])
def test_score_matching_is_a_denoising_autoencoder(alpha, rng):
    """Pointwise in float64, 1e-10: |s + z/σ|² = (α/σ²)²|G(E(x_t)) − x₀|², and the mean weighted as the loss says."""
    network = mlp_autoencoder(9, 16, 2, variational=False).double()
    sigma = torch.as_tensor(rng.uniform(0.1, 1.0, (50, 1)))
    x0, z = (torch.as_tensor(rng.standard_normal((50, 9))) for _ in range(2))
    noisy = alpha * x0 + sigma * z
    with torch.no_grad():
        restored = network.denoise(noisy)
        score = (alpha * restored - noisy) / sigma**2
        assert torch.allclose(score + z / sigma, alpha / sigma**2 * (restored - x0), atol=1e-10)
        if alpha == 1:
            for weighting, power in (("dae", 4), ("eps", 2), ("score", 0)):
                wanted = (sigma**power * (score + z / sigma) ** 2).sum() / 50
                found = ScoreMatching(weighting).loss(network, x0, sigma, z, torch.Generator())
                assert float(found) == pytest.approx(float(wanted), rel=1e-10)


def test_rivals_of_score_matching(rng):
    """Each against its definition, written out for samples one by one."""
    network = mlp_autoencoder(6, 8, 2, variational=True).double()
    x = torch.as_tensor(rng.standard_normal((5, 6)))
    with torch.no_grad():
        mean, log_variance = network.encoder(x).chunk(2, dim=1)
        found = Variational(0.3).loss(network, x, x, x, torch.Generator().manual_seed(0))
        z = mean + (log_variance / 2).exp() * torch.randn(
            mean.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype
        )
        gaussian = torch.distributions.Normal(mean, (log_variance / 2).exp())
        kl = torch.distributions.kl_divergence(gaussian, torch.distributions.Normal(0.0, 1.0)).sum()
        assert float(found) == pytest.approx(float(((network.decoder(z) - x) ** 2).sum() + 0.3 * kl) / 5, rel=1e-12)
        plain = mlp_autoencoder(6, 8, 2, variational=False).double()
        error = float(((plain.denoise(x) - x) ** 2).sum() / 5)
        assert float(Reconstruction().loss(plain, x, x, x, torch.Generator())) == pytest.approx(error)
