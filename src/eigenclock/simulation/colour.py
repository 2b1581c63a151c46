"""Objectives and samplers that assume a covariance, in data space: matrix functions of it, and no modes (T19)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from ..recipe.objectives import Objective
from ..recipe.samplers import Angular, Sampler
from ..recipe.spectral_edm import SpectralEDM
from ..spectrum.spectrum import Spectrum

Matrix = Float[np.ndarray, "d d"]
Matrices = Float[np.ndarray, "*level d d"]


class Coloured(Objective):
    """A `SpectralEDM` that assumes a covariance matrix S: c_skip = S(S+σ²)⁻¹, c_out = σ·c_skip^{1/2}, c_in = (S+σ²)^{−1/2}."""

    def __init__(self, chosen: SpectralEDM, covariance: Matrix, mean_variance: float) -> None:
        self.chosen, self.covariance, self.density = chosen, covariance, chosen.density
        self.mean_variance = mean_variance
        self._known: dict[float, tuple[Matrix, Matrix, Matrix]] = {}

    def row(self, sigma: Any) -> Any:
        raise TypeError("matrices of data space have no row of numbers")

    def _of(self, sigma: float) -> tuple[Matrix, Matrix, Matrix]:
        """c_skip, c_out and c_in at a noise level."""
        if sigma not in self._known:
            s, one = self.covariance, np.eye(len(self.covariance))
            total = s + sigma**2 * one
            skip = np.linalg.solve(total, s)
            skip = (skip + skip.T) / 2
            root = _root(skip)
            by_mode = self.chosen.input == "mode"
            scale = np.linalg.inv(_root(total)) if by_mode else one / np.sqrt(self.mean_variance + sigma**2)
            self._known[sigma] = skip, sigma * root, scale
        return self._known[sigma]

    def _stacked(self, sigma: Any, which: int) -> Matrices:
        levels = np.asarray(sigma, dtype=np.float64)
        if levels.ndim == 0 or levels.size == 1:
            return self._of(float(levels.ravel()[0]))[which]
        return np.array([self._of(float(level))[which] for level in levels.ravel()]).reshape(-1, *self.covariance.shape)

    def training_pair(self, clean: Any, noise: Any, sigma: Any) -> tuple[Any, Any]:
        """Input c_in·y and target c_out⁺(x − c_skip·y), y = x + σz, of rows."""
        noisy = clean + sigma * noise
        skip, out, scale = (self._stacked(sigma, which).astype(noisy.dtype) for which in range(3))
        return noisy @ scale, (clean - noisy @ skip) @ np.linalg.pinv(out, rcond=1e-7, hermitian=True)

    def denoise(self, network: Callable[[Any], Any], noisy: Any, sigma: Any) -> Any:
        """c_skip·y + c_out·F(c_in·y) of rows."""
        skip, out, scale = (self._stacked(sigma, which).astype(noisy.dtype) for which in range(3))
        return noisy @ skip + network(noisy @ scale) @ out

    def metric(self, sigma: Float[np.ndarray, " sigma"]) -> Matrices:
        """M of the loss (F − Y)ᵀM(F − Y): what is not dead, or EDM's weight times c_out²."""
        out = np.array([self._of(float(level))[1] for level in sigma]).reshape(-1, *self.covariance.shape)
        if self.chosen.loss == "mode":
            return out @ np.linalg.pinv(out, rcond=1e-7, hermitian=True)
        data = self.chosen.sigma_data
        return ((sigma**2 + data**2) / (sigma * data) ** 2)[:, None, None] * out @ out


def _root(matrix: Matrix) -> Matrix:
    """Symmetric square root of a positive semi-definite matrix."""
    value, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(value, 0))) @ vectors.T


def coloured(
    objective: Objective, spectrum: Spectrum, modes: Float[np.ndarray, "mode d"], sigma_min: float
) -> Objective:
    """An objective in data space, where the spectrum's modes are these vectors: itself, but where it assumes a covariance."""
    if not isinstance(objective, SpectralEDM):
        return objective
    bound = objective.bound(spectrum, sigma_min)
    return Coloured(objective, covariance_of(bound.assumed, bound.outside, modes), bound.mean_variance)


def covariance_of(variance: Float[np.ndarray, " mode"], outside: float, modes: Float[np.ndarray, "mode d"]) -> Matrix:
    """The matrix of variances along orthonormal vectors, and one variance along all directions that they leave out."""
    return outside * np.eye(modes.shape[1]) + (modes.T * (variance - outside)) @ modes


def coloured_sampler(sampler: Sampler, spectrum: Spectrum, modes: Float[np.ndarray, "mode d"]) -> Sampler:
    """A sampler in data space, where the spectrum's modes are these vectors: itself, but where it assumes a covariance."""
    if not isinstance(sampler, Angular):
        return sampler
    known, low = spectrum if sampler.spectrum is None else sampler.spectrum, sampler.sigma_min**2
    assumed = covariance_of(np.maximum(known.variance, low), max(known.null_variance or 0.0, low), modes)
    return replace(sampler, spectrum=Spectrum.from_covariance(assumed))
