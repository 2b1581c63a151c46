"""A small convolutional encoder and decoder: images of sides divisible by 4 to a grid of tokens a quarter as wide, and back."""

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from ..checks import InputError

STRIDE = 4
"""Pixels per token, in both directions."""


def check_stride(h: int, w: int) -> None:
    """InputError unless an image can be cut into tokens."""
    if h % STRIDE or w % STRIDE:
        raise InputError(f"images must have sides divisible by the stride {STRIDE}, got {h}×{w}")


class ResidualBlock(nn.Module):
    """x + conv(SiLU(conv(SiLU(x)))), the last convolution zero at the start."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(channels, channels, 3, padding=1), nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        if self.last.bias is not None:
            nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = x + self.last(silu(self.first(silu(x))))
        return found


class ConvolutionalEncoder(nn.Sequential):
    """(n, c, h, w) → (n, d, h/4, w/4): pixels to channels, a residual block at half, one at quarter resolution."""

    def __init__(self, channels: int, latent: int, width: int = 64) -> None:
        narrow = max(8, 3 * width // 8)
        super().__init__(
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * channels, narrow, 3, padding=1),
            ResidualBlock(narrow),
            nn.SiLU(),
            nn.Conv2d(narrow, width, 3, stride=2, padding=1),
            ResidualBlock(width),
            nn.SiLU(),
            nn.Conv2d(width, latent, 1),
        )


class ConvolutionalDecoder(nn.Sequential):
    """(n, d, h, w) → (n, c, 4h, 4w), the mirror of the encoder."""

    def __init__(self, latent: int, channels: int, width: int = 64) -> None:
        narrow = max(8, 3 * width // 8)
        super().__init__(
            nn.Conv2d(latent, width, 3, padding=1),
            ResidualBlock(width),
            nn.SiLU(),
            nn.Conv2d(width, 4 * narrow, 1),
            nn.PixelShuffle(2),
            ResidualBlock(narrow),
            nn.SiLU(),
            nn.Conv2d(narrow, 4 * channels, 3, padding=1),
            nn.PixelShuffle(2),
        )


def token_norm(z: Tensor) -> Tensor:
    """Every token (dim 1) to root mean square 1."""
    return z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-6)
