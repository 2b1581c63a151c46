"""Rows that are equal: found by a hash of their bytes, told by themselves."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Shaped, UInt64

BLOCK = 1_000_000
"""Words that are hashed at a time: 8 MB."""

MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1))
"""Shifts and factors of SplitMix64's finaliser (Steele, Lea and Flood 2014): every bit comes to depend on every other."""

Rows = Shaped[np.ndarray, "_ _"]


def row_keys(rows: Rows, dtype: Any = None) -> UInt64[np.ndarray, " _"]:
    """A number of 64 bits for each row, equal for equal rows (−0 is 0); `dtype`: the precision in which they are compared."""
    kind = np.dtype(rows.dtype if dtype is None else dtype)
    found = np.empty(len(rows), np.uint64)
    size = kind.itemsize if (rows.shape[1] * kind.itemsize) % 8 else 8
    words = rows.shape[1] * kind.itemsize // size
    salt = np.random.default_rng(0).integers(0, 2**64, words, dtype=np.uint64)
    step = max(1, BLOCK // max(words, 1))
    for start in range(0, len(rows), step):
        part = np.ascontiguousarray(rows[start : start + step].astype(kind, copy=False))
        part = part + kind.type(0) if kind.kind == "f" else part
        mixed = part.view(np.dtype(f"u{size}")).astype(np.uint64, copy=False) ^ salt
        for shift, factor in MIX:
            mixed ^= mixed >> np.uint64(shift)
            mixed *= np.uint64(factor)
        found[start : start + step] = mixed.sum(axis=1, dtype=np.uint64)
    return found


def distinct(rows: Rows) -> Int[np.ndarray, " m"]:
    """Indices, rising, of one of each of the different rows."""
    keys = row_keys(rows)
    order = np.argsort(keys, kind="stable")
    same = np.flatnonzero(keys[order[1:]] == keys[order[:-1]])
    again = order[1:][same][_equal(rows, order[1:][same], rows, order[:-1][same])]
    return np.setdiff1d(np.arange(len(rows)), again, assume_unique=True)


def contained(rows: Rows, known: Rows, dtype: Any) -> Bool[np.ndarray, " n"]:
    """Which rows are among others, in a precision."""
    wanted, keys = row_keys(rows, dtype), row_keys(known, dtype)
    order = np.argsort(keys, kind="stable")
    place = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    found = keys[order[place]] == wanted
    at = np.flatnonzero(found)
    found[at] = _equal(rows, at, known, order[place[at]], dtype)
    return found


def _equal(a: Rows, i: Any, b: Rows, j: Any, dtype: Any = None) -> Bool[np.ndarray, " k"]:
    """Which of the rows i of one equal the rows j of the other."""
    step = max(1, BLOCK // max(a.shape[1], 1))
    kind = np.dtype(a.dtype if dtype is None else dtype)
    parts = [slice(start, start + step) for start in range(0, len(i), step)]
    same = [(a[i[s]].astype(kind, copy=False) == b[j[s]].astype(kind, copy=False)).all(axis=1) for s in parts]
    return np.concatenate([np.zeros(0, bool), *same])
