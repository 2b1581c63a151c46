"""What a conditional network is told beside the noise: labels of real samples, and labels drawn from them for generated ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...checks import InputError, numeric_array
from ..options import Denoiser
from ..streams import Stream
from .inputs import chosen_rows


@dataclass(frozen=True, eq=False)
class Conditions:
    """Labels of a probe: (n, ...) tensors whose first axis is that of samples, or none at all.

    `clean`, `held_out`: of the probe's clean and held-out samples, in their order. `pool`: drawn at random from all labels, in a
    fixed order, so that a generated sample has the same label at every step. `kinds`: how many different ones there are.
    """

    clean: Tensor | None = None
    held_out: Tensor | None = None
    pool: Tensor | None = None
    kinds: int = 0

    @classmethod
    def of(cls, labels: Any, test_labels: Any, data: Any, test: Any, seed: int) -> "Conditions":
        """Labels (n, ...) of `data` and of `test`; without data they are only drawn from. InputError where they do not fit."""
        if labels is None:
            if test_labels is not None:
                raise InputError("test_labels need labels, got none of the data")
            return cls()
        given = _labels("labels", labels)
        if data is not None and len(given) != len(data):
            raise InputError(f"labels must be one for each of the {len(data):,} samples of data, got {len(given):,}")
        held_out = None
        if test is not None:
            if test_labels is None:
                raise InputError("test_labels must be given: the losses of held-out samples need their labels")
            held_out = _labels("test_labels", test_labels)
            if len(held_out) != len(test):
                raise InputError(
                    f"test_labels must be one for each of the {len(test):,} samples of test, got {len(held_out):,}"
                )
            held_out = held_out[torch.from_numpy(chosen_rows(len(held_out), seed))]
        rng = np.random.default_rng([seed, int(Stream.PROBE), POOL])
        pool = given[torch.from_numpy(rng.integers(0, len(given), DRAWN))]
        clean = None if data is None else given[torch.from_numpy(chosen_rows(len(given), seed))]
        return cls(pool if clean is None else clean, held_out, pool, len(torch.unique(given, dim=0)))

    def to(self, device: Any) -> "Conditions":
        """The same on a device; whole numbers stay whole."""
        clean, held_out, pool = (
            None if one is None else one.to(device) for one in (self.clean, self.held_out, self.pool)
        )
        return Conditions(clean, held_out, pool, self.kinds)

    def drawn(self, n: int) -> Tensor | None:
        """Labels of `n` generated samples, the first of the pool."""
        if self.pool is None:
            return None
        return (
            self.pool[:n]
            if n <= len(self.pool)
            else self.pool[torch.arange(n, device=self.pool.device) % len(self.pool)]
        )

    def of_pairs(self, n: int, held_out: int = 0) -> tuple[Tensor | None, Tensor | None]:
        """Labels of the first `n` clean samples, and of the first `held_out` held-out ones."""
        clean = None if self.clean is None else self.clean[torch.arange(n, device=self.clean.device) % len(self.clean)]
        return clean, None if self.held_out is None else self.held_out[:held_out]

    def bound(self, denoiser: Denoiser, given: Tensor | None) -> Denoiser:
        """The denoiser under these labels."""
        return denoiser if given is None else lambda x, sigma: denoiser(x, sigma, given[: len(x)])

    @property
    def in_words(self) -> str:
        """What is said of them at the first look; empty without labels."""
        if self.pool is None:
            return ""
        return f"; conditional: labels are drawn from the data's ({self.kinds:,} different), guidance is off"


POOL, DRAWN = 3, 4096
"""Stream of the labels that are drawn, and how many of them."""


def in_chunks(given: Tensor | None, n: int, chunk: int) -> Iterator[Tensor | None]:
    """Labels of `n` samples in chunks, or as many times none."""
    yield from [None] * -(-n // chunk) if given is None else torch.split(given, chunk)


def _labels(name: str, labels: Any) -> Tensor:
    """Labels as a tensor: whole numbers as int64, anything else in float32."""
    found = numeric_array(name, labels, "numbers, one label (or row of them) for each sample")
    if found.ndim == 0 or len(found) == 0:
        raise InputError(f"{name} must be numbers, one label (or row of them) for each sample, got shape {found.shape}")
    return torch.as_tensor(found.astype(np.int64 if found.dtype.kind in "iub" else np.float32))
