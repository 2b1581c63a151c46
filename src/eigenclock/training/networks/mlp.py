"""The chain of residual linear layers that Wang & Pehlevan trained: the network whose clocks the theory is about."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import silu


class Block(nn.Module):
    """skip(x) + Linear(SiLU(LayerNorm(Linear(SiLU(LayerNorm(x))))·(1 + scale) + shift)), scale and shift by the noise level.

    The skip is the identity where the widths agree, else a linear layer of its own, so that a linear path leads from the
    network's input to its output.
    """

    def __init__(self, inputs: int, width: int, features: int) -> None:
        super().__init__()
        self.norm, self.first = nn.LayerNorm(inputs), nn.Linear(inputs, width)
        self.affine = nn.Linear(features, 2 * width)
        self.middle, self.second = nn.LayerNorm(width), nn.Linear(width, width)
        self.skip = nn.Identity() if inputs == width else nn.Linear(inputs, width)

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        hidden = self.middle(self.first(silu(self.norm(x))))
        scale, shift = self.affine(features).chunk(2, dim=1)
        return self.skip(x) + self.second(silu(torch.addcmul(shift, hidden, scale + 1)))


class ResidualChain(nn.Module):
    """Blocks in a chain, at least one, then one bare linear layer; samples of any shape are flattened.

    Every layer has PyTorch's default start. The noise level enters as sines and cosines of fixed normal frequencies times
    2π·ln(σ)/4, straight into every block.
    """

    frequency: Tensor

    def __init__(self, shape: tuple[int, ...], *, width: int, layers: int, frequencies: int, zero_output: bool) -> None:
        super().__init__()
        d = math.prod(shape)
        self.register_buffer("frequency", torch.randn(frequencies))
        self.blocks = nn.ModuleList(Block(width if i else d, width, 2 * frequencies) for i in range(max(1, layers - 1)))
        self.outside = nn.Linear(width, d)
        if zero_output:
            nn.init.zeros_(self.outside.weight)
            nn.init.zeros_(self.outside.bias)

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        phase = (2 * torch.pi / 4) * sigma.log()[:, None] * self.frequency
        features, hidden = torch.cat([phase.sin(), phase.cos()], dim=1), x.flatten(1)
        for block in self.blocks:
            hidden = block(hidden, features)
        return self.outside(hidden).reshape(x.shape)
