"""A classifier of real samples that says of noise that it is none of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ..checks import InputError, finite_array, need_memory, number, numeric_array, random_seed, shown

CONFIDENT = 0.9
"""Probability below which a sample is of no class."""

QUANTILE = 0.99
"""Share of held-out real samples within whose distances to their class others must lie; as many are left out on either side."""

HELD_OUT = 1 / 3
"""Share of each class that the distances and the accuracy are read on, and the pass rates, each sample by the others' limits."""

FEWEST = 12
"""Real samples that a class needs: eight to fit, four held out."""

FLOOR = 1e-6
"""Least variance of a direction, relative to the mean: coordinates that never vary have one."""


@dataclass(frozen=True, eq=False, repr=False)
class ClassGate:
    """Which class a sample is of, −1 for none: probability at least 0.9, and as far from the class's middle as real ones are.

    A classifier alone gives every sample a class, noise too. `ClassGate.of(X, y)` fits logistic regression, and a Gaussian with
    shrunk covariance (Ledoit and Wolf 2004) to each class; a sample passes whose Mahalanobis distance to its class is within the
    middle 99 % of held-out real samples: averages of samples are too near the middle, but for few coordinates, where real samples
    are there too. Samples of any shape are taken as rows.

    - `accuracy`: share of held-out real samples whose most probable class is theirs.
    - `pass_rate` (class,): share of held-out real samples that get their class, each by the limits of the others: what a perfect
      generator scores. - `shares` (class,): of the real samples. - `limits` (class, 2): least and largest squared distance.
    """

    probabilities: Callable[[Any], Float[np.ndarray, "n K"]]
    means: Float[np.ndarray, "K d"]
    precisions: Float[np.ndarray, "K d d"]
    limits: Float[np.ndarray, "K 2"]
    shares: Float[np.ndarray, " K"]
    accuracy: float
    pass_rate: Float[np.ndarray, " K"]
    confident: float

    @classmethod
    def of(
        cls, X: Any, y: Any, *, confident: float = CONFIDENT, quantile: float = QUANTILE, seed: int = 0
    ) -> "ClassGate":
        """Fit to real samples X (n, ...) of classes y (n,), whole numbers from 0, of every class at least twelve.

        A third of each class is held out, for the distances, the accuracy and the pass rates. K·d² numbers are kept: project
        samples of more than some thousand coordinates first. Needs scikit-learn.

        ```python
        >>> import numpy as np
        >>> from eigenclock.observables.class_gate import ClassGate
        >>> rng, y = np.random.default_rng(0), np.repeat([0, 1], 200)
        >>> gate = ClassGate.of(rng.standard_normal((400, 5)) + 6 * y[:, None], y)
        >>> gate(np.array([[1.0] * 5, [7.0] * 5, [3.0] * 5, [-9.0] * 5, [0.0] * 5])).tolist()  # between, beyond, no spread: none
        [0, 1, -1, -1, -1]

        ```
        """
        x, labels, counts = _real(X, y)
        confident = number("confident", confident, above=0, below=1)
        quantile = number("quantile", quantile, above=0, at_most=1)
        d, classes = x.shape[1], counts.size
        need_memory(f"real of {classes} classes with {d:,} coordinates", 24.0 * classes * d**2)
        try:
            from sklearn.covariance import ledoit_wolf
        except ImportError:
            raise InputError("real samples need scikit-learn to tell classes: pip install 'eigenclock[data]'") from None
        rng = np.random.default_rng(random_seed(seed))
        held = np.zeros(len(x), bool)
        for k, count in enumerate(counts):
            held[rng.permutation(np.flatnonzero(labels == k))[: int(np.ceil(HELD_OUT * count))]] = True
        groups = [x[~held & (labels == k)] for k in range(classes)]
        means = np.stack([one.mean(axis=0) for one in groups])
        precisions = np.empty((classes, d, d))
        for k, one in enumerate(groups):
            covariance, _ = ledoit_wolf(one)
            precisions[k] = np.linalg.inv(covariance + FLOOR * max(np.trace(covariance) / d, 1e-300) * np.eye(d))
        probabilities = _logistic(x[~held], labels[~held])
        away = [_distance(x[held & (labels == k)], means[k], precisions[k]) for k in range(classes)]
        limits = np.array([_band(one, quantile, one.size) for one in away])
        known = labels[held]
        share = probabilities(x[held])
        gate = cls(
            probabilities, means, precisions, limits, counts / counts.sum(), float((share.argmax(axis=1) == known).mean()),
            np.ones(classes), confident,
        )  # fmt: skip
        others = replace(gate, limits=np.array([_band(one, quantile, one.size - 1) for one in away]))
        passed = others(x[held]) == known
        return replace(gate, pass_rate=np.array([passed[known == k].mean() for k in range(classes)]))

    def __call__(self, samples: Any) -> Int[np.ndarray, " n"]:
        """Class of each sample (n, ...), −1 for none; samples that are not finite are of none."""
        x, finite = self._rows(samples)
        found = np.full(len(x), -1)
        if finite.any():
            rows = x[finite]
            share = self.probabilities(rows)
            best = share.argmax(axis=1)
            near = np.full(len(rows), np.inf)
            for k, (mean, precision) in enumerate(zip(self.means, self.precisions, strict=True)):
                near[best == k] = _distance(rows[best == k], mean, precision)
            least, largest = self.limits[best].T
            inside = (share.max(axis=1) >= self.confident) & (near >= least) & (near <= largest)
            found[finite] = np.where(inside, best, -1)
        return found

    def nearest(self, samples: Any) -> Int[np.ndarray, " n"]:
        """Most probable class of each sample, also of one that is none; −1 where it is not finite."""
        x, finite = self._rows(samples)
        found = np.full(len(x), -1)
        if finite.any():
            found[finite] = self.probabilities(x[finite]).argmax(axis=1)
        return found

    def __repr__(self) -> str:
        rates = ", ".join(f"{one:.2f}" for one in self.pass_rate)
        return f"ClassGate({len(self.limits)} classes, accuracy {self.accuracy:.3f}, pass rates {rates})"

    def _rows(self, samples: Any) -> tuple[Any, Any]:
        array = numeric_array("samples", samples, "numbers of shape (n, ...)").astype(np.float64)
        x = array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1)
        if x.shape[1] != self.means.shape[1]:
            raise InputError(f"samples must have the real ones' {self.means.shape[1]} coordinates, got {x.shape[1]}")
        return x, np.isfinite(x).all(axis=1)


def most_probable(probabilities: Any, confident: float = CONFIDENT) -> Int[np.ndarray, " n"]:
    """Labels (n,) of probabilities (n, class): −1 where none is at least 0.9. InputError unless they are probabilities."""
    share = np.asarray(probabilities, dtype=np.float64)
    known = np.where(np.isfinite(share).all(axis=1, keepdims=True), share, 0.0)
    if known.min() < 0 or known.sum(axis=1).max() > 1 + 1e-3:
        raise InputError(
            f"classify must give labels, or probabilities >= 0 that sum to at most 1, got {known.min():.3g} to "
            f"{known.max():.3g} with sums up to {known.sum(axis=1).max():.3g}"
        )
    return np.where(known.max(axis=1) >= confident, known.argmax(axis=1), -1)


def _real(X: Any, y: Any) -> tuple[Float[np.ndarray, "n d"], Int[np.ndarray, " n"], Int[np.ndarray, " K"]]:
    """Rows, labels and counts of real samples, checked."""
    x = finite_array("real[0]", X, "finite samples (n, ...)")
    labels = numeric_array("real[1]", y, "whole numbers >= 0 of shape (n,)")
    if x.ndim < 2 or x.size == 0:
        raise InputError(f"real[0] must have shape (n, ...), got {x.shape}")
    if labels.shape != (len(x),) or labels.dtype.kind not in "iu" or labels.min() < 0:
        raise InputError(
            f"real[1] must be {len(x)} whole numbers >= 0, a class per sample, got {labels.dtype} of shape {labels.shape}"
        )
    if labels.max() >= len(x):
        raise InputError(f"real[1] must number the classes from 0, got {shown(int(labels.max()))}")
    counts = np.bincount(labels.astype(np.int64))
    if counts.min() < FEWEST or counts.size < 2:
        few = f"{int(counts.min())} of class {int(counts.argmin())}" if counts.size > 1 else "one class"
        raise InputError(f"real must hold at least {FEWEST} samples of each of two classes or more, got {few}")
    return x.reshape(len(x), -1), labels.astype(np.int64), counts


def _logistic(x: Float[np.ndarray, "n d"], y: Int[np.ndarray, " n"]) -> Callable[[Any], Float[np.ndarray, "m K"]]:
    """Probabilities of multinomial logistic regression on coordinates of unit spread."""
    from sklearn.linear_model import LogisticRegression

    centre, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    model = LogisticRegression(max_iter=2000).fit((x - centre) / spread, y)
    return lambda rows: np.asarray(model.predict_proba((rows - centre) / spread))


def _distance(x: Float[np.ndarray, "m d"], mean: Any, precision: Any) -> Float[np.ndarray, " m"]:
    """Squared Mahalanobis distances."""
    away = x - mean
    return np.einsum("nd,nd->n", away @ precision, away)


def _band(away: Float[np.ndarray, " m"], share: float, n: int) -> tuple[float, float]:
    """Least and largest distance that a further one of the law lies within with probability `share`, by n of them.

    By order statistics: that many are left out on either side. With n = m − 1 these are the ranks that one of the m lies within
    exactly where it lies within the limits by the other m − 1.
    """
    ordered, last = np.sort(away), int(np.ceil(min(n, (1 + share) / 2 * (n + 1)))) - 1
    return ordered[away.size - 1 - last], ordered[last]
