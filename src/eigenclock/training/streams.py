"""Random streams of a training run: initial weights, data order, noise and probe each have their own.

A stream's state at a step is a function of (seed, stream, step) alone. A resumed run needs no stored state to go on exactly,
and probing can never change what training draws.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..recipe.densities import Density


class Stream(IntEnum):
    """What a stream is for."""

    INIT = 0
    ORDER = 1
    NOISE = 2
    LEVEL = 3
    PROBE = 4
    DATA = 5


def stream_seed(seed: int, stream: Stream, step: int = 0) -> int:
    """A 64-bit seed for a stream at a step."""
    low, high = np.random.SeedSequence([seed, int(stream), step]).generate_state(2)
    return int(high) << 31 | int(low) >> 1


@runtime_checkable
class Pairs(Protocol):
    """Where a step's training pairs come from."""

    def __call__(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Clean samples (n, *shape), noise levels σ (n,) in float64 on the CPU, and standard noise (n, *shape)."""
        ...


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, n: int) -> Int[np.ndarray, " n"]:
    return np.random.default_rng([seed, int(Stream.ORDER), epoch]).permutation(n)


@dataclass(frozen=True, eq=False)
class RandomPairs:
    """Shuffled epochs of the samples, noise levels from a density, fresh noise.

    `samples`: (n, *shape) on the training device. `density`: of ln σ; None draws ln σ evenly from `sigma_range`.
    """

    samples: Tensor
    batch_size: int
    density: Density | None
    sigma_range: tuple[float, float]
    seed: int

    def rows(self, step: int) -> Int[np.ndarray, " batch"]:
        """Indices of the samples of a step: every sample once per epoch, whatever the batch size."""
        n = len(self.samples)
        position = np.arange(step * self.batch_size, (step + 1) * self.batch_size)
        epoch, within = np.divmod(position, n)
        return np.concatenate([_order(self.seed, int(e), n)[within[epoch == e]] for e in np.unique(epoch)])

    def levels(self, step: int) -> Float[np.ndarray, " batch"]:
        """Noise levels of a step."""
        rng = np.random.default_rng([self.seed, int(Stream.LEVEL), step])
        if self.density is not None:
            return self.density.draw(self.batch_size, rng)
        low, high = np.log(self.sigma_range)
        return np.exp(rng.uniform(low, high, self.batch_size))

    def clean(self, step: int) -> Tensor:
        """Clean samples of a step, (batch, *shape)."""
        return self.samples.index_select(0, torch.from_numpy(self.rows(step)).to(self.samples.device))

    def __call__(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        clean = self.clean(step)
        generator = self.noise_generator(step)
        noise = torch.randn(clean.shape, generator=generator, device=clean.device, dtype=clean.dtype)
        return clean, torch.from_numpy(self.levels(step)), noise

    def noise_generator(self, step: int) -> torch.Generator:
        """The stream of noise at a step."""
        return torch.Generator(self.samples.device).manual_seed(stream_seed(self.seed, Stream.NOISE, step))


class WithReplacement(RandomPairs):
    """The same with samples drawn independently at every step, as where a small set is repeated many times per batch."""

    def rows(self, step: int) -> Int[np.ndarray, " batch"]:
        """Indices of the samples of a step."""
        rng = np.random.default_rng([self.seed, int(Stream.ORDER), step])
        return rng.integers(0, len(self.samples), self.batch_size)
