"""Moments of samples that come in pieces: of training samples, and of those held out."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Shaped

from ..checks import InputError, need_memory
from .bases import Cosines
from .estimation import plain_waves, real_waves
from .moments import Moments, known_samples, rows_at_once
from .split import HeldOut

Named: TypeAlias = Iterable[tuple[str, Any]]
"""Batches of samples (n, *shape), with what an error calls each."""

Piece: TypeAlias = Shaped[np.ndarray, "n ..."]


def pieces_of(named: Named) -> Iterator[Piece]:
    """Batches, checked, all of the first one's shape, cut so that a few copies in float64 are small."""
    shape = None
    for name, given in named:
        batch = known_samples(name, given, shape)
        shape = batch.shape[1:]
        step = rows_at_once(int(np.prod(shape)))
        for begin in range(0, len(batch), step):
            yield batch[begin : begin + step]


class Streamed:
    """Moments of samples in the order of the data, from `start`: `training`, and `test` where some are held out.

    One group of all coordinates for "pca", one of all channels of every frequency for "dct", of their real and imaginary parts
    for "fourier". Waves are of samples less `origin`, one of them: a large mean costs no digits.
    """

    def __init__(self, basis: str, origin: Shaped[np.ndarray, "..."], split: HeldOut | None, start: int = 0) -> None:
        self.basis, self.split, self.read, self.start = basis, split, 0, start
        self.origin, self.shape = np.asarray(origin, dtype=np.float64), origin.shape
        d, channels = origin.size, self.shape[2] if len(self.shape) == 3 else 1
        pooled, copies = basis == "pca", 1 if split is None else 2
        # eigenvectors of a d×d matrix: the matrix, both its triangles, a copy and twice as much to work in
        size = (4 + copies) * d**2 if pooled else (2 + copies) * 4 * d * channels
        need_memory(f"a spectrum of {d:,} coordinates", 8.0 * size)
        groups, width = (1, d) if pooled else (d // channels, channels if basis == Cosines.name else 2 * channels)
        self.training = Moments(groups, width)
        self.test = None if split is None else Moments(groups, width)

    def add(self, piece: Piece) -> "Streamed":
        """Take in the next samples."""
        if self.basis == "pca":
            groups = piece.reshape(len(piece), 1, -1)
        else:
            groups = (plain_waves if self.basis == Cosines.name else real_waves)(piece - self.origin)
        if self.split is None or self.test is None:
            self.training.add(groups)
        else:
            held_out = self.split.rows(self.start + self.read, len(piece))
            self.training.add(groups[~held_out])
            self.test.add(groups[held_out])
        self.read += len(piece)
        return self

    def merge(self, other: "Streamed") -> "Streamed":
        """Take in the moments of other samples, of the same origin."""
        self.training.merge(other.training)
        if self.test is not None and other.test is not None:
            self.test.merge(other.test)
        self.read += other.read
        return self

    def enough(self) -> "Streamed":
        """Itself; InputError for fewer than two samples."""
        if self.training.count < 2:
            raise InputError(f"x must hold at least 2 samples, got {self.training.count}")
        if self.test is not None and self.test.count < 2:
            raise InputError(f"held_out must leave at least 2 samples out, got {self.test.count} of {self.read:,}")
        return self


def combined(parts: list[Streamed]) -> Streamed:
    """Moments of the samples of all parts, which stay as they are."""
    whole = Streamed(parts[0].basis, parts[0].origin, parts[0].split)
    for part in parts:
        whole.merge(part)
    return whole
