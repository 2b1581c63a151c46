"""What is measured of a trained denoising map and of its samples, on known manifolds."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from eigenclock.curve.divergences import sliced_wasserstein
from .manifolds import ManifoldData

Points = Float[np.ndarray, "n d"]
Map = Callable[[Points], Points]

DRAWS = 2
"""Noise draws of every held-out point, behind the excess over the Bayes denoiser."""


def excess(function: Map, x: Points, sigma: float, data: ManifoldData, seed: int) -> tuple[float, float]:
    """E|D(x + σz) − D*(x + σz)|²/σ² on held-out x, and the Bayes denoiser's own ρ.

    The first is ρ − Bayes ρ, as the errors of D* are orthogonal to every function of the noisy point; it has no floor but 0.
    """
    assert data.denoise is not None
    rng, over, floor = np.random.default_rng(seed), 0.0, 0.0
    for _ in range(DRAWS):
        noisy = x + sigma * rng.standard_normal(x.shape)
        best = data.denoise(noisy, sigma)
        over += float(((function(noisy) - best) ** 2).sum(axis=1).mean()) / sigma**2
        floor += float(((best - x) ** 2).sum(axis=1).mean()) / sigma**2
    return over / DRAWS, floor / DRAWS


def clean_error(function: Map, x: Points) -> float:
    """E|D(x) − x|² on clean points."""
    return float(((function(x) - x) ** 2).sum(axis=1).mean())


def jacobians(function: Callable[[torch.Tensor], torch.Tensor], x: Points) -> Float[np.ndarray, "n d d"]:
    """Of a differentiable map of rows (n, d) → (n, d), each of which is mapped by itself."""
    rows = torch.as_tensor(x, dtype=torch.float32).requires_grad_()
    out = function(rows).sum(dim=0)
    found = [torch.autograd.grad(one, rows, retain_graph=True)[0] for one in out]
    return torch.stack(found, dim=1).double().numpy()


def jacobian_spectrum(jacobian: Float[np.ndarray, "n d d"], largest: int = 8) -> Float[np.ndarray, " mode"]:
    """Median over points of the leading singular values."""
    values = np.linalg.svd(jacobian, compute_uv=False)
    return np.median(values[:, :largest], axis=0)


def off_manifold(x: Points, data: ManifoldData) -> float:
    """Root mean square distance from the manifold."""
    assert data.project is not None
    return float(np.sqrt(((x - data.project(x)) ** 2).sum(axis=1).mean()))


def of_samples(x: Points, real: Float[np.ndarray, "m d"], data: ManifoldData) -> dict[str, float]:
    """Sliced Wasserstein distance to held-out data, distance from the manifold."""
    n = min(len(x), len(real))
    found: dict[str, Any] = {"sw2": sliced_wasserstein(x[:n], real[:n])}
    if data.project is not None:
        found["off"] = off_manifold(x, data)
    return found
