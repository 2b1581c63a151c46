"""Tests of `eigenclock.data.labelled`."""

import struct

import numpy as np
import pytest

import eigenclock as ec


def labelled_arrays(rng):
    return {
        "train_x": rng.integers(0, 256, (12, 4, 4), dtype=np.uint8), "train_y": np.arange(12, dtype=np.uint8) % 3,
        "test_x": rng.integers(0, 256, (6, 4, 4), dtype=np.uint8), "test_y": np.arange(6, dtype=np.uint8) % 3,
    }  # fmt: skip


def test_labelled_images_of_an_archive_and_of_idx_files(tmp_path, rng):
    arrays = labelled_arrays(rng)
    np.savez(tmp_path / "mine.npz", **arrays)
    names = {
        "train_x": "train-images-idx3-ubyte",
        "train_y": "train-labels-idx1-ubyte",
        "test_x": "t10k-images-idx3-ubyte",
        "test_y": "t10k-labels-idx1-ubyte",
    }
    (tmp_path / "idx").mkdir()
    for name, array in arrays.items():
        head = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
        (tmp_path / "idx" / names[name]).write_bytes(head + array.tobytes())
    for path in ("mine.npz", "idx"):
        found = ec.data.load_labelled(str(tmp_path / path))
        assert found.train_x == pytest.approx(arrays["train_x"] / 255)
        assert (found.test_y == arrays["test_y"]).all()
        assert found.train_y.dtype.kind in "iu"


def test_labelled_images_that_cannot_be_used(tmp_path, rng):
    arrays = labelled_arrays(rng)
    for change, message in (
        (
            {"train_y": np.arange(11, dtype=np.uint8)},
            r"train_y must be one whole label per image, got shape \(11,\) for 12 images",
        ),
        ({"test_y": np.zeros(6)}, "test_y must be one whole label per image"),
    ):
        np.savez(tmp_path / "bad.npz", **(arrays | change))
        with pytest.raises(ec.InputError, match=message):
            ec.data.load_labelled(str(tmp_path / "bad.npz"))
    np.savez(tmp_path / "few.npz", train_x=arrays["train_x"])
    with pytest.raises(ec.InputError, match="holds no array 'train_y', only train_x"):
        ec.data.load_labelled(str(tmp_path / "few.npz"))
    with pytest.raises(ec.InputError, match=r"must hold a file train-images\*, got none"):
        ec.data.load_labelled(str(tmp_path))
    with pytest.raises(ec.InputError, match="which does not exist"):
        ec.data.load_labelled("nowhere.npz")
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(ec.InputError, match=r"data must be a .npz or a folder of IDX files"):
        ec.data.load_labelled(str(tmp_path / "x.txt"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_x": np.zeros((12, 4, 4), complex)}, "train_x must be real numbers, got dtype complex128"),
        ({"train_x": np.full((12, 4, 4), "a")}, "train_x must be real numbers, got dtype <U1"),
        ({"test_x": np.full((6, 4, 4), np.nan)}, "test_x must be images of finite numbers, got nan"),
        ({"train_y": np.full(12, -1)}, "train_y must hold labels >= 0, got -1"),
        ({"test_x": np.zeros((6, 5, 5))}, "must have one shape"),
        ({"test_x": np.zeros((0, 4, 4)), "test_y": np.zeros(0, int)}, "test_y must hold labels >= 0, got none"),
    ],
)
def test_archives_that_hold_something_else(tmp_path, change, message):
    arrays = {
        "train_x": np.zeros((12, 4, 4)),
        "train_y": np.arange(12) % 2,
        "test_x": np.zeros((6, 4, 4)),
        "test_y": np.arange(6) % 2,
    }
    np.savez(tmp_path / "x.npz", **(arrays | change))
    with pytest.raises(ec.InputError, match=message):
        ec.data.load_labelled(str(tmp_path / "x.npz"))


def test_whole_numbers_of_16_bits_are_scaled_by_their_white(tmp_path):
    arrays = {
        "train_x": np.full((2, 4, 4), 65_535, np.uint16),
        "train_y": np.arange(2),
        "test_x": np.zeros((2, 4, 4), np.uint16),
        "test_y": np.arange(2),
    }
    np.savez(tmp_path / "x.npz", **arrays)
    assert ec.data.load_labelled(str(tmp_path / "x.npz")).train_x.max() == 1.0
