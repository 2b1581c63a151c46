"""The exact denoiser of a Gaussian, and where it stands in for a trained one."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class GaussianHead(nn.Module):
    """D(x, τ) = m + C(C + τ²)⁻¹(x − m): the exact denoiser of N(m, C); its score is −(C + τ²)⁻¹(x − m)."""

    mean: Tensor
    values: Tensor
    vectors: Tensor

    def __init__(self, mean: Tensor, covariance: Tensor) -> None:
        super().__init__()
        values, vectors = torch.linalg.eigh(covariance.double())
        self.register_buffer("mean", mean.clone())
        self.register_buffer("values", values.clamp_min(0).to(mean.dtype))
        self.register_buffer("vectors", vectors.to(mean.dtype))

    def forward(self, x: Tensor, tau: Any) -> Tensor:
        level = torch.as_tensor(tau, dtype=x.dtype, device=x.device).reshape(-1, 1)
        along = (x - self.mean) @ self.vectors
        return self.mean + (along * (self.values / (self.values + level**2))) @ self.vectors.T


class WithGaussian(nn.Module):
    """A denoiser on a band of noise levels, the Gaussian one outside."""

    def __init__(
        self, denoiser: Callable[..., Tensor], gaussian: GaussianHead, above: float, below: float = 0.0
    ) -> None:
        super().__init__()
        self.denoiser, self.gaussian, self.above, self.below = denoiser, gaussian, above, below

    def forward(self, x: Tensor, tau: Any) -> Tensor:
        level = torch.as_tensor(tau, dtype=x.dtype, device=x.device).reshape(-1)
        high = (level >= self.above) | (level < self.below)
        if bool(high.all()):
            return self.gaussian(x, tau)
        if not bool(high.any()):
            return self.denoiser(x, tau)
        return torch.where(high[:, None], self.gaussian(x, level), self.denoiser(x, level))
