"""The second stage: the density of standardised latents, by diffusion with EDM's preconditioning."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..curve.divergences import sliced_wasserstein
from ..recipe.objectives import EDM
from ..recipe.samplers import EulerMaruyama, Heun, Sampler
from ..spectrum.spectrum import Spectrum
from ..training.loop import train
from ..training.losses import NetworkDenoiser
from ..training.network_options import FeedForward
from ..training.optimizers import Adam
from ..training.options import LoopOptions
from ..training.probing.cadence import log_steps
from ..training.probing.recorder import Recorder
from ..training.sampling import sample
from ..training.streams import Stream, stream_seed
from .gaussian_head import GaussianHead, WithGaussian
from .model_config import ModelConfig
from .refine import real_distances

SIGMA_MAX, LOWEST = 20.0, 0.02
"""Where sampling starts, in latent standard deviations (the Gaussian head is exact up there), and its lowest level."""

TOLERANCE = 1 + 1e-6
"""Levels this near the trained band belong to it."""

PROBE_STEPS, PROBE_SAMPLES = 15, 512
"""Steps and samples of the sampler behind the refine clock."""

BETAS = (0.9, 0.99)


def sampler_of(config: ModelConfig) -> Sampler:
    """The sampler that a configuration names, on EDM's grid."""
    if config.sampler == "sde":
        return EulerMaruyama(steps=200, sigma_min=LOWEST, sigma_max=SIGMA_MAX)
    return Heun(steps=30, sigma_min=LOWEST, sigma_max=SIGMA_MAX)


class HeadedProbe(Recorder):
    """A probe that sees the Gaussian head too, and tells a callback."""

    head: Callable[[Any], Any]
    told: Callable[[int], None]

    def __call__(self, step: int, denoiser: Any, *, module: Any = None) -> None:
        due = self.due(step)
        super().__call__(step, self.head(denoiser), module=module)
        if due:
            self.told(step)


class LatentDensity:
    """A density of latents (n, d) of unit variance per coordinate: `fit`, then `denoiser` and `sample`."""

    def __init__(self, config: ModelConfig, dimension: int) -> None:
        self.config, self.dimension = config, dimension
        self.network: nn.Module = FeedForward(width=config.width, layers=2, activation="silu").build(
            (dimension,), seed=stream_seed(config.seed, Stream.INIT, 1)
        )
        self.gaussian = GaussianHead(torch.zeros(dimension), torch.eye(dimension))
        self.curve: Any = None
        """Learning curve of the latents' modes and of `density_error`."""
        self.real: Float[np.ndarray, " draw"] | None = None
        """Density errors of real latents in place of generated ones."""

    @property
    def denoiser(self) -> WithGaussian:
        """(z, τ) → estimate of the clean latent."""
        return self._headed(NetworkDenoiser(self.network, EDM(sigma_data=1.0)))

    def _headed(self, learned: Callable[..., Tensor]) -> WithGaussian:
        low, high = self.config.noise_range
        return WithGaussian(learned, self.gaussian, min(self.config.gaussian_head_above, high), low / TOLERANCE)

    def fit(
        self,
        z: Float[np.ndarray, "n d"],
        held_out: Float[np.ndarray, "m d"],
        *,
        told: Callable[[int], None] = lambda step: None,
        folder: Path | None = None,
        resume: bool = False,
    ) -> "LatentDensity":
        """Learn the density of standardised latents; `held_out` ones judge it at log-spaced steps. `told` hears of each."""
        config = self.config
        device = torch.device(next(self.network.parameters()).device)
        covariance = np.atleast_2d(np.cov(z.T, bias=True))
        self.gaussian = GaussianHead(
            torch.as_tensor(z.mean(axis=0), dtype=torch.float32), torch.as_tensor(covariance, dtype=torch.float32)
        ).to(device)
        spectrum = Spectrum.from_samples(z)
        n = min(PROBE_SAMPLES, len(held_out))

        def error(samples: Any) -> dict[str, float]:
            few = np.asarray(samples, dtype=np.float64)[:n]
            return {"": sliced_wasserstein(few, held_out[: len(few)])} if np.isfinite(few).all() else {"": np.inf}

        self.real = real_distances(z, held_out[:n], seed=config.seed)
        probe = HeadedProbe(
            spectrum,
            sampler=Heun(steps=PROBE_STEPS, sigma_min=LOWEST, sigma_max=SIGMA_MAX),
            steps=log_steps(1, config.stage2_steps, config.n_evals),
            n_samples=max(n, 2),
            seed=config.seed,
            sigma=(),
            watch={"density": lambda samples: {"error": error(samples)[""]}},
        )
        probe.head, probe.told = self._headed, told
        train(
            self.network,
            z,
            objective=EDM(sigma_data=1.0),
            optimizer=Adam(config.lr, *BETAS),
            steps=config.stage2_steps,
            options=LoopOptions(batch_size=config.batch, decay=0.5, device=config.device, checkpoint_every=500),
            probe=probe,
            seed=config.seed,
            sigma_range=config.noise_range,
            folder=folder,
            resume=resume,
        )
        self.network.eval()
        self.curve = probe.curve()
        return self

    def sample(self, n: int, seed: int) -> Tensor:
        """n latents, standardised, on the CPU; a function of the seed alone."""
        fresh = torch.Generator().manual_seed(int(seed) % 2**63)
        noise = torch.randn(n, self.dimension, generator=fresh)
        return self.push(noise, fresh)

    def push(self, noise: Tensor, fresh: torch.Generator | None = None) -> Tensor:
        """Latents of given standard noise (n, d)."""
        device = next(self.network.parameters()).device
        wide = float(np.sqrt(1 + 1 / SIGMA_MAX**2))  # data of unit variance plus the noise
        return sample(self.denoiser, sampler_of(self.config), (noise * wide).to(device), generator=fresh).cpu()

    def tensors(self) -> dict[str, Tensor]:
        """All that a file must hold."""
        found = {f"network.{key}": value for key, value in self.network.state_dict().items()}
        return found | {f"gaussian.{key}": value for key, value in self.gaussian.state_dict().items()}
