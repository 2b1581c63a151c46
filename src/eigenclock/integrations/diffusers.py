"""Latent diffusion with an autoencoder of diffusers: its latents as samples, and samples as pictures again."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from ..checks import InputError, integer, numeric_array
from ..spectrum.batches import batches_of


def latents_of(autoencoder: Any, images: Any, *, batch_size: int = 16) -> Float[np.ndarray, "n h w c"]:
    """Latents of images as the diffusion model sees them: means of the posterior, shifted and scaled, channels last.

    **Parameters**

    - `autoencoder`: an `AutoencoderKL` or anything with `encode(x).latent_dist.mean` or `.latents`, on its own device; `config`
      may hold `scaling_factor` (1 where it does not) and `shift_factor` (0).
    - `images`: (n, c, h, w) in −1…1, as the autoencoder takes them, or any loader of such batches, with labels or without. -
      `batch_size`: of an array.

    Samples of eigenclock have their channels last: (n, h, w, c), ready for `Spectrum.from_samples` and `Probe(data=...)`; a
    network of (n, c, h, w) is met by `as_denoiser(..., scheduler=...)`, which turns them around. InputError for something else.
    """
    integer("batch_size", batch_size, at_least=1)
    if not hasattr(autoencoder, "encode"):
        raise InputError(f"autoencoder must have encode and decode, got {type(autoencoder).__name__}")
    whole = hasattr(images, "shape")
    batches = torch.split(torch.as_tensor(images), batch_size) if whole else batches_of(images)
    like = next(autoencoder.parameters())
    shift, scale = factors(autoencoder)
    found = []
    with torch.no_grad():
        for batch in batches:
            code = autoencoder.encode(torch.as_tensor(batch).to(like))
            mean = code.latent_dist.mean if hasattr(code, "latent_dist") else code.latents
            found.append(((mean.float() - shift) * scale).permute(0, 2, 3, 1).cpu().numpy())
    if not found:
        raise InputError("images must hold at least one batch, got none")
    return np.concatenate(found)


def pictures_of(autoencoder: Any, *, batch_size: int = 16) -> Callable[[Any], Float[np.ndarray, "n h w c"]]:
    """A `decode` for `Probe`: latents (n, h, w, c), as `latents_of` gives them, to pictures (n, h, w, c) in 0…1."""
    integer("batch_size", batch_size, at_least=1)
    if not hasattr(autoencoder, "decode"):
        raise InputError(f"autoencoder must have encode and decode, got {type(autoencoder).__name__}")

    def decode(latents: Any) -> Float[np.ndarray, "n h w c"]:
        like = next(autoencoder.parameters())
        shift, scale = factors(autoencoder)
        given = torch.as_tensor(numeric_array("latents", latents, "numbers (n, h, w, c)")).permute(0, 3, 1, 2)
        with torch.no_grad():
            parts = [
                autoencoder.decode(part.to(like) / scale + shift).sample for part in torch.split(given, batch_size)
            ]
        return (torch.cat(parts).float().permute(0, 2, 3, 1) / 2 + 0.5).clamp(0, 1).cpu().numpy()

    return decode


def factors(autoencoder: Any) -> tuple[float, float]:
    """Shift and scale of an autoencoder's latents: a diffusion model sees (z − shift)·scale."""
    config = getattr(autoencoder, "config", None)
    shift, scale = (getattr(config, name, None) for name in ("shift_factor", "scaling_factor"))
    return float(shift or 0.0), float(scale or 1.0)
