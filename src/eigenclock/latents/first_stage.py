"""What the first stage of a latent model minimises: denoising score matching, or one of its rivals on the same networks."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from ..checks import choice, number_option
from .bottleneck import Autoencoder
from .model_config import Weighting

POWERS: dict[Weighting, int] = {"dae": 0, "eps": -2, "score": -4}
"""Power of σ that each weighting of the score matching loss leaves before |G(E(x)) − x₀|²."""


class FirstStage(ABC):
    """A loss of an autoencoder. Subclasses are frozen dataclasses."""

    noisy: bool = False
    """Whether the encoder is trained on noisy samples."""
    variational: bool = False
    """Whether the encoder gives means and log variances."""

    @abstractmethod
    def loss(self, network: Autoencoder, clean: Tensor, sigma: Tensor, noise: Tensor, fresh: torch.Generator) -> Tensor:
        """Mean over samples; `clean`, `noise` (n, D), `sigma` (n, 1), `fresh` a stream for what else is drawn."""


@dataclass(frozen=True)
class ScoreMatching(FirstStage):
    """E w(σ)|s(x_t) + z/σ|² with s = (G(E(x_t)) − x_t)/σ²: pointwise a denoising autoencoder, E w/σ⁴ |G(E(x₀ + σz)) − x₀|².

    No KL, sampled latent or adversary. `weighting`: "dae" w = σ⁴, "eps" w = σ², "score" w = 1.
    """

    weighting: Weighting = "dae"
    noisy = True

    def __post_init__(self) -> None:
        choice("weighting", self.weighting, tuple(POWERS))

    def loss(self, network: Autoencoder, clean: Tensor, sigma: Tensor, noise: Tensor, fresh: torch.Generator) -> Tensor:
        error = network.denoise(clean + sigma * noise) - clean
        return (sigma ** POWERS[self.weighting] * error.square()).sum() / len(clean)


@dataclass(frozen=True)
class Reconstruction(FirstStage):
    """A plain autoencoder: |G(E(x)) − x|²."""

    def loss(self, network: Autoencoder, clean: Tensor, sigma: Tensor, noise: Tensor, fresh: torch.Generator) -> Tensor:
        return (network.denoise(clean) - clean).square().sum() / len(clean)


@dataclass(frozen=True)
class Variational(FirstStage):
    """|G(z) − x|² + β·KL(q(z|x) ‖ N(0, 1)), z drawn from q (Kingma & Welling 2014; β-VAE)."""

    beta: float = 1e-2
    variational = True

    def __post_init__(self) -> None:
        number_option(self, "beta", at_least=0)

    def loss(self, network: Autoencoder, clean: Tensor, sigma: Tensor, noise: Tensor, fresh: torch.Generator) -> Tensor:
        mean, log_variance = network.encoder(clean).chunk(2, dim=1)
        drawn = torch.randn(mean.shape, generator=fresh, device=mean.device, dtype=mean.dtype)
        error = network.decoder(torch.addcmul(mean, (log_variance / 2).exp(), drawn)) - clean
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum() / 2
        return (error.square().sum() + self.beta * divergence) / len(clean)
