"""Copies of training samples: exact nearest neighbours in chunks, and the share of samples that are copies."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import scipy.spatial
from jaxtyping import Bool, Float, Int

from ..checks import InputError, choice, finite_array, integer, number, numeric_array
from ..clocks.replicates import Estimate, difference, proportion

Criterion: TypeAlias = Literal["ratio", "exact"]

FEW_DIMENSIONS = 8
"""Up to this many coordinates a k-d tree finds neighbours faster than a matrix of all distances (benchmarks/copies.py)."""

SPARE = 4
"""Candidates kept beyond the neighbours asked for, whose distances are computed again without cancellation."""

RATIO = 1 / 3
"""A copy is nearer than this times the distance of the second nearest training sample (Bonnaire et al., arXiv:2505.17638)."""

FEW_ROWS = 1000
"""Training samples that are looked at for whether the data are bits."""

SINGLE = ("float32", "float16", "bfloat16")

BLOCK = 4_000_000
"""Distances held at a time: 32 MB."""


def nearest(samples: Any, train: Any, *, k: int = 2) -> tuple[Float[np.ndarray, "n k"], Int[np.ndarray, "n k"]]:
    """Euclidean distances to the k nearest of `train`, and their indices, nearest first; in chunks, so that memory stays flat.

    By SciPy's k-d tree in few coordinates, else by scikit-learn or matrix products, whose candidates are measured again
    coordinate by coordinate, so that a copy has distance 0 to the bit.

    **Parameters**

    - `samples`: (n, ...). - `train`: (m, ...) of the same shape each, m >= k. - `k`: neighbours.
    """
    queries, points = _both(samples, train, "train")
    integer("k", k, at_least=1)
    if len(points) < k:
        raise InputError(f"train must hold at least {k} samples, got {len(points)}")
    if points.shape[1] <= FEW_DIMENSIONS:
        distance, index = scipy.spatial.cKDTree(points).query(queries, k=np.arange(1, k + 1), workers=-1)
        return distance, index
    centre = points.mean(axis=0)  # far from the origin, |x|² + |y|² − 2xy would cancel
    shifted, wanted = points - centre, min(k + SPARE, len(points))
    search = _searcher(shifted, wanted)
    found_distance, found_index = [], []
    per_sample = max(len(points), wanted * points.shape[1])
    for part in np.array_split(queries, np.arange(0, len(queries), max(1, BLOCK // per_sample))[1:]):
        candidates = search(part - centre)
        exact = np.sqrt(((part[:, None] - points[candidates]) ** 2).sum(axis=2))
        order = np.argsort(exact, axis=1, kind="stable")[:, :k]
        found_distance.append(np.take_along_axis(exact, order, axis=1))
        found_index.append(np.take_along_axis(candidates, order, axis=1))
    return np.concatenate(found_distance), np.concatenate(found_index)


def _searcher(points: Float[np.ndarray, "m d"], wanted: int) -> Callable[[Any], Any]:
    """Rows → indices (n, wanted) of their nearest points in any order: scikit-learn's search where it is installed."""
    try:
        from sklearn.neighbors import NearestNeighbors
    except ImportError:
        square = (points**2).sum(axis=1)  # the rows' own squares do not change the order
        return lambda rows: np.argpartition(square - 2 * rows @ points.T, wanted - 1, axis=1)[:, :wanted]
    known = NearestNeighbors(n_neighbors=wanted, algorithm="brute").fit(points)
    return lambda rows: known.kneighbors(rows, return_distance=False)


def neighbour_ratio(samples: Any, train: Any, *, name: str = "train") -> Float[np.ndarray, " n"]:
    """Distance to the nearest over distance to the second nearest sample of `train`: 0 for a copy, near 1 far from all.

    Among points without structure in d dimensions P(ratio < r) = r^d, whatever their number. Exact repeats in `train` count
    once. `name`: what errors call `train`.
    """
    queries, rows = _both(samples, train, name)
    points = np.unique(rows, axis=0)
    if len(points) < 2:
        raise InputError(f"{name} must hold at least 2 different samples for the ratio of distances, got {len(points)}")
    distance, _ = nearest(queries, points)
    return distance[:, 0] / distance[:, 1]


def found_in(samples: Any, train: Any, *, name: str = "train") -> Bool[np.ndarray, " n"]:
    """Which samples are exactly, to the bit, among `train`; in single precision if either is. `name`: what errors call `train`.

    InputError for samples of bits in another coding than `train`, which would never match.
    """
    queries, points = _both(samples, train, name)
    known = np.unique(points[: min(len(points), FEW_ROWS)])
    other = queries[~np.isin(queries, known)] if known.size == 2 else np.empty(0)
    if other.size:
        raise InputError(
            f"samples must take the values of {name}, {known[0]:g} and {known[1]:g}, got {other[0]:g}: decode them first"
        )
    if any(str(getattr(one, "dtype", "")).removeprefix("torch.") in SINGLE for one in (samples, train)):
        queries, points = (one.astype(np.float32).astype(np.float64) for one in (queries, points))
    return np.isin(_keys(queries), _keys(points))


def matches(
    samples: Any, train: Any, *, criterion: Criterion = "ratio", ratio: float = RATIO, name: str = "train"
) -> Bool[np.ndarray, " n"]:
    """Which samples are copies of `train` by a criterion of `memorization`. `name`: what errors call `train`."""
    choice("criterion", criterion, get_args(Criterion))
    number("ratio", ratio, above=0, below=1)
    if criterion == "exact":
        return found_in(samples, train, name=name)
    return neighbour_ratio(samples, train, name=name) < ratio


@dataclass(frozen=True, eq=False)
class Memorization:
    """Copies of training samples among n samples.

    - `copies`: share of samples that are copies of `train`, with Wilson's interval.
    - `control`: share of the same samples that match the held-out control set: what chance gives; None without a control set.
    - `excess`: copies − control, with Newcombe's interval; None without one. (`innovation` counts
      (copies − expected)/(1 − expected).)
    - `is_copy` (n,).
    """

    copies: Estimate
    control: Estimate | None
    excess: Estimate | None
    is_copy: Bool[np.ndarray, " n"]
    criterion: str

    def record(self) -> dict[str, float]:
        """Numbers for a probe: copies, and control and excess where there are any."""
        found = {"copies": self.copies.value}
        if self.control is not None and self.excess is not None:
            found |= {"control": self.control.value, "excess": self.excess.value}
        return found

    def __str__(self) -> str:
        more = "" if self.control is None else f", control {self.control}, excess {self.excess}"
        return f"copies {self.copies}{more} (n = {self.copies.n}; {self.criterion})"


def memorization(
    samples: Any,
    train: Any,
    control: Any = None,
    *,
    criterion: Criterion = "ratio",
    ratio: float = RATIO,
    confidence: float = 0.95,
) -> Memorization:
    """Share of generated samples that are copies of training samples, with interval and control.

    **Parameters**

    - `samples`: (n, ...) generated. - `train`: (m, ...) that the model was trained on.
    - `control`: (k, ...) held-out samples of the same law, never trained on: the same test against them says what share
      looks like a copy by chance. Give as many as `train` where you can: of a larger set as many are drawn; a smaller one is
      fair for data without clusters.
    - `criterion`: "ratio", the nearest training sample is nearer than `ratio` times the second nearest (for
      real-valued data); "exact", equal to the bit (for bits and tokens; a smaller control's rate is scaled to m samples).
    - `confidence`: of all intervals.

    Raises InputError for an empty training set, shapes that differ, entries that are not finite.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> rng = np.random.default_rng(0)
    >>> train, control, fresh = rng.standard_normal((3, 200, 16))
    >>> samples = np.concatenate([train[:50] + 0.01 * rng.standard_normal((50, 16)), fresh[:150]])
    >>> print(ec.memorization(samples, train, control).excess)
    0.25 [0.192, 0.314]

    ```
    """
    samples, train = some("samples", samples), some("train", train)
    if control is not None:
        control = some("control", control)
    number("confidence", confidence, above=0, below=1)
    ratio = number("ratio", ratio, above=0, below=1)
    copied = matches(samples, train, criterion=criterion, ratio=ratio)
    n = len(copied)
    copies = proportion(int(copied.sum()), n, confidence=confidence)
    name = f"nearest below {ratio:.3g} of the second nearest" if criterion == "ratio" else "exact matches"
    if control is None:
        return Memorization(copies, None, None, copied, name)
    held = matches(samples, as_many(control, len(train)), criterion=criterion, ratio=ratio, name="control")
    chance = proportion(int(held.sum()), n, confidence=confidence)
    if criterion == "exact":
        scale = max(1.0, len(train) / len(control))
        chance = chance.mapped(lambda share: min(1.0, scale * share))
    return Memorization(copies, chance, difference(copies, chance), copied, name)


def some(name: str, values: Any) -> Any:
    array = numeric_array(name, values, "finite numbers of shape (n, ...)")
    if array.ndim == 0:
        raise InputError(f"{name} must hold at least one sample, got shape ()")
    return array


def answered(name: str, function: Any, samples: Any) -> Any:
    """What a user's function says of samples; InputError where it does not take them."""
    try:
        return function(samples)
    except TypeError as error:
        raise InputError(f"{name} must be a function of samples, got TypeError: {error}") from error


def as_many(control: Any, m: int) -> Any:
    """The control set, or as many of a larger one as there are training samples."""
    if len(control) <= m:
        return control
    return control[np.sort(np.random.default_rng(0).permutation(len(control))[:m])]


def _both(samples: Any, train: Any, name: str) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "m d"]]:
    """Both as rows; InputError unless every sample of one is shaped like those of the other."""
    queries, points = _rows("samples", samples), _rows(name, train)
    shapes = tuple(tuple(one.shape[1:]) if hasattr(one, "shape") else np.shape(one)[1:] for one in (samples, train))
    if shapes[0] != shapes[1]:
        raise InputError(f"samples must be shaped like {name}, got {shapes[0]} and {shapes[1]}")
    return queries, points


def _rows(name: str, values: Any) -> Float[np.ndarray, "n d"]:
    """Samples as rows of float64; InputError unless there are some, all finite."""
    array = finite_array(name, values, "finite numbers of shape (n, ...)")
    if array.ndim < 1 or len(array) == 0:
        raise InputError(f"{name} must hold at least one sample, got shape {array.shape}")
    return array.reshape(len(array), -1)


def _keys(rows: Float[np.ndarray, "n d"]) -> np.ndarray:
    """Each row as one value that can be compared: its bytes, −0 as 0."""
    whole = np.ascontiguousarray(rows + 0.0)
    return whole.view(np.dtype((np.void, whole.shape[1] * whole.itemsize))).ravel()
