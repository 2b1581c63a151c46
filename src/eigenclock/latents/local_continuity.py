"""How much an image changes under a small change of its latent, for any decoder, on tensors or on arrays."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from ..checks import InputError

Latents = Float[np.ndarray, "n d h w"]

BATCH = 128
"""Latents that a decoder is given at a time."""


class ImageModel(ABC):
    """A model of this package whose `decoder` does on tensors, (n, c, H, W) in [−1, 1], what its `decode` does on arrays."""

    @abstractmethod
    def decode(self, latents: Any) -> Any:
        """Images as arrays."""

    @abstractmethod
    def decoder(self, latents: Any) -> Any:
        """Images as tensors."""


def rho_weights(rho: Float[np.ndarray, " rho"]) -> Float[np.ndarray, " rho"]:
    """Weights ∝ 1/ρ that sum to 1."""
    return 1 / rho / (1 / rho).sum()


def local_continuity(
    z: Latents,
    decoder: Callable[[Any], Any],
    rho: Float[np.ndarray, " rho"],
    distance: Callable[[Any, Any], Any] | None,
    seed: int,
    *,
    flat: bool = False,
    mean: Float[np.ndarray, " d"] | None = None,
) -> Float[np.ndarray, "n rho"]:
    """½[dist(D(z + εu), D(z)) + dist(D(z − εu), D(z))], ε = ρ|z − m|, u uniform on the sphere, one direction per sample.

    `mean`: m, of every channel; by default that of these latents. A generator standardises latents, so that their size is the
    one about the mean. `flat`: the decoder takes (n, D).
    """
    import torch

    from .perceptual import ImageDistance

    rng = np.random.default_rng(seed)
    u = rng.standard_normal((len(z), z[0].size))
    u = (u / np.linalg.norm(u, axis=1, keepdims=True)).reshape(z.shape)
    centre = (z.mean(axis=(0, 2, 3)) if mean is None else mean)[:, None, None]
    size = np.linalg.norm((z - centre).reshape(len(z), -1), axis=1)[:, None, None, None]
    measure, parts, function = distance, [], _on_tensors(decoder)

    def images(latents: Any) -> Any:
        found = _decoded(function, latents.reshape(len(latents), -1) if flat else latents)
        if len(found) != len(latents):
            raise InputError(f"decoder must return one image per latent, got {len(found)} for {len(latents)}")
        if distance is None and found.ndim != 4:
            raise InputError(
                f"decoder must return images (m, c, H, W) unless a distance is given, got {tuple(found.shape)}"
            )
        if not bool(torch.isfinite(found).all()):
            raise InputError("decoder must return finite images, got NaN or inf")
        return found

    with torch.no_grad():
        for rows in np.array_split(np.arange(len(z)), max(1, -(-len(z) // BATCH))):
            clear = images(z[rows])
            if measure is None:
                measure = ImageDistance(clear.shape[1], seed=2).to(clear.device)
            row = []
            for one in rho:  # a handful of sizes
                step = one * size[rows] * u[rows]
                both = [measure(images(z[rows] + sign * step), clear) for sign in (1, -1)]
                row.append(torch.stack([torch.as_tensor(side) for side in both]).mean(dim=0).cpu().double().numpy())
            parts.append(np.stack(row, axis=1))
    return np.concatenate(parts)


def _on_tensors(decoder: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The decoder, or, of the package's own `decode`, which gives arrays (n, H, W, c), its twin on tensors."""
    model = getattr(decoder, "__self__", None)
    own = isinstance(model, ImageModel) and getattr(decoder, "__name__", "") == "decode"
    return model.decoder if own and isinstance(model, ImageModel) else decoder


def _decoded(decoder: Callable[[Any], Any], latents: Any) -> Any:
    """Images as a tensor, of a decoder that is called with a tensor, and with an array where it does not take that."""
    import torch

    given = torch.as_tensor(latents, dtype=torch.float32)
    try:
        found = decoder(given)
    except InputError:
        raise
    except Exception as error:
        try:
            found = decoder(given.numpy())
        except Exception:  # what it says of tensors is what most decoders are about
            shape, words = tuple(given.shape), str(error).splitlines() or [type(error).__name__]
            raise InputError(f"decoder must take latents of shape {shape} in float32, got {words[0]}") from None
    if isinstance(found, np.ndarray) and found.dtype.kind == "f":
        found = torch.from_numpy(np.ascontiguousarray(found)).to(given.dtype)
    if not isinstance(found, torch.Tensor) or not found.is_floating_point() or found.ndim < 2:
        got = f"{found.dtype} {tuple(found.shape)}" if hasattr(found, "dtype") else type(found).__name__
        hint = ": decoder = lambda z: vae.decode(z).sample" if hasattr(found, "sample") else ""
        raise InputError(f"decoder must return images (m, c, H, W), a tensor or array of floats, got {got}{hint}")
    return found
