"""A small diffusion transformer with adaLN-zero blocks (Peebles & Xie 2023)."""

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from .embedding import NoiseEmbedding


def _zero(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Block(nn.Module):
    """Attention, then an MLP, each scaled, shifted and gated by the noise level; the gates start at zero."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width, elementwise_affine=False) for _ in range(2))
        self.inside, self.outside = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width))
        self.modulation = _zero(nn.Linear(width, 6 * width))

    def _attend(self, x: Tensor) -> Tensor:
        n, tokens, width = x.shape
        parts = self.inside(x).reshape(n, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = scaled_dot_product_attention(parts[0], parts[1], parts[2])
        return self.outside(mixed.transpose(1, 2).reshape(n, tokens, width))

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        shift, scale, gate, shift_, scale_, gate_ = self.modulation(embedding)[:, None].chunk(6, dim=2)
        x = x + gate * self._attend(torch.addcmul(shift, self.norms[0](x), 1 + scale))
        return x + gate_ * self.mlp(torch.addcmul(shift_, self.norms[1](x), 1 + scale_))


class DiffusionTransformer(nn.Module):
    """Patches → tokens with learned positions → blocks → patches; the last layer starts at zero."""

    def __init__(
        self, image: tuple[int, int, int], *, patch: int, width: int, blocks: int, heads: int, embedding: int
    ) -> None:
        super().__init__()
        (h, w, c), p = image, patch
        self.image, self.patch = image, p
        self.embedding = NoiseEmbedding(embedding, width)
        self.inside = nn.Linear(p * p * c, width)
        self.position = nn.Parameter(0.02 * torch.randn(1, (h // p) * (w // p), width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = _zero(nn.Linear(width, 2 * width))
        self.outside = _zero(nn.Linear(width, p * p * c))

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        (h, w, c), p, n = self.image, self.patch, len(x)
        rows, columns = h // p, w // p
        tokens = x.reshape(n, rows, p, columns, p, c).transpose(2, 3).reshape(n, rows * columns, p * p * c)
        hidden, embedding = self.inside(tokens) + self.position, self.embedding(sigma)
        for block in self.blocks:
            hidden = block(hidden, embedding)
        shift, scale = self.modulation(embedding)[:, None].chunk(2, dim=2)
        patches = self.outside(torch.addcmul(shift, self.norm(hidden), 1 + scale))
        return patches.reshape(n, rows, columns, p, p, c).transpose(2, 3).reshape(x.shape)
