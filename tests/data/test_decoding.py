"""Tests of `eigenclock.data.decoding`: what one sees is what is read."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import eigenclock as ec
from eigenclock.checks import InputWarning
from eigenclock.data import load


@pytest.mark.parametrize("mode", ["RGBA", "LA", "palette index", "palette bytes", "RGB key"])
def test_hidden_colours_under_transparency_do_not_count(tmp_path, rng, mode):
    """50 sprites whose visible square has one random level: one degree of freedom, whatever lies hidden."""
    for i in range(50):
        level, hidden = int(rng.integers(1, 200)), rng.integers(0, 256, (8, 8), dtype=np.uint8)
        gray = np.where(np.pad(np.ones((4, 4), bool), 2), level, hidden).astype(np.uint8)
        opaque = np.pad(np.full((4, 4), 255, np.uint8), 2)
        file = tmp_path / f"{i:02}.png"
        if mode == "RGBA":
            Image.fromarray(np.stack([gray] * 3 + [opaque], axis=2)).save(file)
        elif mode == "LA":
            Image.fromarray(np.stack([gray, opaque], axis=2), mode=None).save(file)
        elif mode == "RGB key":
            key = np.where(opaque[..., None] > 0, np.full((8, 8, 3), level), [int(hidden[0, 0]), 255, 3]).astype(
                np.uint8
            )
            Image.fromarray(key).save(file, transparency=(int(hidden[0, 0]), 255, 3))
        else:
            image = Image.fromarray((opaque == 0).astype(np.uint8), mode=None).convert("P")
            image.putpalette([level] * 3 + rng.integers(0, 256, 3).tolist())
            image.putdata((opaque == 0).astype(int).ravel().tolist())
            image.save(file, transparency=1 if mode == "palette index" else bytes([255, 0]))
    data = load(str(tmp_path))
    assert ec.Spectrum.from_samples(data.samples).rank == 1
    assert data.samples[0].reshape(64, -1)[0] == pytest.approx(1.0), "transparent pixels show white"


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (3, Image.Transpose.ROTATE_180),
        (6, Image.Transpose.ROTATE_90),
        (8, Image.Transpose.ROTATE_270),
        (2, Image.Transpose.FLIP_LEFT_RIGHT),
    ],
)
@pytest.mark.parametrize("kind", ["png", "tiff", "webp"])
def test_pictures_are_turned_upright(tmp_path, orientation, turn, kind):
    upright = Image.fromarray(
        np.tile(np.arange(0, 256, 16, dtype=np.uint8)[:, None], (1, 16)) // 2 + np.arange(16, dtype=np.uint8)
    )
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright.save(tmp_path / f"a.{kind}", **({"lossless": True} if kind == "webp" else {}))
    upright.transpose(turn).save(tmp_path / f"b.{kind}", exif=exif, **({"lossless": True} if kind == "webp" else {}))
    assert np.array_equal(*load(str(tmp_path)).samples)


def test_color_is_asked_for(tmp_path, rng):
    colour, gray = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8), rng.integers(0, 256, (6, 6), dtype=np.uint8)
    Image.fromarray(colour).save(tmp_path / "a.png")
    Image.fromarray(gray).save(tmp_path / "b.png")
    assert load(str(tmp_path)).samples.shape == (2, 6, 6, 3)
    assert load(str(tmp_path), color="rgb").samples.shape == (2, 6, 6, 3)
    found = load(str(tmp_path), color="gray").samples
    assert found.shape == (2, 6, 6)
    # ITU-R 601 luma, rounded to whole levels by Pillow
    assert np.allclose(found[0], colour @ [0.299, 0.587, 0.114] / 255, atol=1 / 255)


def test_kinds_of_numbers_are_not_mixed(tmp_path, rng):
    Image.fromarray(rng.random((8, 8)).astype(np.float32)).save(tmp_path / "a.tif")
    Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(tmp_path / "b.png")
    with pytest.raises(
        ec.InputError, match=r"^images must be of one kind of number, got float in a\.tif and 8 or 16 bit in b\.png"
    ):
        load(str(tmp_path))


def png(width, height):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress((b"\0" * (1 + (width + 7) // 8)) * height)
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_huge_pictures_name_the_way_out(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.png").write_bytes(png(12_000, 12_000))
    with pytest.raises(
        ec.InputError,
        match=r"^.*a\.png has 144 million pixels, more than max_pixels = 134,217,728: .*max_pixels=144000000$",
    ):
        load(str(tmp_path), image_size=16)
    assert load(str(tmp_path), image_size=16, max_pixels=144_000_000).samples.shape == (2, 16, 16)


def test_damage_names_the_file(tmp_path, rng):
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[content.index(b"IDAT") + 8] ^= 0xFF
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ec.InputError, match=r"^unreadable image: .*a\.png \("):
        load(str(tmp_path))


def test_enlarging_is_said(tmp_path, rng):
    for i in range(2):
        Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(tmp_path / f"{i}.png")
    with pytest.warns(InputWarning, match="image_size = 16 enlarges 2 of 2 pictures"):
        load(str(tmp_path), image_size=16)


def test_progress_is_told(tmp_path, rng):
    for i in range(3):
        Image.fromarray(rng.integers(0, 256, (4, 4), dtype=np.uint8)).save(tmp_path / f"{i}.png")
    told = []
    load(str(tmp_path), progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
