"""Classes of labelled images in one space for all arms, with disjoint sets for training, control and classifier."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from jaxtyping import Float, Int

from eigenclock.checks import InputError
from eigenclock.data.labelled import Labelled

FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
RANKS = (1, 5, 10)
"""Ranks of the class covariances' traces that the three arms take: lowest, middle, highest of ten."""

ARMS = {"balanced": (1 / 3, 1 / 3, 1 / 3), "rare high": (0.475, 0.475, 0.05), "rare low": (0.05, 0.475, 0.475)}
"""Proportions in the order low, middle, high variance."""


@dataclass(frozen=True, eq=False)
class Classes:
    """Coordinates of some classes, by rising variance, in one space for all arms.

    `train`, `control`: per class, disjoint pools that arms draw from. `others`: per class, images outside both, for a classifier.
    `test`: per class. `covariance`: per class, of all its training images. `traces`: of the covariances in pixels, per class.
    """

    names: tuple[str, ...]
    train: list[Float[np.ndarray, "_ d"]]
    control: list[Float[np.ndarray, "_ d"]]
    others: list[Float[np.ndarray, "_ d"]]
    test: list[Float[np.ndarray, "_ d"]]
    covariance: list[Float[np.ndarray, "d d"]]
    traces: Float[np.ndarray, " K"]
    kept: float
    source: str

    def arm(self, shares: Any, n: int, seed: int) -> tuple[Any, Any, Int[np.ndarray, " K"]]:
        """Training and control samples (n, d) of an arm of these proportions, each seed's own; and the counts of its classes."""
        counts = np.round(np.asarray(shares) * n).astype(int)
        counts[int(np.argmax(shares))] += n - counts.sum()
        few = min(len(pool) for pool in (*self.train, *self.control))
        if counts.max() > few:
            raise InputError(f"n must leave at most {few} images of a class, got {counts.max()} of n = {n}")
        rng = np.random.default_rng([seed, 5])
        train, control = (
            np.concatenate([rng.permutation(pool)[:c] for pool, c in zip(pools, counts, strict=True)])
            for pools in (self.train, self.control)
        )
        return train, control, counts


def ranked(data: Labelled) -> tuple[Int[np.ndarray, " class"], Float[np.ndarray, " class"]]:
    """Labels by rising trace of the class covariance, and the traces; made before any training."""
    flat = data.train_x.reshape(len(data.train_x), -1)
    known = np.unique(data.train_y)
    if known.size < 3:
        raise InputError(f"labels must have at least 3 classes, got {known.size}")
    traces = np.array([flat[data.train_y == k].var(axis=0, dtype=np.float64).sum() for k in known])
    order = np.argsort(traces)
    return known[order], traces[order]


def classes_of(data: Labelled, *, three: bool, d: int | None, pca_from: int, pool: int, seed: int) -> Classes:
    """Split and project: `pca_from` training images of each class fix the space, `pool` of each are for training and control.

    **Parameters**

    - `three`: the classes at `RANKS` of the traces, or all. - `d`: PCA coordinates, one common scale so that the mean coordinate
      variance is 1; None keeps pixels, scaled to [−1, 1].
    """
    labels, traces = ranked(data)
    if three:
        n = labels.size
        places = [min(rank, n) - 1 for rank in RANKS] if n >= RANKS[-1] else [0, n // 2, n - 1]
        labels, traces = labels[places], traces[places]
    rng = np.random.default_rng(seed)
    size = int(np.prod(data.train_x.shape[1:]))
    rows = [data.train_x[data.train_y == k].reshape(-1, size).astype(np.float64) for k in labels]
    rows = [one[rng.permutation(len(one))] for one in rows]
    space = _space(np.concatenate([one[:pca_from] for one in rows]), d)
    inside = [space.project(one) for one in rows]
    least = min(map(len, inside))
    if least < 2 * pool + 200:
        raise InputError(f"every class needs {2 * pool + 200} training images, got {least}")
    named = "fashion" in data.name
    return Classes(
        tuple(FASHION[k] if named and k < len(FASHION) else f"class {k}" for k in labels.tolist()),
        [one[:pool] for one in inside],
        [one[pool : 2 * pool] for one in inside],
        [one[2 * pool :] for one in inside],
        [space.project(data.test_x[data.test_y == k].reshape(-1, size).astype(np.float64)) for k in labels],
        [np.cov(one.T) for one in inside],
        traces,
        space.kept,
        data.name,
    )


@dataclass(frozen=True, eq=False)
class _Space:
    """x → (x − mean) basis/scale; the share of the variance that it keeps."""

    mean: Any
    basis: Any
    scale: float
    kept: float

    def project(self, x: Any) -> Any:
        return (x - self.mean) / self.scale if self.basis is None else (x - self.mean) @ self.basis / self.scale


def _space(samples: Any, d: int | None) -> _Space:
    """PCA with one common scale, mean coordinate variance 1; or pixels from [0, 1] to [−1, 1]."""
    if d is None:
        return _Space(0.5, None, 0.5, 1.0)
    mean = samples.mean(axis=0)
    values, vectors = scipy.linalg.eigh(np.cov((samples - mean).T))
    largest = values[::-1][:d]
    return _Space(mean, vectors[:, ::-1][:, :d], float(np.sqrt(largest.mean())), float(largest.sum() / values.sum()))


def synthetic(seed: int = 0) -> Labelled:
    """Three classes of 4×4 pictures that stand in for real ones in the smallest preset, and are called synthetic."""
    rng = np.random.default_rng(seed)
    centres = rng.random((3, 16))

    def drawn(n: int) -> tuple[Any, Any]:
        labels = np.repeat(np.arange(3), n)
        spread = np.array([0.05, 0.1, 0.2])[labels, None]
        return (centres[labels] + spread * rng.standard_normal((3 * n, 16))).reshape(-1, 4, 4).astype(
            np.float32
        ), labels

    (x, y), (test_x, test_y) = drawn(400), drawn(100)
    return Labelled(x, y, test_x, test_y, "synthetic")
