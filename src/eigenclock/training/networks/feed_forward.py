"""A plain feed-forward network beside fixed Fourier features of the noise level."""

import itertools
import math

import torch
from torch import Tensor, nn

SPREAD = 2.0
"""Standard deviation of the fixed frequencies."""


class FeedForwardNetwork(nn.Module):
    """(x, σ) → like x: linear layers on [x, sin, cos of frequencies·ln(σ)/4]; He start, last layer zero."""

    frequency: Tensor

    def __init__(self, shape: tuple[int, ...], *, width: int, layers: int, frequencies: int, activation: str) -> None:
        super().__init__()
        d = math.prod(shape)
        self.register_buffer("frequency", torch.randn(frequencies) * SPREAD)
        sizes = [d + 2 * frequencies, *[width] * layers]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.activation = {"relu": nn.ReLU, "silu": nn.SiLU}[activation]()
        self.last = nn.Linear(sizes[-1], d)
        for name, weight in self.layers.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(weight)
            else:
                nn.init.kaiming_normal_(weight, nonlinearity="relu")
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        phase = (sigma.log() / 4)[:, None] * self.frequency
        hidden = torch.cat([x.flatten(1), phase.sin(), phase.cos()], dim=1)
        for layer in self.layers:
            hidden = self.activation(layer(hidden))
        return self.last(hidden).reshape(x.shape)
