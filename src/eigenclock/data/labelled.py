"""Images with class labels: a NumPy archive, the four IDX files of MNIST and its relatives, or a folder of images by class."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..checks import InputError, finite_array, say
from ..files import path_of
from .arrays import read_idx, read_numpy
from .decoding import Color
from .image_files import find_images
from .reading import LARGEST_INTEGER, load, moved_channels

IDX_FILES = {"train_x": "train-images", "train_y": "train-labels", "test_x": "t10k-images", "test_y": "t10k-labels"}
"""How the official files' names begin."""

HELD_OUT = ("test", "val", "valid", "validation")
"""Names of a folder of held-out images, beside one called train."""

EVERY = 5
"""Of a folder without held-out images every fifth of each class is held out."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """Training and test images (n, h, w) or (n, h, w, c) in 0…1 with whole class labels (n,) from 0.

    `classes`: the name of each class, where the files say it.
    """

    train_x: Any
    train_y: Any
    test_x: Any
    test_y: Any
    name: str
    classes: tuple[str, ...] = ()


def load_labelled(data: str, *, image_size: int | None = None, color: Color | None = None) -> Labelled:
    """Labelled images of a path: a .npz, a folder with the four IDX files, or a folder or zip of images by class.

    The .npz has train_x, train_y, test_x, test_y. A folder of images has a sub-folder per class, under train and test (or val)
    if it is split, else every fifth image of each class is held out; a zip has EDM's dataset.json. `image_size`, `color`: as of
    `load`.

    Raises InputError if it does not exist, lacks one of them, or labels and images differ in number.
    """
    path = path_of("data", data).expanduser()
    if not path.exists():
        raise InputError(f"data must be a .npz or a folder of IDX files, got {str(data)!r}, which does not exist")
    options: dict[str, Any] = {"image_size": image_size, "color": color}
    images = (path.is_dir() or path.suffix.lower() == ".zip") and bool(find_images(path).files)
    if path.is_dir() and (not images or any(_matching(path, start) for start in IDX_FILES.values())):
        found = {name: read_idx(_idx(path, start)) for name, start in IDX_FILES.items()}
    elif images:
        return _of_images(path, options)
    elif path.suffix.lower() == ".npz":
        found = {name: read_numpy(path, name) for name in IDX_FILES}
    else:
        raise InputError(
            f"data must be a .npz or a folder of IDX files, got {str(data)!r} (or a folder of images by class)"
        )
    for name, value in options.items():
        if value is not None:
            raise InputError(f"{name} applies to folders of images, got it with {str(data)!r}")
    for part in ("train", "test"):
        found[f"{part}_x"] = _images_of(part, found[f"{part}_x"], found[f"{part}_y"], path)
    _check_alike(found["train_x"], found["test_x"], path)
    return Labelled(**found, name=path.stem)


def _images_of(part: str, images: Any, labels: Any, path: Path) -> Any:
    """Images of an array, checked with their labels, channels last, whole numbers in 0…1."""
    if labels.ndim != 1 or images.ndim < 2 or len(labels) != len(images) or labels.dtype.kind not in "iu":
        raise InputError(
            f"{part}_y must be one whole label per image, got shape {labels.shape} for "
            f"{len(images) if images.ndim else 0} images"
        )
    if len(labels) == 0 or labels.min() < 0:
        raise InputError(f"{part}_y must hold labels >= 0, got {'none' if len(labels) == 0 else labels.min()}")
    if images.dtype.kind not in "fiub":
        raise InputError(f"{part}_x must be real numbers, got dtype {images.dtype}")
    if images.dtype.kind in "ui":
        images = images.astype(np.float32) / np.float32(LARGEST_INTEGER.get(images.dtype.str[1:], 255.0))
    finite_array(f"{part}_x", images, "images of finite numbers")
    return moved_channels(images, f"{path}:{part}_x", say=lambda words: say(words, level=5))


def _check_alike(train: Any, test: Any, path: Path) -> None:
    if train.shape[1:] != test.shape[1:]:
        raise InputError(
            f"train and test images of {path} must have one shape, got {train.shape[1:]} and {test.shape[1:]}"
        )


def _of_images(path: Path, options: dict[str, Any]) -> Labelled:
    """Images by class, split as the folders say, or here."""
    parts = {one.name.lower(): one for one in path.iterdir() if one.is_dir()} if path.is_dir() else {}
    held_out = next((parts[name] for name in HELD_OUT if name in parts), None)
    if "train" in parts and held_out is not None:
        train, test = (load(str(one), **options) for one in (parts["train"], held_out))
        if train.classes != test.classes:
            raise InputError(
                f"train and {held_out.name} must have the same classes, got {', '.join(train.classes) or 'none'} and "
                f"{', '.join(test.classes) or 'none'}"
            )
        _check_labels(train.labels, path)
        _check_alike(train.samples, test.samples, path)
        return Labelled(train.samples, train.labels, test.samples, test.labels, path.stem, train.classes)
    whole = load(str(path), **options)
    labels = _check_labels(whole.labels, path)
    place = np.empty(len(labels), dtype=int)
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        place[mine] = np.arange(mine.size)
    out = place % EVERY == EVERY - 1
    if not out.any():
        raise InputError(
            f"a class needs {EVERY} images for one of them to be held out, got {int(place.max()) + 1} at most"
        )
    return Labelled(whole.samples[~out], labels[~out], whole.samples[out], labels[out], path.stem, whole.classes)


def _check_labels(labels: Any, path: Path) -> Any:
    if labels is None:
        raise InputError(
            f"{path} must have a sub-folder of images for each of at least 2 classes, or EDM's dataset.json"
        )
    return labels


def _matching(folder: Path, start: str) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.name.startswith(start))


def _idx(folder: Path, start: str) -> Path:
    matching = _matching(folder, start)
    if not matching:
        raise InputError(f"{folder} must hold a file {start}*, got none (nor images by class)")
    return matching[0]
