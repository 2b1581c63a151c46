"""An embedding of the noise level: random Fourier features of ln σ, then a small network (Song et al. 2021)."""

import torch
from torch import Tensor, nn

FOURIER_SCALE = 16.0
"""Spread of the random frequencies, as in EDM: noise levels a tenth of an e-fold apart look different to the network."""


class NoiseEmbedding(nn.Module):
    """(n,) noise levels σ → (n, width): cos and sin of fixed random frequencies times ln(σ)/4, two linear layers with SiLU."""

    frequency: Tensor

    def __init__(self, features: int, width: int, *, scale: float = FOURIER_SCALE) -> None:
        super().__init__()
        self.register_buffer("frequency", torch.randn(features // 2) * scale)
        self.layers = nn.Sequential(nn.Linear(features // 2 * 2, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())

    def forward(self, sigma: Tensor) -> Tensor:
        phase = (2 * torch.pi / 4) * sigma.log()[:, None] * self.frequency
        return self.layers(torch.cat([phase.cos(), phase.sin()], dim=1))
