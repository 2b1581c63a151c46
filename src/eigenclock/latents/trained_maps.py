"""What a latent diffusion model in two stages does once it is trained: encode, decode, denoise, sample."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..checks import InputError, finite_array, integer, number, random_seed
from .bottleneck import Autoencoder
from .density import LatentDensity
from .model_config import ModelConfig

Maps = TypeVar("Maps", bound="TrainedMaps")
Part = TypeVar("Part")

CHUNK = 4096
"""Samples that pass a network at a time."""


class NotFittedError(InputError):
    """The model was used before fit or load."""


class TrainedMaps:
    """The maps of a trained model. `TwoStage` trains it; in a callback of its training they can be asked too."""

    k_: int
    d_: int
    sigma1_: float
    shape_: tuple[int, ...]
    latent_mean_: Float[np.ndarray, " d"]
    latent_std_: Float[np.ndarray, " d"]
    kept_dims_: np.ndarray
    shift_: Float[np.ndarray, " D"]
    scale_: float

    def __init__(self, config: ModelConfig | None = None) -> None:
        self.config = ModelConfig() if config is None else config
        self._network: Autoencoder | None = None
        self._density: LatentDensity | None = None
        self._finished = False

    def encode(self, X: Any) -> Float[np.ndarray, "n d"]:
        """Latents (n, d) of samples (n, ...)."""
        return self._through(self.map.encode, self._samples(X), scaled=True)

    def decode(self, Z: Any) -> Float[np.ndarray, "n ..."]:
        """Samples (n, ...) of latents (n, d)."""
        network = self.map
        z = finite_array("Z", Z, "latents (n, d)")
        if z.ndim != 2 or z.shape[1] != self.d_:
            raise InputError(f"Z must have shape (n, {self.d_}), got {z.shape}")
        return self._unscaled(self._through(network.decode, z, scaled=False))

    def denoise(self, X: Any) -> Float[np.ndarray, "n ..."]:
        """The induced denoising map G(E(x)), (n, ...) → (n, ...)."""
        return self._unscaled(self._through(self.map.denoise, self._samples(X), scaled=True))

    def score(self, X: Any, sigma: float) -> Float[np.ndarray, "n ..."]:
        """Score of the noisy data that the first stage implies, (D(x) − x)/σ², in ambient space."""
        number("sigma", sigma, above=0)
        return (self.denoise(X) - np.asarray(X, dtype=np.float64)) / sigma**2

    def denoising_risk(self, X: Any, sigma: float | None = None, *, draws: int = 4, seed: int = 0) -> float:
        """ρ = E|D(x + σz) − x|²/σ² on samples, at sigma1_ unless given; the noise is the same for every model."""
        level = self.sigma1_ if sigma is None else sigma
        number("sigma", level, above=0)
        integer("draws", draws, at_least=1)
        x, rng = np.asarray(X, dtype=np.float64), np.random.default_rng(seed)
        errors = [((self.denoise(x + level * rng.standard_normal(x.shape)) - x) ** 2).sum() for _ in range(draws)]
        return float(np.sum(errors) / (draws * len(x) * level**2))

    def sample(self, n: int, seed: int = 0) -> Float[np.ndarray, "n ..."]:
        """n generated samples (n, ...); a function of the seed alone."""
        integer("n", n, at_least=1)
        random_seed(seed)
        z = self.sample_latents(n, seed)
        x = self.decode(z)
        return self.decode(self.encode(x)) if self.config.polish else x

    def sample_latents(self, n: int, seed: int = 0) -> Float[np.ndarray, "n d"]:
        """n generated latents (n, d), as `encode` gives them; dropped coordinates are at their mean."""
        density = self._fitted(finished=False).density
        z = np.tile(self.latent_mean_, (n, 1))
        z[:, self.kept_dims_] += density.sample(n, seed).double().numpy() * self.latent_std_[self.kept_dims_]
        return z

    def _standardised(self, latent: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n kept"]:
        kept = self.kept_dims_
        return (latent[:, kept] - self.latent_mean_[kept]) / self.latent_std_[kept]

    def latents(self, X: Any) -> Float[np.ndarray, "n kept"]:
        """Standardised latents of samples, as the second stage sees them."""
        return self._standardised(self.encode(X))

    def _scaled(self, x: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "n D"]:
        return (x - self.shift_) / self.scale_

    def _unscaled(self, x: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "n ..."]:
        return (x * self.scale_ + self.shift_).reshape(-1, *self.shape_)

    def _samples(self, X: Any) -> Float[np.ndarray, "n D"]:
        """Flat samples, checked."""
        x = finite_array("X", X, "an array of finite numbers (n, ...)")
        if x.ndim < 2 or x.shape[1:] != self.shape_:
            raise InputError(f"X must hold samples of shape {self.shape_}, got {x.shape}")
        return x.reshape(len(x), -1)

    @torch.no_grad()
    def _through(self, function: Callable[[Tensor], Tensor], rows: Any, *, scaled: bool) -> Float[np.ndarray, "n m"]:
        """A map of the network in chunks, so that memory stays flat; `scaled`: rows are data, to be scaled first."""
        device, found = next(self.map.parameters()).device, np.empty((0, 0))
        for start in range(0, len(rows), CHUNK):
            some = self._scaled(rows[start : start + CHUNK]) if scaled else rows[start : start + CHUNK]
            part = function(torch.as_tensor(some, dtype=torch.float32, device=device)).cpu().numpy()
            if start == 0:  # one array to copy into: many small ones between large ones would fragment memory
                found = np.empty((len(rows), part.shape[1]))
            found[start : start + CHUNK] = part
        return found

    @property
    def map(self) -> Autoencoder:
        """The trained encoder and decoder, a torch module on scaled, flattened rows; NotFittedError before a fit has begun."""
        return self._begun(self._network)

    @property
    def density(self) -> LatentDensity:
        """The second stage, on standardised latents; NotFittedError before it has begun."""
        return self._begun(self._density)

    def _begun(self, part: Part | None) -> Part:
        if part is None:
            raise NotFittedError(f"{type(self).__name__} must be fitted first: call fit(X) or load(path)")
        return part

    def _fitted(self: Maps, *, finished: bool = True) -> Maps:
        """The model itself; NotFittedError before fit or load, and, unless a callback may ask, before fit has returned."""
        self._begun(self._network)
        self._begun(self._density)
        return self._begun(self if self._finished or not finished else None)
