"""Second stages in closed form: the score of a Gaussian, and ridge regression on random features with its exact training."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..checks import InputError

FEATURES, COPIES, RIDGE, SMOOTHEST = 384, 8, 1e-5, 0.25
"""Random features, noise copies of every sample, ridge, and least width of the features."""


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


@dataclass(frozen=True, eq=False)
class RidgeFlow:
    """What training of a ridge regression is made of: eigenpairs of the features' second moment, correlation with the target."""

    values: Float[np.ndarray, " p"]
    vectors: Float[np.ndarray, "p p"]
    target: Float[np.ndarray, "p d"]

    def weights(self, time: float) -> Float[np.ndarray, "p d"]:
        """A(t) of gradient flow from 0: along eigenmode ν, (1 − e^{−(ν + μ)t})/(ν + μ) of the target."""
        rate = self.values + RIDGE
        return self._along(-np.expm1(-rate * time) / rate)

    def descended(self, steps: int, lr: float) -> Float[np.ndarray, "p d"]:
        """The same after steps of gradient descent: (1 − (1 − lr(ν + μ))^steps)/(ν + μ)."""
        rate = self.values + RIDGE
        return self._along((1 - (1 - lr * rate) ** steps) / rate)

    def _along(self, learned: Float[np.ndarray, " p"]) -> Float[np.ndarray, "p d"]:
        return self.vectors @ (learned[:, None] * (self.vectors.T @ self.target))


@dataclass(frozen=True, eq=False)
class RidgeLevel:
    """At one noise level: features √(2/P) cos(xW/h + b), their ridge solution, and its training (not kept in files)."""

    tau: float
    frequency: Float[np.ndarray, "d p"]
    phase: Float[np.ndarray, " p"]
    solution: Float[np.ndarray, "p d"]
    flow: RidgeFlow | None = None

    def features(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n p"]:
        """(n, p) features of samples."""
        return features(x, self.frequency, self.phase)

    def score(self, x: Float[np.ndarray, "n d"], time: float = np.inf) -> Float[np.ndarray, "n d"]:
        """−x/(1 + τ²) + Φ(x)A(t)/τ; InputError for a finite time of a head that came from a file."""
        if np.isfinite(time) and self.flow is None:
            raise InputError(f"time must be inf for a head that was loaded, got {time}: fit it again")
        weights = self.solution if np.isinf(time) or self.flow is None else self.flow.weights(time)
        return -x / (1 + self.tau**2) + self.features(x) @ weights / self.tau


def features(
    x: Float[np.ndarray, "n d"], frequency: Float[np.ndarray, "d p"], phase: Float[np.ndarray, " p"]
) -> Float[np.ndarray, "n p"]:
    """√(2/P) cos(xW/h + b)."""
    return np.sqrt(2 / phase.size) * np.cos(x @ frequency + phase)


@dataclass(frozen=True, eq=False)
class RidgeHead:
    """Scores at given noise levels by ridge regression on random features; `time` ∞ is the solution, else its training.

    The refine clock is exact here: one relaxation time 1/(ν + μ) per eigenmode.
    """

    levels: dict[float, RidgeLevel] = field(default_factory=dict)
    time: float = np.inf

    @classmethod
    def fit(
        cls, z: Float[np.ndarray, "n d"], taus: Float[np.ndarray, " level"], *, seed: int, p: int = FEATURES
    ) -> "RidgeHead":
        """On standardised latents; target τ(−z/τ + x/(1 + τ²)) at x = latent + τz."""
        rng, n, d = np.random.default_rng(seed), len(z), z.shape[1]
        directions, phase = rng.standard_normal((d, p)), rng.uniform(0, 2 * np.pi, p)
        found = {}
        for tau in taus:
            frequency = directions / min(1.0, max(float(tau), SMOOTHEST))
            moment, target = np.zeros((p, p)), np.zeros((p, d))
            for _ in range(COPIES):
                noise = rng.standard_normal(z.shape)
                x = z + tau * noise
                phi = features(x, frequency, phase)
                moment += phi.T @ phi / (COPIES * n)
                target += phi.T @ (tau * (x / (1 + tau**2) - noise / tau)) / (COPIES * n)
            values, vectors = np.linalg.eigh(moment)
            flow = RidgeFlow(np.maximum(values, 0), vectors, target)
            found[float(tau)] = RidgeLevel(float(tau), frequency, phase, flow.weights(np.inf), flow)
        return cls(found)

    def at(self, time: float) -> "RidgeHead":
        """The head after gradient flow for this time."""
        return RidgeHead(self.levels, time)

    def nearest(self, tau: float) -> RidgeLevel:
        """The level nearest in ln τ."""
        return self.levels[min(self.levels, key=lambda one: abs(np.log(one / tau)))]

    def __call__(self, x: Tensor, tau: Any) -> Tensor:
        level = float(torch.as_tensor(tau).reshape(-1)[0])
        found = self.nearest(level).score(x.detach().cpu().double().numpy(), self.time)
        return x + level**2 * torch.as_tensor(found, dtype=x.dtype, device=x.device)
