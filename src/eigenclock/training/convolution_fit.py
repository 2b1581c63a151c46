"""How far a denoiser is one linear convolution: the best kernel of a size, and how much of the denoiser it explains."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from ..checks import InputError, finite_array, integer, noise_levels, random_seed, shown
from .answers import answer
from .options import Denoiser

CHUNK = 256
"""Images that go through the denoiser at a time."""


@torch.no_grad()
def convolution_fit(
    denoiser: Denoiser, images: Any, *, sigma: Any, size: int, seed: int = 0
) -> Float[np.ndarray, " sigma"]:
    """R² of the best linear convolution with a size×size kernel (zero-padded, with a bias) as a stand-in for a denoiser.

    Least squares over all images and positions of D(x + σz) on the patches around each position: 1 where the denoiser is
    such a convolution, at each noise level.

    **Parameters**

    - `denoiser`: (x, sigma) → clean estimate. - `images`: (n, h, w) or (n, h, w, c) clean images.
    - `sigma`: (sigma,) noise levels. - `size`: edge length of the kernel, odd.

    InputError for noise levels that are not > 0, or images that are none.
    """
    if not callable(denoiser):
        raise InputError(f"denoiser must be a function (x, sigma), got {shown(denoiser)}")
    random_seed(seed)
    integer("size", size, at_least=1)
    if size % 2 == 0:
        raise InputError(f"size must be odd, got {size}")
    weights = next(iter(denoiser.parameters()), None) if isinstance(denoiser, torch.nn.Module) else None
    dtype, device = (torch.float32, "cpu") if weights is None else (weights.dtype, weights.device)
    clean = torch.tensor(
        np.ascontiguousarray(finite_array("images", images, "images (n, h, w) or (n, h, w, c)")), dtype=dtype
    )
    if clean.ndim not in (3, 4):
        raise InputError(f"images must have shape (n, h, w) or (n, h, w, c), got {tuple(clean.shape)}")
    if 0 in clean.shape:
        raise InputError(f"images must not be empty, got shape {tuple(clean.shape)}")
    levels = noise_levels(sigma)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(int(seed) % 2**63), dtype=dtype)

    def denoised(noisy: Tensor, level: float) -> Tensor:
        sigma = torch.tensor(level, dtype=dtype, device=device)
        return torch.cat([answer(denoiser, part.to(device), sigma).cpu() for part in torch.split(noisy, CHUNK)])

    return np.array([_explained(denoised, clean + float(s) * noise, float(s), size) for s in levels])


def _explained(denoised: Callable[[Tensor, float], Tensor], noisy: Tensor, sigma: float, size: int) -> float:
    out = denoised(noisy, sigma).reshape(*noisy.shape[:3], -1)
    seen = noisy.reshape(*noisy.shape[:3], -1).permute(0, 3, 1, 2)
    half = size // 2
    windows = pad(seen, (half,) * 4).unfold(2, size, 1).unfold(3, size, 1)  # (n, c, h, w, p, q)
    patches = windows.permute(0, 2, 3, 1, 4, 5).reshape(-1, seen.shape[1] * size * size).double()
    target = out.reshape(-1, out.shape[-1]).double()
    centred = torch.cat([patches, torch.ones_like(patches[:, :1])], dim=1)
    gram = centred.T @ centred
    ridge = 1e-9 * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    kernel = torch.linalg.solve(gram + ridge, centred.T @ target)
    residual, total = target - centred @ kernel, target - target.mean(dim=0)
    return float(1 - residual.square().sum() / total.square().sum())
