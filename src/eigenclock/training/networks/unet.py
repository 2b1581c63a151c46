"""Convolutional networks in the style of EDM (Karras et al. 2022; Song et al. 2021): with and without resampling."""

from abc import ABC, abstractmethod
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, scaled_dot_product_attention, silu

from .embedding import NoiseEmbedding

GROUP = 8
"""Channels per group of a group normalisation, at most; at most 32 groups."""


def _norm(channels: int) -> nn.GroupNorm:
    groups = min(32, max(1, channels // GROUP))
    while channels % groups:
        groups -= 1
    return nn.GroupNorm(groups, channels)


def _convolution(inputs: int, outputs: int, kernel: int, *, zero: bool = False) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
    if zero:
        nn.init.zeros_(layer.weight)
        assert layer.bias is not None
        nn.init.zeros_(layer.bias)
    return layer


class Attention(nn.Module):
    """Self-attention of one head over all positions, added to its input; starts as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = _norm(channels)
        self.inside = _convolution(channels, 3 * channels, 1)
        self.outside = _convolution(channels, channels, 1, zero=True)

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        query, key, value = self.inside(self.norm(x)).flatten(2).transpose(1, 2).chunk(3, dim=2)
        mixed = scaled_dot_product_attention(query, key, value)
        return x + self.outside(mixed.transpose(1, 2).reshape(n, c, h, w))


class Block(nn.Module):
    """GroupNorm–SiLU–convolution twice, scaled and shifted by the noise level in between; the second starts at zero."""

    def __init__(self, inputs: int, outputs: int, embedding: int, *, kernel: int = 3, attention: bool = False) -> None:
        super().__init__()
        self.norm, self.first = _norm(inputs), _convolution(inputs, outputs, kernel)
        self.affine = nn.Linear(embedding, 2 * outputs)
        self.middle, self.second = _norm(outputs), _convolution(outputs, outputs, kernel, zero=True)
        self.skip = nn.Identity() if inputs == outputs else _convolution(inputs, outputs, 1)
        self.attention = Attention(outputs) if attention else nn.Identity()

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        hidden = self.first(silu(self.norm(x)))
        scale, shift = self.affine(embedding)[:, :, None, None].chunk(2, dim=1)
        hidden = torch.addcmul(shift, self.middle(hidden), scale + 1)
        return self.attention(self.skip(x) + self.second(silu(hidden)))


class _Images(nn.Module, ABC):
    """Samples (n, h, w) or (n, h, w, c) as channels-first images in channels-last memory, and back."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    @abstractmethod
    def features(self, images: Tensor, sigma: Tensor) -> Tensor:
        """The network on images (n, c, h, w)."""

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        images = x.reshape(len(x), *self.shape[:2], -1).permute(0, 3, 1, 2)
        out = self.features(images.contiguous(memory_format=torch.channels_last), sigma)
        return out.permute(0, 2, 3, 1).reshape(x.shape)


class EDMUNet(_Images):
    """Encoder and decoder of residual blocks over halved resolutions, joined by skips; the output starts at zero."""

    def __init__(
        self,
        shape: tuple[int, ...],
        image_channels: int,
        channels: int,
        multipliers: tuple[int, ...],
        blocks: int,
        attention: tuple[int, ...],
        features: int,
        *,
        resample: bool,
    ) -> None:
        super().__init__(shape)
        width = 4 * channels
        self.embedding = NoiseEmbedding(features, width)
        self.inside = _convolution(image_channels, channels, 3)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        now, skips = channels, [channels]
        for level, multiplier in enumerate(multipliers):
            here = shape[0] >> level if resample else shape[0]
            stage = nn.ModuleList()
            for _ in range(blocks):
                stage.append(Block(now, channels * multiplier, width, attention=here in attention))
                now = channels * multiplier
                skips.append(now)
            self.down.append(stage)
            if level + 1 < len(multipliers):
                skips.append(now)
        self.middle = Block(now, now, width, attention=bool(attention))
        for level, multiplier in reversed(list(enumerate(multipliers))):
            here = shape[0] >> level if resample else shape[0]
            stage = nn.ModuleList()
            for _ in range(blocks + 1):
                stage.append(Block(now + skips.pop(), channels * multiplier, width, attention=here in attention))
                now = channels * multiplier
            self.up.append(stage)
        self.norm, self.outside = _norm(now), _convolution(now, image_channels, 3, zero=True)
        self.resample = resample

    def features(self, images: Tensor, sigma: Tensor) -> Tensor:
        embedding, hidden = self.embedding(sigma), self.inside(images)
        passed = [hidden]
        for level, stage in enumerate(self.down):
            if level:
                hidden = avg_pool2d(hidden, 2) if self.resample else hidden
                passed.append(hidden)
            for block in cast(nn.ModuleList, stage):
                hidden = block(hidden, embedding)
                passed.append(hidden)
        hidden = self.middle(hidden, embedding)
        for level, stage in enumerate(self.up):
            if level and self.resample:
                hidden = interpolate(hidden, scale_factor=2.0, mode="nearest")
            for block in cast(nn.ModuleList, stage):
                hidden = block(torch.cat([hidden, passed.pop()], dim=1), embedding)
        return self.outside(silu(self.norm(hidden)))


class ResidualConvolutions(_Images):
    """A chain of residual blocks at full resolution; the output starts at zero."""

    def __init__(
        self, shape: tuple[int, ...], image_channels: int, *, channels: int, blocks: int, kernel: int, embedding: int
    ) -> None:
        super().__init__(shape)
        width = 4 * channels
        self.embedding = NoiseEmbedding(embedding, width)
        self.inside = _convolution(image_channels, channels, kernel)
        self.chain = nn.ModuleList(Block(channels, channels, width, kernel=kernel) for _ in range(blocks))
        self.norm = _norm(channels)
        self.outside = _convolution(channels, image_channels, kernel, zero=True)

    def features(self, images: Tensor, sigma: Tensor) -> Tensor:
        embedding, hidden = self.embedding(sigma), self.inside(images)
        for block in self.chain:
            hidden = block(hidden, embedding)
        return self.outside(silu(self.norm(hidden)))
