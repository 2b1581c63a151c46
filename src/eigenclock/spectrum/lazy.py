"""Arrays that are not in memory: dask's, by moments of every block; those on disk (zarr, HDF5), by blocks of rows."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..checks import InputError
from .moments import PIECE, rows_at_once
from .split import HeldOut
from .streamed import Streamed, combined, pieces_of

LARGEST_BLOCK = 8 * PIECE
"""Bytes of the largest stored block that is read whole; of larger ones as many rows as are converted at a time."""

BRANCHES = 4
"""Moments that one task of a tree adds up."""


def is_dask(x: Any) -> bool:
    """Whether an array is dask's."""
    return type(x).__module__.partition(".")[0] == "dask" and hasattr(x, "chunks")


def lazy_array(x: Any) -> Any:
    """The array behind samples that are read by slices: dask's, also within xarray, or one stored in blocks; None of others."""
    if type(x).__module__.partition(".")[0] == "xarray":
        return None if getattr(x, "chunks", None) is None else x.data
    known = all(hasattr(x, name) for name in ("shape", "dtype", "chunks", "__getitem__"))
    return x if known and not isinstance(x, np.ndarray) else None


def check_lazy(name: str, x: Any) -> tuple[int, tuple[int, ...]]:
    """Number and shape of samples of a lazy array; InputError for what no slice of it could be."""
    kind = getattr(x.dtype, "kind", "O")
    if kind not in "fiub":
        raise InputError(f"{name} must be an array of real numbers, got dtype {x.dtype}")
    if any(size != size for size in x.shape):  # dask's unknown sizes are NaN
        raise InputError(f"{name} must be a dask array of known chunk sizes, got unknown ones: x.compute_chunk_sizes()")
    if len(x.shape) not in (2, 3, 4) or 0 in x.shape[1:]:
        raise InputError(f"{name} must have shape (n, d), (n, h, w) or (n, h, w, c), got {tuple(x.shape)}")
    n, shape = int(x.shape[0]), tuple(int(size) for size in x.shape[1:])
    if n < 2:
        raise InputError(f"{name} must hold at least 2 samples, got {n}")
    return n, shape


def blocks_of(name: str, x: Any) -> Iterator[tuple[str, Any]]:
    """Rows of a lazy array, whole stored blocks of them, of bounded size; with what an error calls them."""
    n, row = int(x.shape[0]), int(np.prod(x.shape[1:]))
    rows, stored = max(PIECE // (8 * row), 1), _stored_rows(x)
    if stored > rows and stored * row * x.dtype.itemsize <= LARGEST_BLOCK:
        rows = stored
    elif stored <= rows:
        rows -= rows % stored
    for start in range(0, n, rows):
        stop = min(start + rows, n)
        yield f"{name}[{start}:{stop}]", np.asarray(x[start:stop])


def _stored_rows(x: Any) -> int:
    """Rows of a stored block; 1 where there are none."""
    chunks = getattr(x, "chunks", None)
    first = chunks[0] if chunks else 1
    return int(max(first) if isinstance(first, tuple) else first) or 1


def dask_moments(x: Any, basis: str, split: HeldOut | None) -> Streamed:
    """Moments of a dask array, of every block where it lies, added up as a tree by whatever scheduler is active.

    Only moments travel. A block that is lost with its worker is computed again: sums are of finished tasks alone.
    """
    dask = dask_package()
    whole = x.rechunk({axis: -1 for axis in range(1, x.ndim)})
    starts = np.cumsum([0, *whole.chunks[0][:-1]])
    origin = np.zeros(x.shape[1:]) if basis == "pca" else np.asarray(x[:1])[0]
    shared = dask.delayed(Streamed(basis, origin, split).origin)
    one, add = dask.delayed(_moments_of_blocks, pure=False), dask.delayed(combined, pure=False)
    groups: list[list[Any]] = []
    rows, enough = 0, rows_at_once(int(np.prod(x.shape[1:])))
    for block, start, size in zip(whole.to_delayed().ravel(), starts.tolist(), whole.chunks[0], strict=True):
        if not groups or rows >= enough:  # of many small blocks, as many as are worth moments of their own
            groups.append([start])
            rows = 0
        groups[-1].append(block)
        rows += size
    parts = [one(blocks, basis, shared, split, start) for start, *blocks in groups]
    while len(parts) > 1:
        parts = [add(parts[i : i + BRANCHES]) for i in range(0, len(parts), BRANCHES)]
    return dask.compute(parts[0])[0]


def _moments_of_blocks(blocks: list[Any], basis: str, origin: Any, split: HeldOut | None, start: int) -> Streamed:
    found = Streamed(basis, origin, split, start)
    for block in blocks:
        begin = start + found.read
        for piece in pieces_of([(f"x[{begin}:{begin + len(block)}]", block)] if len(block) else []):
            found.add(piece)
    return found


def dask_package() -> Any:
    """dask, where it is installed with its arrays."""
    try:
        import dask
        import dask.array
    except ImportError:
        raise InputError("dask arrays need dask[array]: pip install 'eigenclock[cluster]'") from None
    return dask
