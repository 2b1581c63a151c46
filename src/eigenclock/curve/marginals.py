"""Non-Gaussian structure of samples: kurtosis and distance of each mode's marginal, kurtosis of local filters (T21)."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy
from jaxtyping import Float

LEVELS = (np.arange(64) + 0.5) / 64
"""Probabilities of the quantiles by which two marginals are compared."""

FILTERS = ("horizontal difference", "vertical difference", "Laplacian")
"""Local filters of images, in the order of `filter_kurtosis`."""

DRAWS = 128
"""Draws of perfect samples whose distances are averaged: one scatters by 40 % about the mean, all together by 4 %."""

Modes = Float[np.ndarray, " mode"]


def excess_kurtosis(values: Float[np.ndarray, "n mode"]) -> Modes:
    """Excess kurtosis of every column, m₄/m₂² − 3: 0 for Gaussian values; NaN where they do not vary.

    Of n Gaussian values it scatters by √(24/n) about 0, its bias is −6/n.
    """
    squares = values - values.mean(axis=0)
    np.square(squares, out=squares)
    variance = squares.mean(axis=0)
    fourth = np.square(squares, out=squares).mean(axis=0)
    return np.where(variance > 0, fourth / np.where(variance > 0, variance, 1) ** 2 - 3, np.nan)


def filter_kurtosis(images: Float[np.ndarray, "n h w *channels"]) -> Float[np.ndarray, " filter"]:
    """Excess kurtosis of each of `FILTERS` over all places of all images; NaN where images are too small for it."""
    filters = (partial(np.diff, axis=2), partial(np.diff, axis=1), _laplacian)
    filtered = (one(images).reshape(-1, 1) for one in filters)  # one at a time: each is as large as the images
    return np.array([excess_kurtosis(one)[0] if one.size > 1 else np.nan for one in filtered])


def _laplacian(images: Float[np.ndarray, "n h w *channels"]) -> Float[np.ndarray, "n p q *channels"]:
    """Sum of the four neighbours less four times the place itself, at every place that has them all."""
    out = -4 * images[:, 1:-1, 1:-1]
    for neighbour in (images[:, :-2, 1:-1], images[:, 2:, 1:-1], images[:, 1:-1, :-2], images[:, 1:-1, 2:]):
        out += neighbour
    return out


@dataclass(frozen=True, eq=False)
class Marginals:
    """What generated marginals are held against: those of the data along the modes.

    `quantiles`: (level, mode) of the data at `LEVELS`, in data units; `scale`: (mode,) standard deviation of the data, 0 where
    a mode does not vary; `kurtosis`: (mode,) excess kurtosis of the data; `count`: samples behind them, None where they are
    known exactly.
    """

    quantiles: Float[np.ndarray, "level mode"]
    scale: Modes
    kurtosis: Modes
    count: int | None = None

    @classmethod
    def of_samples(cls, along: Float[np.ndarray, "n mode"], scale: Modes) -> "Marginals":
        """Of data in mode coordinates."""
        return cls(np.quantile(along, LEVELS, axis=0), scale, excess_kurtosis(along), len(along))

    @classmethod
    def gaussian(cls, mean: Modes, scale: Modes) -> "Marginals":
        """Of Gaussian data: no kurtosis."""
        return cls(mean + scale * scipy.special.ndtri(LEVELS)[:, None], scale, np.zeros_like(scale))

    def distance(self, along: Float[np.ndarray, "n mode"]) -> Modes:
        """Wasserstein-1 distance of each generated marginal from the data's, in the data's standard deviations.

        The mean difference of 64 quantiles. NaN where the data do not vary. A perfect model is `floor` away, not 0.
        """
        return self._in_scales(np.abs(np.quantile(along, LEVELS, axis=0) - self.quantiles).mean(axis=0))

    def floor(self, n: int, *, seed: int) -> Modes:
        """Distance that `n` independent samples of a perfect model would have, on average: what sampling alone leaves.

        Both are drawn from the data's quantiles, linear between the levels: the n samples, and the data themselves, as many as
        there were. About 1.27/√n for Gaussian modes known exactly; balanced noise that a linear model passes on leaves less,
        0.8/√n.
        """
        rng = np.random.default_rng(seed)
        drawn = zip(
            _levels_drawn(n, rng), _levels_drawn(self.count, rng), strict=True
        )  # a draw at a time: few are large
        return self._in_scales(sum(np.abs(self._at(a) - self._at(b)).mean(axis=0) for a, b in drawn) / DRAWS)

    def _at(self, level: Float[np.ndarray, " level"]) -> Float[np.ndarray, "level mode"]:
        """Quantiles at any probabilities, linear between `LEVELS` and beyond them."""
        place = level * len(LEVELS) - 0.5
        below = np.clip(np.floor(place).astype(int), 0, len(LEVELS) - 2)
        fraction = (place - below)[:, None]
        return (1 - fraction) * self.quantiles[below] + fraction * self.quantiles[below + 1]

    def _in_scales(self, distance: Modes) -> Modes:
        return np.where(self.scale > 0, distance / np.where(self.scale > 0, self.scale, 1), np.nan)


def _levels_drawn(n: int | None, rng: np.random.Generator) -> Float[np.ndarray, "draw level"]:
    """Where the quantiles at `LEVELS` of n samples lie: those of n uniform numbers, for every mode the same; None: of all."""
    return np.tile(LEVELS, (DRAWS, 1)) if n is None else np.quantile(rng.random((n, DRAWS)), LEVELS, axis=0).T
