"""Exact nearest neighbours in chunks: single precision finds candidates, double precision decides, and looks again in doubt."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import scipy
from jaxtyping import Float, Int, Shaped

from ..checks import InputError, finite_array, integer, numeric_array

FEW_DIMENSIONS = 8
"""Up to this many coordinates a k-d tree finds neighbours faster than a matrix of all distances (benchmarks/copies.py)."""

SPARE = 4
"""Candidates kept beyond the neighbours asked for, whose distances are computed again without cancellation."""

BLOCK = 4_000_000
"""Numbers held at a time: 16 MB in single precision."""

MOST_QUERIES = 2048
"""Samples looked for at a time."""

MANY = 3e9
"""Products of coordinates from which PyTorch is taken where it is installed and no device named: loading it takes a second."""

FOLDS = 16
"""Columns whose minimum stands for them in the search without PyTorch."""

HALF_ULP, TINY = 2.0**-24, 1e-37
"""Rounding of single precision, relative, and what it loses below its smallest numbers."""

SINGLE_RANGE = 1e15
"""Magnitude of coordinates whose squares, added up, single precision holds."""

Rows = Shaped[np.ndarray, "_ _"]
Smallest: TypeAlias = Callable[[Any, Any, int], tuple[Any, Any]]
"""(rows, block of points, number) → the smallest |p|² − 2xp of each row and their places in the block, in any order."""


def nearest(
    samples: Any, train: Any, *, k: int = 2, device: Any = "auto"
) -> tuple[Float[np.ndarray, "n k"], Int[np.ndarray, "n k"]]:
    """Euclidean distances to the k nearest of `train`, and their indices, nearest first; in chunks, so that memory stays flat.

    By SciPy's k-d tree in few coordinates, else by matrix products in single precision, on PyTorch where it is installed and
    there is much to do. Candidates are measured again in double precision, coordinate by coordinate, so that a copy has distance
    0 to the bit; where rounding might have hidden a nearer one, all points are looked at in double precision: precision does not
    change the answer. Arrays keep their own precision, integers too: none is copied whole.

    **Parameters**

    - `samples`: (n, ...). - `train`: (m, ...) of the same shape each, m >= k. - `k`: neighbours.
    - `device`: of PyTorch; "auto" is a GPU where there is one. InputError for a named one without PyTorch.
    """
    queries, points = both(samples, train, "train")
    integer("k", k, at_least=1)
    if len(points) < k:
        raise InputError(f"train must hold at least {k} samples, got {len(points)}")
    n, (m, d) = len(queries), points.shape
    if d <= FEW_DIMENSIONS:
        tree = scipy.spatial.cKDTree(points.astype(np.float64))
        distance, index = tree.query(queries.astype(np.float64), k=np.arange(1, k + 1), workers=-1)
        return distance, index
    wanted = min(k + SPARE, m)
    centre = points.mean(axis=0, dtype=np.float64)  # far from the origin, |x|² + |y|² − 2xy would cancel
    inside = max(largest(queries), largest(points)) < SINGLE_RANGE
    if inside:
        centre = centre.astype(np.float32).astype(np.float64)  # what both precisions can take off
    distance, index = np.empty((n, k)), np.empty((n, k), dtype=np.intp)
    with searcher(device, float(n) * m * d) as single:
        for start in range(0, n, MOST_QUERIES):
            part = queries[start : start + MOST_QUERIES]
            doubtful = np.full(len(part), True)
            found = np.empty((len(part), k)), np.empty((len(part), k), dtype=np.intp)
            if inside:
                candidates, bound = _candidates(part, points, centre, wanted, np.float32, single)
                found = _measured(part, points, candidates, k)
                doubtful = (found[0][:, -1] ** 2 > bound) & (wanted < m)
            if doubtful.any():
                again, _ = _candidates(part[doubtful], points, centre, wanted, np.float64, by_numpy)
                found[0][doubtful], found[1][doubtful] = _measured(part[doubtful], points, again, k)
            distance[start : start + len(part)], index[start : start + len(part)] = found
    return distance, index


def _candidates(
    part: Rows, points: Rows, centre: Any, wanted: int, kind: Any, smallest: Smallest
) -> tuple[Int[np.ndarray, "q wanted"], Float[np.ndarray, " q"]]:
    """Indices of the points that look nearest in a precision, and what the squared distances of all others exceed.

    A computed |p|² − 2xp is within (d + 8)·ε(|x| + |p|)² of the true one of the numbers before rounding, whatever the order of
    the sum (Higham 2002, section 3.1).
    """
    rows = _shifted(part, centre, kind)
    best, place = np.empty((len(part), 0), kind), np.empty((len(part), 0), np.intp)
    step, reach = max(wanted, BLOCK // max(len(part), points.shape[1])), 0.0
    for start in range(0, len(points), step):
        block = _shifted(points[start : start + step], centre, kind)
        reach = max(reach, float(np.einsum("ij,ij->i", block, block).max()))
        values, index = smallest(rows, block, min(wanted, len(block)))
        best, place = np.concatenate([best, values], axis=1), np.concatenate([place, index + start], axis=1)
        if best.shape[1] > wanted:
            kept = np.argpartition(best, wanted - 1, axis=1)[:, :wanted]
            best, place = np.take_along_axis(best, kept, axis=1), np.take_along_axis(place, kept, axis=1)
    square = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
    error = (points.shape[1] + 8) * (HALF_ULP * (np.sqrt(square) + reach**0.5) ** 2 + TINY)
    return place, best.max(axis=1).astype(np.float64) + square - error


def _shifted(rows: Rows, centre: Any, kind: Any) -> Any:
    """Rows less the centre, in a precision: wide numbers are narrowed after, so that few digits of a large mean do not remain."""
    narrow = rows.dtype.itemsize <= 2 or rows.dtype == np.float32
    own = np.float32 if narrow and kind == np.float32 else np.float64
    return np.subtract(rows, centre.astype(own), dtype=own).astype(kind, copy=False)


def _measured(part: Rows, points: Rows, candidates: Any, k: int) -> tuple[Any, Any]:
    """Distances and indices of the k nearest among candidates, coordinate by coordinate in double precision."""
    distance, index = np.empty((len(part), k)), np.empty((len(part), k), dtype=np.intp)
    step = max(1, BLOCK // (candidates.shape[1] * points.shape[1]))
    for start in range(0, len(part), step):
        some = slice(start, start + step)
        near = np.sort(candidates[some], axis=1)  # of equal ones the first
        away = np.subtract(part[some][:, None], points[near], dtype=np.float64)
        exact = np.sqrt(np.einsum("ijk,ijk->ij", away, away))
        order = np.argsort(exact, axis=1, kind="stable")[:, :k]
        distance[some], index[some] = np.take_along_axis(exact, order, axis=1), np.take_along_axis(near, order, axis=1)
    return distance, index


def by_numpy(rows: Any, block: Any, wanted: int) -> tuple[Any, Any]:
    """The search of a block, in the precision of its numbers."""
    values = np.einsum("ij,ij->i", block, block) - 2 * (rows @ block.T)
    index = _among_folds(values, wanted)
    few = np.take_along_axis(values, index, axis=1)
    kept = np.argpartition(few, wanted - 1, axis=1)[:, :wanted]
    return np.take_along_axis(few, kept, axis=1), np.take_along_axis(index, kept, axis=1)


def _among_folds(values: Any, wanted: int) -> Int[np.ndarray, "q few"]:
    """Columns among which the smallest values of every row are: those that share a fold with one of the smallest minima.

    Minima over folds cost a pass, partitions of whole rows ten.
    """
    rows, columns = values.shape
    length = columns // FOLDS
    if length <= 2 * wanted:
        return np.tile(np.arange(columns), (rows, 1))
    least = values[:, : FOLDS * length].reshape(rows, FOLDS, length).min(axis=1)
    chosen = np.argpartition(least, wanted - 1, axis=1)[:, :wanted]
    index = (chosen[:, None] + length * np.arange(FOLDS)[:, None]).reshape(rows, -1)
    return np.concatenate([index, np.tile(np.arange(FOLDS * length, columns), (rows, 1))], axis=1)


@contextmanager
def searcher(device: Any, products: float) -> Iterator[Smallest]:
    """The search of a block in single precision, on PyTorch or, where that is missing or hardly worth loading, on NumPy."""
    try:
        if device == "auto" and products < MANY:
            raise ImportError
        import torch
    except ImportError:
        if device != "auto":
            raise InputError(f"device {device!r} needs PyTorch: pip install 'eigenclock[train]'") from None
        yield by_numpy
        return
    from ..training.devices import find_device

    place = find_device(device)

    def search(rows: Any, block: Any, wanted: int) -> tuple[Any, Any]:
        x, points = (torch.from_numpy(one).to(place) for one in (rows, block))
        values = torch.addmm(points.square().sum(dim=1), x, points.T, alpha=-2)
        found = torch.topk(values, wanted, dim=1, largest=False, sorted=False)
        return found.values.cpu().numpy(), found.indices.cpu().numpy()

    usual = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")  # the bound on rounding is that of whole single precision
    try:
        with torch.inference_mode():
            yield search
    finally:
        torch.set_float32_matmul_precision(usual)


def both(samples: Any, train: Any, name: str) -> tuple[Rows, Rows]:
    """Both as rows of their own precision; InputError unless every sample of one is shaped like those of the other."""
    queries, points = _rows("samples", samples), _rows(name, train)
    shapes = tuple(tuple(one.shape[1:]) if hasattr(one, "shape") else np.shape(one)[1:] for one in (samples, train))
    if shapes[0] != shapes[1]:
        raise InputError(f"samples must be shaped like {name}, got {shapes[0]} and {shapes[1]}")
    return queries, points


def _rows(name: str, values: Any) -> Rows:
    """Samples as rows; InputError unless there are some, all finite."""
    allowed = "finite numbers of shape (n, ...)"
    array = numeric_array(name, values, allowed)
    if array.ndim < 1 or len(array) == 0:
        raise InputError(f"{name} must hold at least one sample, got shape {array.shape}")
    if array.dtype == bool or array.dtype.itemsize > 8:
        array = array.astype(np.uint8 if array.dtype == bool else np.float64)
    rows = array.reshape(len(array), -1)
    if not np.isfinite(largest(rows)):
        finite_array(name, values, allowed)  # says where
    return rows


def largest(rows: Rows) -> float:
    """Largest magnitude of all; NaN or inf where one is."""
    step = max(1, BLOCK // max(rows.shape[1], 1))
    ends = [(float(part.max()), float(part.min())) for part in _parts(rows, step) if part.size]
    return float(np.max(np.abs(ends))) if ends else 0.0


def _parts(rows: Rows, step: int) -> Iterator[Rows]:
    for start in range(0, len(rows), step):
        yield rows[start : start + step]
