"""A distance between images without trained weights: absolute difference, and features of a fixed random convolutional net."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

WIDTHS = (16, 32, 64)


class RandomPerceptual(nn.Module):
    """Two batches (n, c, h, w) → (n,): mean squared difference of unit-normalised features of random layers.

    Stands in for LPIPS, which needs weights: pass any callable of two batches instead.
    """

    def __init__(self, channels: int = 3, seed: int = 0) -> None:
        super().__init__()
        sizes = (channels, *WIDTHS)
        with torch.random.fork_rng():
            torch.manual_seed(int(seed) % 2**63)
            self.layers = nn.ModuleList(
                nn.Conv2d(a, b, 3, stride=1 if i == 0 else 2, padding=1) for i, (a, b) in enumerate(pairwise(sizes))
            )
            for layer in self.layers:
                nn.init.kaiming_normal_(layer.weight)  # type: ignore[arg-type]
        self.requires_grad_(False)

    def features(self, x: Tensor) -> list[Tensor]:
        """Features of every layer, of unit norm over channels."""
        found = []
        for layer in self.layers:
            x = relu(layer(x))
            found.append(x / (x.square().sum(dim=1, keepdim=True) + 1e-6).sqrt())
        return found

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        parts = [
            (one - other).square().sum(dim=1).mean(dim=(1, 2))
            for one, other in zip(self.features(a), self.features(b), strict=True)
        ]
        return torch.stack(parts).mean(dim=0)


class ImageDistance(nn.Module):
    """(n,) distances of two batches: half the mean absolute difference, half the perceptual one."""

    def __init__(self, channels: int = 3, seed: int = 0) -> None:
        super().__init__()
        self.perceptual = RandomPerceptual(channels, seed)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        found: Tensor = 0.5 * (a - b).abs().flatten(1).mean(dim=1) + 0.5 * self.perceptual(a, b)
        return found
