"""Tests of `eigenclock.data.reading`."""

import gzip
import io
import struct

import numpy as np
import pytest
from PIL import Image

import eigenclock as ec
from eigenclock.data import load


def write_idx(path, array, kind):
    header = struct.pack(">HBB", 0, kind, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(header + array.astype(array.dtype.newbyteorder(">")).tobytes())


def test_files_of_every_format(tmp_path, rng):
    images = rng.integers(0, 256, (12, 5, 6), dtype=np.uint8)
    np.save(tmp_path / "a.npy", images)
    np.savez(tmp_path / "one.npz", images)
    np.savez(tmp_path / "two.npz", train=images, test=images[:3])
    write_idx(tmp_path / "train-images-idx3-ubyte", images, 0x08)
    packed = io.BytesIO()
    with gzip.open(packed, "wb") as stream:
        stream.write((tmp_path / "train-images-idx3-ubyte").read_bytes())
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(packed.getvalue())
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    for i, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / "folder" / "deep" / f"{i:02}.png")
    for name in (
        "a.npy",
        "one.npz",
        "two.npz:train",
        "train-images-idx3-ubyte",
        "train-images-idx3-ubyte.gz",
        "folder",
    ):
        data = load(str(tmp_path / name))
        assert np.allclose(data.samples, images / 255), name
    floats = rng.standard_normal((7, 3)).astype(np.float32)
    np.save(tmp_path / "f.npy", floats)
    assert (load(str(tmp_path / "f.npy")).samples == floats).all()
    write_idx(tmp_path / "floats-idx2", floats, 0x0D)
    assert (load(str(tmp_path / "floats-idx2")).samples == floats).all()


def test_folder_of_mixed_sizes_needs_image_size(tmp_path, rng):
    for i, size in enumerate([(20, 30), (16, 16), (40, 24)]):
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(tmp_path / f"{i}.jpg")
    with pytest.raises(
        ec.InputError, match=r"^images must have one size, got \(20, 30\) in 0\.jpg and \(16, 16\) in 1\.jpg"
    ):
        load(str(tmp_path))
    assert load(str(tmp_path), image_size=8).samples.shape == (3, 8, 8, 3)


def damage(tmp_path):
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY\x01\x00")
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 nothing")
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "two.npz", a=np.zeros(3), b=np.zeros(3))
    write_idx(tmp_path / "idx3-short", np.zeros((4, 2, 2), np.uint8), 0x08)
    whole = (tmp_path / "idx3-short").read_bytes()
    (tmp_path / "idx3-short").write_bytes(whole[:-3])
    (tmp_path / "idx3-not").write_bytes(b"hello world")
    (tmp_path / "idx3-bad.gz").write_bytes(b"hello world")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "x.png").write_bytes(b"\x89PNG broken")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bad.npy", r"not a readable NumPy file: .*bad\.npy \(.*\)"),
        ("bad.npz", r"not a readable NumPy file: .*bad\.npz \(.*\)"),
        (
            "objects.npy",
            r"not a readable NumPy file: .*objects\.npy \(pickled objects or not an array\)",
        ),
        ("two.npz", r".*two\.npz holds several arrays, name one of them: .*two\.npz:\{a, b\}"),
        ("two.npz:c", r".*two\.npz holds no array 'c', only a, b"),
        ("idx3-short", r"truncated IDX file: .*idx3-short \(29 bytes, 32 expected\)"),
        ("idx3-not", r"not an IDX file: .*idx3-not"),
        ("idx3-bad.gz", r"not a readable IDX file: .*idx3-bad\.gz \(.*\)"),
        ("notes.txt", r"data must be \.npy, \.npz, an IDX file or a folder of images, got .*"),
        ("empty", r"no images in .*empty \(looked for .*\)"),
        ("broken", r"unreadable image: .*x\.png \(.*\)"),
        ("nowhere", r"data must be a path or one of natural16, .*; got .*nowhere', which does not exist"),
    ],
)
def test_errors(tmp_path, name, message):
    damage(tmp_path)
    with pytest.raises(ec.InputError, match=f"^{message}$") as error:
        load(str(tmp_path / name))
    assert "\n" not in str(error.value)


def test_data_that_are_not_finite(tmp_path):
    np.save(tmp_path / "nan.npy", np.array([[1.0, np.nan], [0.0, 1.0]]))
    with pytest.raises(ec.InputError, match=r"^data must be finite, got 1 NaN or inf entries in nan$"):
        load(str(tmp_path / "nan.npy")).standardized()
    np.save(tmp_path / "constant.npy", np.ones((3, 2)))
    with pytest.raises(ec.InputError, match=r"^data must vary, got constant data in constant$"):
        load(str(tmp_path / "constant.npy")).standardized()


def test_deep_images_keep_their_depth(tmp_path):
    """Converting 16-bit gray to 8 bits would clip everything above 255 to white."""
    ramp = np.linspace(0, 65535, 30).astype(np.uint16).reshape(5, 6)
    (tmp_path / "deep").mkdir()
    (tmp_path / "float").mkdir()
    for i in range(2):
        Image.fromarray(ramp).save(tmp_path / "deep" / f"{i}.png")
        Image.fromarray((ramp / 65535).astype(np.float32)).save(tmp_path / "float" / f"{i}.tiff")
    for name in ("deep", "float"):
        assert np.allclose(load(str(tmp_path / name)).samples[0], ramp / 65535, atol=1e-6)
    assert load(str(tmp_path / "deep"), image_size=4).samples.shape == (2, 4, 4)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([["a", "b"], ["c", "d"]]), r"data must be real numbers, got dtype <U1"),
        (np.zeros((3, 2), complex), r"data must be real numbers, got dtype complex128"),
        (np.zeros((3, 0)), r"data must have shape .*, got \(3, 0\)"),
    ],
)
def test_arrays_that_are_not_data(tmp_path, array, message):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(ec.InputError, match=f"^{message}$"):
        load(str(tmp_path / "x.npy"))


def test_gray_images_among_colour_become_colour(tmp_path, rng):
    gray, colour = rng.integers(0, 256, (6, 6), dtype=np.uint8), rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    Image.fromarray(gray).save(tmp_path / "a.png")
    Image.fromarray(colour).save(tmp_path / "b.png")
    samples = load(str(tmp_path)).samples
    assert np.allclose(samples[0], gray[:, :, None] / 255)
    assert np.allclose(samples[1], colour / 255)
