"""Tests of `eigenclock.data.arrays`: headers are held against what files hold, before memory is taken."""

import gzip
import io
import os
import re
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import eigenclock as ec
from eigenclock.checks import InputWarning
from eigenclock.data import load


def idx(*lengths, kind=8, body=b""):
    return struct.pack(">BBBB", 0, 0, kind, len(lengths)) + struct.pack(f">{len(lengths)}I", *lengths) + body


def claiming_npy(path, shape):
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": shape})


def bomb(path, claimed):
    """A member that unpacks to zeros, whose header claims `claimed` values."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": (claimed,)})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", head.getvalue() + bytes(10**6))


FILES = {
    "claims.npy": lambda path: claiming_npy(path, (10**12, 4)),
    "scalar.npy": lambda path: np.save(path, np.float32(3)),
    "bomb.npz": lambda path: bomb(path, 5 * 2**30),
    "text.npz": lambda path: zipfile.ZipFile(path, "w").writestr("a.npy", "not an array"),
    "other.npz": lambda path: zipfile.ZipFile(path, "w").writestr("a.txt", "not an array"),
    "nodim-idx0": lambda path: path.write_bytes(idx()),
    "many-idx": lambda path: path.write_bytes(idx(*[1] * 255, body=b"\0")),
    "overflow-idx": lambda path: path.write_bytes(idx(2**31, 2**31, 4)),
    "claims-idx.gz": lambda path: path.write_bytes(gzip.compress(idx(2**31, 2**20))),
    "damaged-idx.gz": lambda path: path.write_bytes(gzip.compress(idx(3, 2, body=b"\1" * 6))[:-12] + b"\xff" * 12),
    "weights.pt": lambda path: path.write_bytes(b"PK\x03\x04"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_files_that_claim_or_hold_something_else(tmp_path, name):
    FILES[name](tmp_path / name)
    with pytest.raises(ec.InputError) as error:
        load(str(tmp_path / name))
    assert not re.search(r"-\d+ (bytes|expected)", str(error.value)), "sizes are never negative"


def test_pickles_name_the_way_out(tmp_path):
    (tmp_path / "x.pt").write_bytes(b"anything")
    with pytest.raises(ec.InputError, match=r"^data must not be a pickle, .*np\.save\('x\.npy', tensor\.numpy\(\)\)$"):
        load(str(tmp_path / "x.pt"))


@pytest.mark.parametrize("name", ["fifo.npy", "fifo-idx", "fifo.npz"])
def test_pipes_do_not_hang(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(ec.InputError, match=r"must be an ordinary file, got .*, which is a folder, a pipe or a device"):
        load(str(tmp_path / name))


def test_n_is_chosen_before_it_is_read(tmp_path):
    """82 MB in the file; 100 of its samples take less than twice the file, where reading it all took nine times as much."""
    np.save(tmp_path / "big.npy", np.zeros((20_000, 64, 64), np.uint8) + np.arange(64, dtype=np.uint8))
    script = (
        "import resource, sys; from eigenclock.data import load; load('digits'); "
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        f"data = load({str(tmp_path / 'big.npy')!r}, n=100); "
        "print(len(data.samples), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    count, kilobytes = map(int, done.stdout.split())
    assert count == 100
    assert kilobytes < 150 * 1024


def test_the_same_rows_as_of_the_whole(tmp_path, rng):
    values = rng.standard_normal((50, 3))
    np.save(tmp_path / "x.npy", values)
    chosen = load(str(tmp_path / "x.npy"), n=7, seed=4).samples
    assert np.array_equal(chosen, load(str(tmp_path / "x.npy")).limited(7, seed=4).samples)
    np.save(tmp_path / "f.npy", np.asfortranarray(values))
    assert np.array_equal(load(str(tmp_path / "f.npy"), n=7, seed=4).samples, chosen)


def test_folders_of_arrays(tmp_path, rng):
    latents = rng.standard_normal((4, 8, 8, 4))
    for i, one in enumerate(latents):
        np.save(tmp_path / f"{i}.npy", one)
    assert np.array_equal(load(str(tmp_path)).samples, latents)
    np.save(tmp_path / "4.npy", latents[0, :, :3])
    with pytest.raises(
        ec.InputError, match=r"^arrays of a folder must have one shape, got .* in 0\.npy and .* in 4\.npy$"
    ):
        load(str(tmp_path))


def test_channels_first_arrays_are_moved_and_it_is_said(tmp_path, rng):
    values = rng.standard_normal((5, 3, 8, 8))
    np.save(tmp_path / "x.npy", values)
    with pytest.warns(InputWarning, match=r"has shape \(5, 3, 8, 8\), read as \(n, channels, h, w\) and moved"):
        samples = load(str(tmp_path / "x.npy")).samples
    assert np.array_equal(samples, np.moveaxis(values, 1, -1))


@pytest.mark.parametrize(("kind", "white"), [(np.uint8, 255), (np.uint16, 65_535)])
def test_whole_numbers_are_scaled_by_their_white(tmp_path, kind, white):
    np.save(tmp_path / "x.npy", np.array([[0, white], [white, 0]], dtype=kind))
    assert load(str(tmp_path / "x.npy")).samples.max() == 1.0
