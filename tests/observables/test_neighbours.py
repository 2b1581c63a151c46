"""Nearest neighbours against SciPy's distances in double precision, where single precision does and does not suffice."""

import builtins
import tracemalloc

import numpy as np
import pytest
import scipy.spatial.distance
import torch

import eigenclock as ec
from eigenclock.observables import neighbours
from eigenclock.observables.neighbours import by_numpy, largest, nearest, searcher


def brute(x, y, k=2):
    """Sorted distances in double precision."""
    return np.sort(scipy.spatial.distance.cdist(x.astype(np.float64), y.astype(np.float64)), axis=1)[:, :k]


@pytest.mark.parametrize("d", [1, 3, 8, 9, 64, 300])
@pytest.mark.parametrize("m", [2, 5, 400])
def test_nearest_is_brute_force(rng, d, m):
    x, y = rng.standard_normal((50, d)) + 100, rng.standard_normal((m, d)) + 100
    distance, index = nearest(x, y)
    every = scipy.spatial.distance.cdist(x, y)
    # the same sums of squares of differences, in another order: a few ulp
    assert distance == pytest.approx(np.sort(every, axis=1)[:, :2], rel=1e-12)
    assert np.take_along_axis(every, index, axis=1) == pytest.approx(distance, rel=1e-12)


def test_a_copy_far_from_the_origin_has_distance_zero(rng):
    y = 1e6 + rng.standard_normal((200, 32))
    distance, index = nearest(y[::-1], y)
    assert (distance[:, 0] == 0).all()
    assert (index[:, 0] == np.arange(200)[::-1]).all()


def test_chunks_and_images_change_nothing(rng, monkeypatch):
    x, y = rng.standard_normal((300, 4, 5)), rng.standard_normal((200, 4, 5))
    whole = nearest(x, y)
    monkeypatch.setattr("eigenclock.observables.neighbours.BLOCK", 5000)
    parts = nearest(x, y)
    assert (whole[1] == parts[1]).all()
    assert (whole[0] == parts[0]).all()


def test_memory_stays_flat(rng):
    x, y = rng.standard_normal((20_000, 48)), rng.standard_normal((4000, 48))
    tracemalloc.start()
    nearest(x, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e8  # all distances at once would be 640 MB


def clusters(rng, n=40, d=600):
    """Points in tight clusters far from each other: neighbours differ by less than single precision of the norms shows."""
    centres = 100 * rng.standard_normal((4, d))
    points = centres[rng.integers(0, 4, 400)] + 1e-3 * rng.standard_normal((400, d))
    return points[:n] + 1e-5 * rng.standard_normal((n, d)), points


@pytest.mark.parametrize("device", ["auto", "cpu"], ids=["NumPy", "PyTorch"])
def test_near_ties_are_decided_in_double_precision(rng, device):
    x, y = clusters(rng)
    square = (y**2).sum(axis=1)
    single = np.argsort((square - 2 * x @ y.T).astype(np.float32), axis=1, kind="stable")[:, :2]
    distance, index = nearest(x, y, device=device)
    every = scipy.spatial.distance.cdist(x, y)
    assert (index == np.argsort(every, axis=1)[:, :2]).all()
    assert distance == pytest.approx(brute(x, y), rel=1e-12)
    assert (single != index).any()  # single precision alone is wrong here


def test_ties_have_their_distances(rng):
    """Bits: many neighbours at one distance."""
    x, y = rng.integers(0, 2, (60, 24)), rng.integers(0, 2, (500, 24))
    distance, index = nearest(x.astype(bool), y.astype(bool), k=3)
    assert distance == pytest.approx(brute(x, y, 3), rel=1e-12)
    assert np.take_along_axis(scipy.spatial.distance.cdist(x, y), index, axis=1) == pytest.approx(distance)


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.int16, np.int64, np.uint64, np.float16, np.float32, np.float64, np.longdouble]
)
def test_arrays_of_any_precision(rng, dtype):
    x, y = (rng.integers(0, 200, (n, 5, 7)).astype(dtype) for n in (30, 300))
    assert nearest(x, y)[0] == pytest.approx(brute(x.reshape(30, -1), y.reshape(300, -1)), rel=1e-12)


@pytest.mark.parametrize("scale", [1e-200, 1e-25, 1e25, 1e140])
def test_numbers_beyond_single_precision(rng, scale):
    x, y = scale * rng.standard_normal((20, 12)), scale * rng.standard_normal((50, 12))
    distance, _ = nearest(x, y)
    assert distance / scale == pytest.approx(brute(x / scale, y / scale), rel=1e-9 if scale > 1e-100 else np.inf)


def test_both_backends_agree_and_the_matrix_precision_is_left_as_it_was(rng):
    x, y = rng.standard_normal((300, 40)), rng.standard_normal((700, 40))
    one, other = nearest(x, y), nearest(x, y, device="cpu")
    assert (one[1] == other[1]).all()
    assert (one[0] == other[0]).all()
    torch.set_float32_matmul_precision("medium")
    try:
        with searcher("cpu", 1.0):
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_without_pytorch(rng, monkeypatch):
    usual = builtins.__import__

    def without(name, *rest):
        if name == "torch":
            raise ImportError(name)
        return usual(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with searcher("auto", 1e12) as found:
        assert found is by_numpy
    with pytest.raises(ec.InputError, match=r"device 'cpu' needs PyTorch: pip install 'eigenclock\[train\]'"):
        nearest(rng.random((3, 9)), rng.random((4, 9)), device="cpu")


def test_a_large_array_is_not_copied_to_double_precision(rng):
    y = rng.random((20_000, 300), dtype=np.float32)
    tracemalloc.start()
    nearest(y[:50], y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (
        peak < y.nbytes * 2.5
    )  # blocks: independent of the size, 16 MB each, several at a time; doubles would be twice the size again


def test_largest_magnitude(monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK", 4)
    assert largest(np.array([[1.0, -7.0], [2.0, 3.0], [0.0, 6.0]])) == 7
    assert np.isnan(largest(np.array([[1.0, 2.0], [np.nan, 1.0], [3.0, 4.0]])))
    assert largest(np.empty((3, 0))) == 0


@pytest.mark.parametrize("columns", [3, 31, 200, 1003])
def test_folds_lose_no_neighbour(rng, columns):
    x, y = (rng.standard_normal((n, 9)).astype(np.float32) for n in (50, columns))
    values, index = by_numpy(x, y, 3)
    every = (y**2).sum(axis=1) - 2 * x @ y.T
    assert np.sort(values, axis=1) == pytest.approx(np.sort(every, axis=1)[:, :3], abs=1e-4)
    assert np.take_along_axis(every, index, axis=1) == pytest.approx(values, abs=1e-4)
