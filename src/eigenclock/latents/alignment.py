"""What aligns a latent space with a prior: spatial structure, local continuity, global semantics.

Formulas from published notes on arXiv:2605.07915; normalisations are ours.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize

from ..checks import InputError, integer, number
from .convolutions import token_norm

NATS = 31.0
"""Information about z that a perturbation by θ leaves at the paper's size, −D ln sin θ at D = 8192 and 85 degrees."""

Distance = Callable[[Tensor, Tensor], Tensor]


def _same(z: Tensor, zt: Tensor) -> None:
    if z.shape != zt.shape or z.ndim != 4:
        raise InputError(
            f"z and its prior must be latents (n, d, h, w) of one shape, got {tuple(z.shape)} and {tuple(zt.shape)}"
        )


def ssr(z: Tensor, zt: Tensor) -> Tensor:
    """Spatial structure: mean squared difference of the Gram matrices of unit tokens, over token pairs and samples.

    `z`, `zt`: (n, d, h, w). Blind to scale and to any rotation common to all tokens.
    """
    _same(z, zt)
    a, b = (normalize(one.flatten(2), dim=1) for one in (z, zt))
    return (a.transpose(1, 2) @ a - b.transpose(1, 2) @ b).square().mean()


def scr(z: Tensor, zt: Tensor) -> Tensor:
    """Global semantics: 1 − cosine of mean tokens, plus the mean over tokens of 1 − cosine; averaged over samples."""
    _same(z, zt)
    whole = 1 - cosine_similarity(z.mean(dim=(2, 3)), zt.mean(dim=(2, 3)), dim=1)
    tokens = 1 - cosine_similarity(z, zt, dim=1).mean(dim=(1, 2))
    return (whole + tokens).mean()


def mcr(
    z: Tensor,
    decoder: Callable[[Tensor], Tensor],
    angles: tuple[float, float],
    dist: Distance,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Local continuity: images of z turned by two angles (degrees) in one random direction stay near those of the smaller turn.

    |r_m − sg(r)| + P(r_m, sg(r)) + |r_l − sg(r_m)| + P(r_l, sg(r_m)), r = decoder(z), sg = no gradient.

    `dist`: P, (n,) of two batches; `angles`: the smaller, then the larger turn.
    """
    small, large = angles
    for name, angle in (("angles[0]", small), ("angles[1]", large)):
        number(name, angle, above=0, below=90)
    direction = torch.randn(z.shape, generator=generator, device=z.device, dtype=z.dtype)
    clear = decoder(z).detach()
    near, far = (decoder(turned(z, direction, angle)) for angle in (small, large))
    still = near.detach()
    return (near - clear).abs().mean() + dist(near, clear).mean() + (far - still).abs().mean() + dist(far, still).mean()


def turned(z: Tensor, direction: Tensor, degrees: float) -> Tensor:
    """Tokens of z + tan(θ)·direction, normalised again: turned by about θ where there are many dimensions."""
    return token_norm(z + math.tan(math.radians(degrees)) * direction)


def equal_information_angle(dimension: int) -> float:
    """Degrees of the larger turn that leave as much information about z as the paper's 85 at D = 8192: arcsin(e^{−31/D}).

    ```python
    >>> from eigenclock.latents.alignment import equal_information_angle
    >>> [round(equal_information_angle(D)) for D in (128, 8192)]
    [52, 85]

    ```
    """
    integer("dimension", dimension, at_least=1)
    return math.degrees(math.asin(math.exp(-NATS / dimension)))
