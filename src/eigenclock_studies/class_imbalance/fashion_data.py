"""Three classes of labelled images by variance, one space for all arms, disjoint sets for training, control and classifier."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from jaxtyping import Float, Int

from eigenclock.checks import InputError
from eigenclock.data.labelled import Labelled

FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
RANKS = (1, 5, 10)
"""Ranks of the class covariances' traces that are taken: lowest, middle, highest of ten."""

ARMS = {"balanced": (1 / 3, 1 / 3, 1 / 3), "rare high": (0.475, 0.475, 0.05), "rare low": (0.05, 0.475, 0.475)}
"""Proportions in the order low, middle, high variance."""


@dataclass(frozen=True, eq=False)
class ThreeClasses:
    """Coordinates of three classes, ordered by variance, in one space for all arms.

    `train`, `control`: per class, disjoint pools that arms draw from. `judge`, `held_out`: per class, for the classifier and for
    its thresholds. `test`: per class. `covariance`: per class, of all its training images. `traces`: of all classes, in pixels.
    """

    names: tuple[str, ...]
    train: list[Float[np.ndarray, "_ d"]]
    control: list[Float[np.ndarray, "_ d"]]
    judge: list[Float[np.ndarray, "_ d"]]
    held_out: list[Float[np.ndarray, "_ d"]]
    test: list[Float[np.ndarray, "_ d"]]
    covariance: list[Float[np.ndarray, "d d"]]
    traces: Float[np.ndarray, " class"]
    kept: float
    source: str

    def arm(self, name: str, n: int) -> tuple[Any, Any, Int[np.ndarray, " K"]]:
        """Training and control samples (n, d) of an arm, and the counts of its classes: the same total in all arms."""
        counts = np.round(np.asarray(ARMS[name]) * n).astype(int)
        counts[int(np.argmax(ARMS[name]))] += n - counts.sum()
        few = min(len(pool) for pool in (*self.train, *self.control))
        if counts.max() > few:
            raise InputError(f"n must leave at most {few} images of a class, got {counts.max()} of n = {n}")
        train, control = (
            np.concatenate([pool[:c] for pool, c in zip(pools, counts, strict=True)])
            for pools in (self.train, self.control)
        )
        return train, control, counts


def choose(labels: Any, images: Any) -> tuple[Int[np.ndarray, " chosen"], Float[np.ndarray, " class"]]:
    """The classes at `RANKS` of the traces of the class covariances, and all traces; made before any training."""
    flat = images.reshape(len(images), -1)
    known = np.unique(labels)
    if known.size < 3:
        raise InputError(f"labels must have at least 3 classes, got {known.size}")
    traces = np.array([flat[labels == k].var(axis=0, dtype=np.float64).sum() for k in known])
    order = np.argsort(traces)
    ranks = (
        [min(rank, known.size) - 1 for rank in RANKS]
        if known.size >= RANKS[-1]
        else [0, known.size // 2, known.size - 1]
    )
    return known[order[ranks]], traces


def three_classes(data: Labelled, *, d: int | None, pca_from: int, pool: int, seed: int) -> ThreeClasses:
    """Split and project: `pca_from` training images of each class fix the space, `pool` of each are for training and control.

    **Parameters**

    - `d`: PCA coordinates, one common scale so that the mean coordinate variance is 1; None keeps pixels, scaled to [−1, 1].
    """
    chosen, traces = choose(data.train_y, data.train_x)
    rng = np.random.default_rng(seed)
    shape = data.train_x.shape[1:]
    rows = [data.train_x[data.train_y == k].reshape(-1, int(np.prod(shape))).astype(np.float64) for k in chosen]
    rows = [one[rng.permutation(len(one))] for one in rows]
    tests = [data.test_x[data.test_y == k].reshape(-1, int(np.prod(shape))).astype(np.float64) for k in chosen]
    space = _space(np.concatenate([one[:pca_from] for one in rows]), d)
    inside = [space.project(one) for one in rows]
    least = min(map(len, inside))
    if least < 2 * pool + 200:
        raise InputError(f"every class needs {2 * pool + 200} training images, got {least}")
    rest = [one[2 * pool :] for one in inside]
    names = tuple(FASHION[k] if "fashion" in data.name and k < len(FASHION) else f"class {k}" for k in chosen.tolist())
    return ThreeClasses(
        names,
        [one[:pool] for one in inside],
        [one[pool : 2 * pool] for one in inside],
        [one[: 2 * len(one) // 3] for one in rest],
        [one[2 * len(one) // 3 :] for one in rest],
        [space.project(one) for one in tests],
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


@dataclass(frozen=True, eq=False)
class Judge:
    """A classifier of real images that the generative model never sees, and a distance beyond which nothing counts.

    Made by `judge_of`. `strict` gives −1 to samples that no class may claim; `nearest` always gives a class.
    """

    model: Any
    means: list[Any]
    precisions: list[Any]
    limits: list[float]
    accuracy: float
    pass_rate: Float[np.ndarray, " class"]

    def nearest(self, x: Any) -> Int[np.ndarray, " n"]:
        """Most probable class."""
        return self.model.predict(_flat(x)).astype(int)

    def strict(self, x: Any) -> Int[np.ndarray, " n"]:
        """Class of probability >= 0.9 whose Mahalanobis distance is below the 99 % quantile of held-out images; else −1."""
        flat = _flat(x)
        share = self.model.predict_proba(flat)
        best = share.argmax(axis=1)
        near = np.stack([_distance(flat, m, p) for m, p in zip(self.means, self.precisions, strict=True)], axis=1)
        inside = near[np.arange(len(flat)), best] < np.asarray(self.limits)[best]
        return np.where((share.max(axis=1) >= CONFIDENT) & inside, best, -1).astype(int)


CONFIDENT, QUANTILE, LEAST_ACCURACY = 0.9, 0.99, 0.97


def judge_of(data: ThreeClasses, *, least: float = LEAST_ACCURACY) -> Judge:
    """Logistic regression on coordinates of images outside every training set; InputError if it is not accurate enough."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise InputError("the classifier needs scikit-learn: pip install 'eigenclock[data]'") from None
    x = np.concatenate([_flat(one) for one in data.judge])
    y = np.repeat(np.arange(3), [len(one) for one in data.judge])
    model = LogisticRegression(max_iter=2000).fit(x, y)
    test = [_flat(one) for one in data.test]
    accuracy = float(np.mean(np.concatenate([model.predict(one) == k for k, one in enumerate(test)])))
    if accuracy < least:
        raise InputError(
            f"the classifier must be right for {least:.0%} of test images, got {accuracy:.1%}: choose other classes"
        )
    means = [_flat(one).mean(axis=0) for one in data.judge]
    shrink = 1e-6 * np.eye(x.shape[1])
    precisions = [np.linalg.inv(np.cov(_flat(one).T) + shrink) for one in data.judge]
    limits = [
        float(np.quantile(_distance(_flat(one), m, p), QUANTILE))
        for one, m, p in zip(data.held_out, means, precisions, strict=True)
    ]
    judge = Judge(model, means, precisions, limits, accuracy, np.ones(3))
    passing = np.array([(judge.strict(one) == k).mean() for k, one in enumerate(data.test)])
    return Judge(model, means, precisions, limits, accuracy, passing)


def _flat(x: Any) -> Any:
    return np.asarray(x, dtype=np.float64).reshape(len(x), -1)


def _distance(x: Any, mean: Any, precision: Any) -> Any:
    away = x - mean
    return np.einsum("nd,de,ne->n", away, precision, away, optimize=True)


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
