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

POINTS, COPIES = 20, 4
"""Held-out points at which Jacobians are taken; perturbed copies, per dimension, behind the dimension that scores show."""

RARE = 1e-6


def jacobians(function: Callable[[torch.Tensor], torch.Tensor], x: Points) -> Float[np.ndarray, "n d d"]:
    """Of a differentiable map of rows (n, d) → (n, d), in its own precision."""
    rows = torch.as_tensor(x, dtype=torch.float32)
    found = torch.func.vmap(torch.func.jacrev(lambda one: function(one[None])[0]))(rows)
    return found.detach().double().numpy()


def jacobian_spectrum(jacobian: Float[np.ndarray, "n d d"], largest: int = 8) -> Float[np.ndarray, " mode"]:
    """Median over points of the leading singular values."""
    values = np.linalg.svd(jacobian, compute_uv=False)
    return np.median(values[:, :largest], axis=0)


def kernel_leakage(jacobian: Float[np.ndarray, "n d d"], tangent: Float[np.ndarray, "n d k"]) -> float:
    """Mean |J N|² over points: what passes of noise normal to the manifold."""
    normal = jacobian - (jacobian @ tangent) @ np.swapaxes(tangent, 1, 2)
    return float((normal**2).sum(axis=(1, 2)).mean())


def off_manifold(x: Points, data: ManifoldData) -> float:
    """Root mean square distance from the manifold."""
    assert data.project is not None
    return float(np.sqrt(((x - data.project(x)) ** 2).sum(axis=1).mean()))


def mode_divergence(x: Points, data: ManifoldData) -> float:
    """KL of the frequencies of modes among samples from the true weights, in nats."""
    assert data.weights is not None
    share = np.bincount(data.modes_of(x), minlength=data.weights.size) / len(x) + RARE
    return float((share * np.log(share / data.weights)).sum())


def score_dimension(
    score: Callable[[Points], Points], x0: Float[np.ndarray, " d"], sigma: float, rng: np.random.Generator
) -> int:
    """Intrinsic dimension from the largest gap of the singular values of scores around a point (arXiv:2212.12611)."""
    d = x0.size
    noisy = x0 + sigma * rng.standard_normal((COPIES * d, d))
    values = np.linalg.svd(score(noisy), compute_uv=False)
    return int(d - 1 - np.argmax(values[:-1] - values[1:]))


def of_map(function: Map, x: Points, sigma: float, data: ManifoldData, seed: int) -> dict[str, float]:
    """Clean error, range leakage E dist²(D(x_t), M), and idempotence E|D(D(x_t)) − D(x_t)|²/σ², the noise common to all maps."""
    noisy = x + sigma * np.random.default_rng(seed).standard_normal(x.shape)
    once = function(noisy)
    found = {
        "reconstruction": float(((function(x) - x) ** 2).sum(axis=1).mean()),
        "idempotence": float(((function(once) - once) ** 2).sum(axis=1).mean() / sigma**2),
    }
    if data.project is not None:
        found["range_leakage"] = off_manifold(once, data) ** 2
    return found


def of_samples(x: Points, real: Float[np.ndarray, "m d"], data: ManifoldData) -> dict[str, float]:
    """Sliced Wasserstein distance to held-out data, distance from the manifold, divergence of modes."""
    n = min(len(x), len(real))
    found: dict[str, Any] = {"sw2": sliced_wasserstein(x[:n], real[:n])}
    if data.project is not None:
        found["off"] = off_manifold(x, data)
    if data.chart is not None:
        found["mode_kl"] = mode_divergence(x, data)
    return found
