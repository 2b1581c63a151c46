"""Tests of `eigenclock.data.image_files`: what counts as a picture, in which order, of which class."""

import io
import json
import os
import zipfile

import numpy as np
import pytest
from PIL import Image

import eigenclock as ec
from eigenclock.checks import InputWarning
from eigenclock.data import load
from eigenclock.data.image_files import find_images


def picture(rng, *shape):
    return Image.fromarray(rng.integers(0, 256, shape or (8, 8), dtype=np.uint8))


def test_hidden_names_and_other_files_are_left_out_and_said(tmp_path, rng):
    for i in range(3):
        picture(rng).save(tmp_path / f"{i}.png")
    (tmp_path / "._0.png").write_bytes(b"\0\5\x16\7")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    picture(rng).save(tmp_path / ".ipynb_checkpoints" / "0-checkpoint.png")
    (tmp_path / "__MACOSX").mkdir()
    picture(rng).save(tmp_path / "__MACOSX" / "x.png")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.warns(InputWarning, match=r"^3 pictures of 7 files; left out: 3 hidden, 1 \.txt$"):
        data = load(str(tmp_path))
    assert len(data.samples) == 3
    assert "3 pictures of 7 files" in data.source


def test_links_are_followed_once(tmp_path, rng):
    root, real = tmp_path / "root", tmp_path / "root" / "real"
    real.mkdir(parents=True)
    for i in range(2):
        picture(rng).save(real / f"{i}.png")
    picture(rng).save(tmp_path / "outside.png")
    os.symlink(real, real / "loop")
    os.symlink(real / "0.png", root / "a.png")
    for name in ("b.png", "c.png"):
        os.symlink(tmp_path / "outside.png", root / name)
    os.symlink(tmp_path / "nothing.png", root / "broken.png")
    found = find_images(root)
    assert [file.name for file in found.files] == ["b.png", "real/0.png", "real/1.png"]
    assert found.left_out == {"links to what is read already": 3, "links to nothing": 1}


def test_a_folder_named_like_a_picture_is_a_folder(tmp_path, rng):
    (tmp_path / "sub.png").mkdir()
    for i in range(2):
        picture(rng).save(tmp_path / "sub.png" / f"{i}.png")
    assert len(load(str(tmp_path)).samples) == 2


def test_pipes_are_refused(tmp_path, rng):
    picture(rng).save(tmp_path / "0.png")
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(
        ec.InputError, match=r"^images must be ordinary files, got .*a\.png, which is a pipe or a device$"
    ):
        load(str(tmp_path))


def test_every_frame_and_page_is_a_sample(tmp_path, rng):
    """An animation of 5 and a file of 3 pages are 8 samples, in their order."""
    frames = rng.integers(0, 256, (8, 6, 6), dtype=np.uint8)
    pages = [Image.fromarray(one) for one in frames]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:5])
    pages[5].save(tmp_path / "b.tiff", save_all=True, append_images=pages[6:])
    assert np.array_equal(load(str(tmp_path)).samples, (frames / np.float32(255)).astype(np.float32))
    (tmp_path / "gif").mkdir()
    pages[0].save(tmp_path / "gif" / "c.gif", save_all=True, append_images=pages[1:3])
    assert len(load(str(tmp_path / "gif")).samples) == 3


def test_formats_that_pillow_reads(tmp_path, rng):
    image = picture(rng, 8, 8, 3)
    for kind in ("png", "gif", "ppm", "tga", "jp2", "bmp", "webp", "jfif", "JPG"):
        image.save(tmp_path / f"a.{kind}", format="JPEG" if kind in ("jfif", "JPG") else None)
    assert len(load(str(tmp_path)).samples) == 9


def edm_zip(path, rng, labels=True):
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(6):
            content = io.BytesIO()
            picture(rng, 8, 8, 3).save(content, "PNG")
            archive.writestr(f"00000/img{i:08}.png", content.getvalue())
        listed = [[f"00000/img{i:08}.png", i % 3] for i in range(6)] if labels else None
        archive.writestr("dataset.json", json.dumps({"labels": listed}))


def test_zip_of_edm(tmp_path, rng):
    edm_zip(tmp_path / "x.zip", rng)
    data = load(str(tmp_path / "x.zip"))
    assert data.samples.shape == (6, 8, 8, 3)
    assert data.labels.tolist() == [0, 1, 2, 0, 1, 2]
    edm_zip(tmp_path / "plain.zip", rng, labels=False)
    assert load(str(tmp_path / "plain.zip")).labels is None
    (tmp_path / "no.zip").write_bytes(b"PK nothing")
    with pytest.raises(ec.InputError, match=r"^not a readable zip archive: .*no\.zip"):
        load(str(tmp_path / "no.zip"))


def test_sub_folders_are_classes(tmp_path, rng):
    for name, count in (("cat", 5), ("dog", 10)):
        (tmp_path / name).mkdir()
        for i in range(count):
            picture(rng).save(tmp_path / name / f"{i}.png")
    data = load(str(tmp_path), n=12, seed=3)
    whole = load(str(tmp_path))
    assert whole.classes == ("cat", "dog")
    assert np.bincount(whole.labels).tolist() == [5, 10]
    rows = [int(np.flatnonzero((whole.samples == one).all(axis=(1, 2)))[0]) for one in data.samples]
    assert (data.labels == whole.labels[rows]).all()
    split = ec.data.load_labelled(str(tmp_path))
    assert np.bincount(split.train_y).tolist() == [4, 8]
    assert np.bincount(split.test_y).tolist() == [1, 2]
    assert split.classes == ("cat", "dog")


def test_folders_of_train_and_test(tmp_path, rng):
    for part, count in (("train", 4), ("val", 2)):
        for name in ("a", "b"):
            (tmp_path / part / name).mkdir(parents=True)
            for i in range(count):
                picture(rng).save(tmp_path / part / name / f"{i}.png")
    split = ec.data.load_labelled(str(tmp_path), image_size=4, color="gray")
    assert split.train_x.shape == (8, 4, 4)
    assert split.test_y.tolist() == [0, 0, 1, 1]
    with pytest.warns(InputWarning, match="is split into train and others, and all of them are read: give one of them"):
        assert load(str(tmp_path)).labels is None


def test_archives_are_opened_once(tmp_path, rng, monkeypatch):
    """Opening one for every picture is quadratic: hours for the 50,000 of a usual set."""
    edm_zip(tmp_path / "x.zip", rng)
    opened = []
    real = zipfile.ZipFile
    monkeypatch.setattr(zipfile, "ZipFile", lambda *a, **k: opened.append(a) or real(*a, **k))
    load(str(tmp_path / "x.zip"))
    assert len(opened) <= 4


@pytest.mark.parametrize("label", [0.5, -1, "1", True, None, 10**12])
def test_labels_of_a_zip_are_whole(tmp_path, rng, label):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for i in range(2):
            content = io.BytesIO()
            picture(rng).save(content, "PNG")
            archive.writestr(f"{i}.png", content.getvalue())
        archive.writestr("dataset.json", json.dumps({"labels": [["0.png", 0], ["1.png", label]]}))
    with pytest.raises(ec.InputError, match=r"^dataset\.json must list a whole label for every picture"):
        load(str(tmp_path / "x.zip"))


def test_animations_under_another_name_are_refused(tmp_path, rng):
    pages = [picture(rng) for _ in range(3)]
    pages[0].save(tmp_path / "a.png", format="GIF", save_all=True, append_images=pages[1:])
    with pytest.raises(
        ec.InputError, match=r"unreadable image: .*a\.png \(3 frames of GIF: its name must end in one of"
    ):
        load(str(tmp_path))
