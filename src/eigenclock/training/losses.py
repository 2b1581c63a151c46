"""The objectives of the theory (T2) as losses and denoisers of a real network: one table for both."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..checks import InputError
from ..recipe.objectives import Objective
from ..recipe.weights import EVENLY
from .answers import learned_variance
from .networks.notes import Training, noted


def coefficients(objective: Objective, sigma: Float[np.ndarray, " n"]) -> Float[np.ndarray, "six n"]:
    """a, c, e, offset, slope/a and the loss weight at each noise level: what training and sampling need of T2.

    The network sees a·y, y = x₀ + σz; it is asked for c·x₀ + e·z; the denoiser is D(y) = offset·y + (slope/a)·F(a·y).
    """
    row = objective.row(sigma)
    return np.stack([row.a, row.c, row.e, row.offset, row.slope / row.a, objective.loss_weight(sigma)])


def _per_sample(values: Any, like: Tensor) -> list[Tensor]:
    """Rows of an array (k, n) as tensors that multiply samples (n, *shape)."""
    table = torch.as_tensor(values, dtype=like.dtype, device=like.device)
    return [row.reshape(-1, *[1] * (like.ndim - 1)) for row in table]


def loss(network: Callable[..., Tensor], objective: Objective, clean: Tensor, sigma: Tensor, noise: Tensor) -> Tensor:
    """Mean over samples of w·|F − target|², summed over coordinates, as the theory and EDM count it.

    **Parameters**

    - `clean`, `noise`: (n, *shape). - `sigma`: (n,) noise levels on the CPU.
    """
    a, c, e, _, _, weight = _per_sample(coefficients(objective, sigma.double().numpy()), clean)
    level = sigma.to(clean)
    seen = a * torch.addcmul(clean, level.reshape(a.shape), noise)
    error = network(seen, level) - torch.addcmul(e * noise, c, clean)
    return (weight * error.square()).sum() / len(clean)


class NetworkDenoiser(nn.Module):
    """D(y, σ) of a network F trained under an objective: `denoiser(x, sigma)` → estimate of the clean x.

    What else it is called with, such as labels, goes to the network.

    **Parameters**

    - `network`: module or callable (x, sigma) → like x; sees x·a(σ) and σ of shape (n,).
    - `objective`: what it was trained to predict.
    """

    def __init__(self, network: Any, objective: Objective) -> None:
        super().__init__()
        self.network = network
        self.objective = objective
        self.given = (network,)  # in a tuple, lest its parameters count twice

    def forward(self, x: Tensor, sigma: Any, *given: Any, **more: Any) -> Tensor:
        level = torch.as_tensor(sigma, dtype=torch.float64).reshape(-1).cpu().expand(len(x))
        # one level for all is the common case: its coefficients are computed once
        alone = level[:1] if bool((level == level[0]).all()) else level
        a, _, _, offset, slope, _ = _per_sample(coefficients(self.objective, alone.numpy()), x)
        seen = a * x
        return offset * x + slope * shaped_like(self.network(seen, level.to(x), *given, **more), seen)

    def loss(self, clean: Tensor, generator: torch.Generator | None = None, **more: Any) -> Tensor:
        """The objective's loss on a batch of clean samples (n, *shape): what a loop of one's own descends.

        Noise levels are drawn from the objective's density, evenly in ln σ from 0.002 to 80 where it has none; levels and noise
        from `generator`, by default PyTorch's own stream. Anything else goes to the network, as class labels do.
        """
        where = clean.device if generator is None else generator.device
        sigma = draw_levels(self.objective, len(clean), generator, where)
        noise = torch.randn(clean.shape, generator=generator, device=where, dtype=clean.dtype).to(clean.device)
        return noted(self.loss_at(clean, sigma, noise, **more), self.note, *self.given)

    def note(self) -> Training:
        """What the network's output means under this objective."""
        return Training(self.predicts)

    def loss_at(self, clean: Tensor, sigma: Tensor, noise: Tensor, *, network: Any = None, **more: Any) -> Tensor:
        """The same at given noise levels (n,) and noise (n, *shape); `network`: what to call in place of its own, compiled."""
        called = self.network if network is None else network
        return loss(partial(called, **more) if more else called, self.objective, clean, sigma.cpu(), noise)

    @property
    def predicts(self) -> str:
        """Name of the objective."""
        return type(self.objective).__name__


def draw_levels(objective: Objective, n: int, generator: torch.Generator | None, device: Any) -> Tensor:
    """Noise levels (n,) in float64 for a batch."""
    density = objective.density
    if density is not None:
        seed = torch.randint(2**62, (), generator=generator, device=device)
        return torch.from_numpy(density.draw(n, np.random.default_rng(int(seed))))
    low, high = np.log(EVENLY)
    return (low + (high - low) * torch.rand(n, generator=generator, device=device, dtype=torch.float64)).exp()


def shaped_like(out: Any, seen: Tensor) -> Tensor:
    """A network's output, of the shape of its input; a diffusers model returns an object with `sample`, or a tuple.

    InputError for any other shape, which broadcasting could hide.
    """
    if not isinstance(out, Tensor):
        out = out.sample if hasattr(out, "sample") else out[0] if isinstance(out, tuple | list) and out else out
    if not isinstance(out, Tensor):
        raise InputError(f"network must return a tensor, got {type(out).__name__}")
    if out.shape != seen.shape:
        got = tuple(out.shape)
        raise InputError(
            f"network must return the shape of its input {tuple(seen.shape)}, got {got}{learned_variance(got, seen)}"
        )
    return out
