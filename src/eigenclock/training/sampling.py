"""The theory's samplers on real denoisers (T6)."""

import torch
from torch import Tensor

from ..checks import InputError, instance, integer, shown
from ..recipe.samplers import Sampler
from .answers import answer
from .options import Denoiser


@torch.no_grad()
def sample(
    denoiser: Denoiser, sampler: Sampler, noise: Tensor, *, generator: torch.Generator | None = None, chunk: int = 4096
) -> Tensor:
    """Samples (n, *shape) from standard noise (n, *shape).

    **Parameters**

    - `denoiser`: (x, sigma) → estimate of the clean x; sigma is a 0-dim tensor.
    - `sampler`: any sampler of the theory. `generator`: for those that add noise on the way.
    - `chunk`: samples pushed at a time.

    Raises InputError for a flow without ends: sigma_min = 0 or sigma_max = inf.
    """
    if not callable(denoiser):
        raise InputError(f"denoiser must be a function (x, sigma), got {shown(denoiser)}")
    instance("sampler", sampler, Sampler, "a sampler of the theory")
    instance("noise", noise, Tensor, "a torch tensor of standard noise (n, ...)")
    if noise.ndim < 1 or not noise.is_floating_point() or noise.is_meta:
        got = f"{noise.dtype} of shape {tuple(noise.shape)}"
        raise InputError(f"noise must be floating-point numbers of shape (n, ...), got {got}")
    if generator is not None:
        instance("generator", generator, torch.Generator, "a torch Generator")
    integer("chunk", chunk, at_least=1)
    sampler.check_walk()
    if len(noise) > chunk:
        parts = [
            sample(denoiser, sampler, part, generator=generator, chunk=chunk) for part in torch.split(noise, chunk)
        ]
        return torch.cat(parts)

    def clean(x: Tensor, sigma: float) -> Tensor:
        return answer(denoiser, x, torch.tensor(float(sigma), dtype=x.dtype, device=x.device))

    def add_noise(x: Tensor, std: float) -> Tensor:
        return x + std * torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)

    samples: Tensor = sampler.walk(noise * sampler.sigma_max, clean, add_noise)
    return samples
