"""An MLP in the way of U-Nets: residual linear layers joined across, and a norm before the output."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, silu

from .embedding import NoiseEmbedding


class Block(nn.Module):
    """x + Linear(SiLU(scale·LayerNorm(Linear(SiLU(LayerNorm(x)))) + shift)); scale and shift come from the noise level.

    The second linear layer starts at zero, so that a new block is its skip connection.
    """

    def __init__(self, inputs: int, width: int, embedding: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(inputs)
        self.first = nn.Linear(inputs, width)
        self.affine = nn.Linear(embedding, 2 * width)
        self.second = nn.Linear(width, width)
        self.skip = nn.Identity() if inputs == width else nn.Linear(inputs, width)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        hidden = self.first(silu(self.norm(x)))
        scale, shift = self.affine(embedding).chunk(2, dim=1)
        hidden = torch.addcmul(shift, layer_norm(hidden, hidden.shape[1:]), scale + 1)
        return self.skip(x) + self.second(silu(hidden))


class UNetMLP(nn.Module):
    """Blocks down, blocks up, each upper one given the output of its counterpart (the U); samples of any shape are flattened."""

    def __init__(self, shape: tuple[int, ...], *, width: int, blocks: int, embedding: int) -> None:
        super().__init__()
        d = math.prod(shape)
        self.embedding = NoiseEmbedding(embedding, width)
        self.inside = nn.Linear(d, width)
        upper = blocks // 2
        self.down = nn.ModuleList(Block(width, width, width) for _ in range(blocks - upper))
        self.up = nn.ModuleList(Block(2 * width, width, width) for _ in range(upper))
        self.norm = nn.LayerNorm(width)
        self.outside = nn.Linear(width, d)

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        embedding, passed = self.embedding(sigma), []
        hidden = self.inside(x.flatten(1))
        for block in self.down:
            hidden = block(hidden, embedding)
            passed.append(hidden)
        passed.pop()  # the lowest output is where the way up starts
        for block in self.up:
            other = passed.pop() if passed else hidden
            hidden = block(torch.cat([hidden, other], dim=1), embedding)
        return self.outside(silu(self.norm(hidden))).reshape(x.shape)
