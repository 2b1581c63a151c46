"""Tests of `eigenclock.spectrum.lazy`: arrays of dask, on threads and on a cluster, and of files, against those in memory."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import dask.array as da
import h5py
import numpy as np
import pytest
import xarray as xr
import zarr
from support.cluster import two_workers, warnings_of_servers

import eigenclock as ec

BASES = ("pca", "dct", "fourier")

EXACT = 1e-10
"""Both sides sum the same float64 products in another order; a hundred samples lose less than 1e-13 by that."""


def images(n=150):
    """Correlated images about a mean that is not zero."""
    rng = np.random.default_rng(0)
    return (np.cumsum(rng.standard_normal((n, 6, 5, 2)), axis=1) + 3).astype(np.float32)


def assert_same(found, expected):
    """The same spectrum, up to signs of modes: variances, mean, and the covariance that they make."""
    scale = expected.variance[0]
    assert np.abs(found.variance - expected.variance).max() <= EXACT * scale
    assert np.abs(found.mean - expected.mean).max() <= EXACT * np.abs(expected.mean).max()
    assert np.abs(found.covariance() - expected.covariance()).max() <= EXACT * scale
    assert found.n_samples == expected.n_samples


@pytest.fixture(scope="module")
def client():
    with two_workers() as client:
        yield client


@pytest.fixture
def a_block_a_task(monkeypatch):
    """Otherwise small blocks share a task."""
    monkeypatch.setattr("eigenclock.spectrum.lazy.rows_at_once", lambda dimension: 1)


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("together", [1, 30, 1000])
@pytest.mark.parametrize("chunks", [(40, 6, 5, 2), (150, 3, 5, 1), (7, 2, 2, 2), ((0, 10, 0, 90, 50), 6, 5, 2)])
def test_dask_on_threads_equals_memory(basis, chunks, together, monkeypatch):
    monkeypatch.setattr("eigenclock.spectrum.lazy.rows_at_once", lambda dimension: together)
    x = images()
    assert_same(
        ec.Spectrum.from_samples(da.from_array(x, chunks=chunks), basis=basis),
        ec.Spectrum.from_samples(x, basis=basis),
    )


@pytest.mark.parametrize("basis", BASES)
def test_files_equal_memory(basis, tmp_path, monkeypatch):
    """Read a few rows at a time: more than a stored block of zarr's, and of a file that has none."""
    monkeypatch.setattr("eigenclock.spectrum.lazy.PIECE", 8 * 60 * 25)
    x = images()
    stored = zarr.create_array(tmp_path / "x.zarr", shape=x.shape, chunks=(10, 6, 5, 1), dtype="f4")
    stored[:] = x
    whole = ec.Spectrum.from_samples(x, basis=basis)
    assert_same(ec.Spectrum.from_samples(stored, basis=basis), whole)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = x
        assert_same(ec.Spectrum.from_samples(file["x"], basis=basis), whole)
    np.save(tmp_path / "x.npy", x)
    assert_same(ec.Spectrum.from_samples(np.load(tmp_path / "x.npy", mmap_mode="r"), basis=basis), whole)


class Recorded:
    """An array on disk that remembers which rows were asked for at once."""

    def __init__(self, x, rows):
        self.x, self.shape, self.dtype, self.chunks, self.asked = x, x.shape, x.dtype, (rows, *x.shape[1:]), []

    def __len__(self):
        return len(self.x)

    def __getitem__(self, rows):
        self.asked.append((rows.start, rows.stop))
        return self.x[rows]


@pytest.mark.parametrize(("stored", "read"), [(10, 20), (16, 16), (40, 40), (150, 25)])
def test_rows_are_read_once_in_whole_stored_blocks_of_bounded_size(stored, read, monkeypatch):
    """25 rows at a time fit, or a stored block of up to twice as many; of a larger one, no more than fit."""
    monkeypatch.setattr("eigenclock.spectrum.lazy.PIECE", 8 * 60 * 25)
    monkeypatch.setattr("eigenclock.spectrum.lazy.LARGEST_BLOCK", 4 * 60 * 50)
    x = Recorded(images(), stored)
    ec.Spectrum.from_samples(x)
    assert x.asked == [(start, min(start + read, 150)) for start in range(0, 150, read)]


def test_arrays_of_xarray_are_what_they_hold():
    x = images()
    whole, labelled = ec.Spectrum.from_samples(x), xr.DataArray(x, dims=("sample", "y", "x", "channel"))
    assert_same(ec.Spectrum.from_samples(labelled.chunk(sample=40)), whole)
    assert_same(ec.Spectrum.from_samples(labelled), whole)
    with pytest.warns(ec.InputWarning, match="of 150 samples"):  # they are known
        assert ec.Spectrum.from_samples(labelled).cross_validated().n_modes == 60


def test_fewer_samples_than_coordinates_have_the_modes_of_memory():
    x = images(20)
    assert_same(ec.Spectrum.from_samples(da.from_array(x, chunks=7)), ec.Spectrum.from_samples(x))


@pytest.mark.parametrize("basis", BASES)
def test_held_out_samples_of_lazy_arrays_are_those_of_memory(basis):
    x = images()
    whole = ec.Spectrum.from_samples(x, basis=basis, held_out=0.3, seed=4)
    for lazy in (da.from_array(x, chunks=(17, 6, 5, 2)), Recorded(x, 11)):
        found = ec.Spectrum.from_samples(lazy, basis=basis, held_out=0.3, seed=4)
        assert_same(found, whole)
        assert np.abs(found.test_variance - whole.test_variance).max() <= EXACT * whole.variance[0]


def test_held_out_samples_may_be_lazy():
    x, test = images(), images(90)[::-1]
    whole = ec.Spectrum.from_samples(x, test=test)
    found = ec.Spectrum.from_samples(x, test=da.from_array(test, chunks=20))
    assert np.allclose(found.test_variance, whole.test_variance, rtol=EXACT)


@pytest.mark.parametrize("basis", BASES)
def test_a_cluster_equals_memory(client, basis, a_block_a_task):
    x = images()
    with warnings_of_servers(), client.as_current():
        found = ec.Spectrum.from_samples(da.from_array(x, chunks=(20, 6, 5, 2)), basis=basis, held_out=0.2)
    whole = ec.Spectrum.from_samples(x, basis=basis, held_out=0.2)
    assert_same(found, whole)
    assert np.abs(found.test_variance - whole.test_variance).max() <= EXACT * whole.variance[0]


def waits(block, folder, block_info=None):
    """A block of which the sixth says which process computes it, and waits until it is told to go on."""
    if block_info[0]["chunk-location"][0] == 5:
        (Path(folder) / "writing").write_text(str(os.getpid()))
        (Path(folder) / "writing").rename(Path(folder) / "process")
        while not (Path(folder) / "go").exists():
            time.sleep(0.01)
    return block


def test_a_worker_that_dies_loses_nothing(client, tmp_path, a_block_a_task):
    """Killed in the middle of a block, with the moments of those that it has done: all are computed again."""
    x = images()
    slow = da.from_array(x, chunks=(15, 6, 5, 2)).map_blocks(partial(waits, folder=str(tmp_path)), dtype=x.dtype)

    def kill():
        while not (tmp_path / "process").exists():
            time.sleep(0.01)
        victim = int((tmp_path / "process").read_text())
        os.kill(victim, signal.SIGKILL)
        (tmp_path / "go").touch()
        return victim

    with warnings_of_servers(), client.as_current(), ThreadPoolExecutor(1) as pool:
        before = set(client.run(os.getpid).values())
        killed = pool.submit(kill)
        found = ec.Spectrum.from_samples(slow)
    assert killed.result() in before
    assert_same(found, ec.Spectrum.from_samples(x))


def nan_sizes():
    x = da.from_array(images(), chunks=20)
    return x[x[:, 0, 0, 0] > -1e9]


def with_a_hole():
    x = images()
    x[47, 1, 2, 0] = np.nan
    return da.from_array(x, chunks=(20, 6, 5, 2))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (nan_sizes, r"x must be a dask array of known chunk sizes, got unknown ones: x\.compute_chunk_sizes\(\)"),
        (lambda: da.ones(9), r"x must have shape \(n, d\), \(n, h, w\) or \(n, h, w, c\), got \(9,\)"),
        (lambda: da.ones((1, 3)), r"x must hold at least 2 samples, got 1"),
        (lambda: da.ones((9, 3)), r"x must vary between samples, got constant data \(every variance is zero\)"),
        (lambda: da.ones((9, 3), dtype=complex), r"x must be an array of real numbers, got dtype complex128"),
        (
            lambda: da.from_array(np.array([["a", None]] * 4, dtype=object), chunks=2),
            r"x must be an array of real numbers, got dtype object",
        ),
        (with_a_hole, r"x\[40:60\] must be finite, got nan at index \(7, 1, 2, 0\) \(1 such entries\)"),
        (lambda: zarr.ones((9, 3, 3, 3, 3)), r"x must have shape .*, got \(9, 3, 3, 3, 3\)"),
        (lambda: zarr.ones((9, 3), dtype="c16"), r"x must be an array of real numbers, got dtype complex128"),
        (lambda: zarr.full((9, 3), fill_value=np.inf), r"x\[0:9\] must be finite, got inf at index \(0, 0\) .*"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ec.InputError, match=f"^{message}$") as error:
        ec.Spectrum.from_samples(make())
    assert "\n" not in str(error.value)


def test_errors_of_a_cluster_are_one_line_too(client):
    with warnings_of_servers(), client.as_current(), pytest.raises(ec.InputError, match=r"^x\[40:60\] must be finite"):
        ec.Spectrum.from_samples(with_a_hole())


def test_nothing_is_imported_that_is_not_used():
    words = """if True:
        import sys
        import numpy as np
        import eigenclock as ec
        x = np.random.default_rng(0).standard_normal((50, 6))
        ec.Spectrum.from_samples(x, modes=3, held_out=0.2), ec.Spectrum.from_batches([x], basis="dct")
        print({"dask", "distributed", "zarr", "sklearn"} & set(sys.modules))
    """
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()", done.stderr
