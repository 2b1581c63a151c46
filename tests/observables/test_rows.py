"""Equal rows, against NumPy's `unique` and Python's sets."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as arrays

from eigenclock.observables import rows as module
from eigenclock.observables.rows import contained, distinct, row_keys

FEW = st.sampled_from([0.0, -0.0, 1.0, 2.0, 0.5])


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(1, 3)), elements=FEW))
def test_distinct_rows_are_those_of_unique(x):
    found = distinct(x)
    assert (np.diff(found) > 0).all()
    assert {tuple(row) for row in x[found].tolist()} == {tuple(row) for row in np.unique(x, axis=0).tolist()}
    assert len(found) == len(np.unique(x, axis=0))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16, np.float32, np.int64, np.float64])
@pytest.mark.parametrize("d", [1, 3, 8, 17])
def test_any_precision_and_width(rng, dtype, d):
    x = rng.integers(0, 3, (200, d)).astype(dtype)
    assert len(distinct(x)) == len(np.unique(x, axis=0))
    known = {tuple(row) for row in x[:50].tolist()}
    assert contained(x, x[:50], np.float64).tolist() == [tuple(row) in known for row in x.tolist()]


def test_whole_numbers_do_not_collide(rng):
    """Floats that are whole numbers have zeros in most of their bits: keys that only multiplied them would be few."""
    x = rng.integers(0, 256, (20_000, 6)).astype(np.float64)
    assert len(np.unique(row_keys(x))) == len(np.unique(x, axis=0))


def test_rows_with_one_key_are_told_apart(monkeypatch):
    """Were two different rows to have one key, they would stay two."""
    monkeypatch.setattr(module, "row_keys", lambda rows, dtype=None: np.zeros(len(rows), np.uint64))
    assert distinct(np.array([[1.0], [1.0], [2.0]])).tolist() == [0, 2]
    assert contained(np.array([[2.0]]), np.array([[1.0]]), np.float64).tolist() == [False]


def test_blocks_change_nothing(rng, monkeypatch):
    x = rng.integers(0, 2, (100, 5)).astype(np.float32)
    whole = row_keys(x), distinct(x)
    monkeypatch.setattr(module, "BLOCK", 7)
    assert (row_keys(x) == whole[0]).all()
    assert (distinct(x) == whole[1]).all()


def test_precision_in_which_rows_are_compared(rng):
    x = rng.standard_normal((20, 4))
    assert contained(x + 1e-12, x, np.float32).all()
    assert not contained(x + 1e-12, x, np.float64).any()
