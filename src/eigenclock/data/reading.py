"""From a name or a path to a DataSet: NumPy arrays, IDX files, folders and archives of images."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np

from ..checks import InputError, channels_first, choice, integer, random_seed, say
from ..files import path_of
from .arrays import read_idx, read_numpy, read_numpy_folder
from .bundled import BUNDLED
from .dataset import DataSet, chosen_rows
from .decoding import MAX_PIXELS, Color, Progress, decode
from .image_files import ImageFiles, extensions, find_images

PICKLES = {".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".bin", ".joblib"}

LARGEST_INTEGER = {"u1": 255.0, "u2": 65535.0}
"""What stands for 1 in whole numbers of a file; other kinds are divided by 255."""


def load(
    data: str,
    *,
    image_size: int | None = None,
    color: Color | None = None,
    n: int | None = None,
    seed: int = 0,
    max_pixels: int = MAX_PIXELS,
    progress: Progress = lambda done, total: None,
) -> DataSet:
    """The data set of a bundled name or a path.

    Paths: `.npy`; `.npz`, or `file.npz:key` where it holds several arrays; a folder of `.npy` files of one shape; IDX files
    (MNIST's format, `.gz` or not); a folder of images, read recursively, or a zip of them as EDM makes it. Whole numbers are
    divided by 255 (16-bit by 65,535). Arrays (n, channels, h, w) are moved to (n, h, w, channels), with a warning.

    Images are turned upright (EXIF), transparent pixels show white, every frame of an animation or page is a sample; hidden
    files and `__MACOSX` are left out, links are followed once. Classes, by first sub-folder or `dataset.json`, are `labels`.

    **Parameters**

    - `data`: name or path.
    - `image_size`: crop images to their central square and resize to this many pixels.
    - `color`: "gray" or "rgb" for images; by default as they are, gray among colour becomes colour.
    - `n`, `seed`: read only `n` of the samples, chosen at random. - `progress`: called as progress(done, total) for images.
    - `max_pixels`: of the largest image that is read; more can be a damaged or a hostile file.

    Raises InputError if it does not exist, cannot be read, claims more than it holds or than fits in memory, or its images differ
    in size or kind of numbers.

    ```python
    >>> import eigenclock as ec
    >>> ec.data.load("digits", n=100)
    DataSet(digits 8×8: 100 training and 359 test samples of shape (8, 8))

    ```
    """
    if color is not None:
        choice("color", color, get_args(Color))
    if image_size is not None:
        integer("image_size", image_size, at_least=1, at_most=2**14)
    integer("max_pixels", max_pixels, at_least=1)
    if n is not None:
        integer("n", n, at_least=2)
    random_seed(seed)
    if isinstance(data, str) and data in BUNDLED:
        if image_size is not None or color is not None:
            given = "image_size" if image_size is not None else "color"
            raise InputError(f"{given} applies to folders of images, got it with {data!r}")
        return BUNDLED[data]().limited(n, seed=seed)
    path, key = _place(data)
    images = _images(path)
    if images is None:
        for name, value in (("image_size", image_size), ("color", color)):
            if value is not None:
                raise InputError(f"{name} applies to folders of images, got it with {data!r}")
        return _of_array(path, key, n, seed)
    rows = chosen_rows(len(images.files), n, seed)
    chosen = [images.files[i] for i in rows]
    options: dict[str, Any] = {"image_size": image_size, "color": color, "max_pixels": max_pixels, "progress": progress}
    array = decode(images, chosen, **options)
    if images.is_split:
        say(f"{path} is split into train and others, and all of them are read: give one of them", level=3)
    if images.left_out:
        say(str(images), level=3)
    return DataSet(
        array,
        None,
        path.stem or path.name,
        f"{path.name}, {images}, samples of shape {array.shape[1:]}",
        labels=None if images.labels is None else images.labels[rows],
        classes=images.classes,
    )


def _place(data: Any) -> tuple[Path, str | None]:
    """Path and key of what was given; InputError if nothing is there."""
    path, key = path_of("data", data).expanduser(), None
    if not path.exists() and ".npz:" in str(data):
        name, key = str(data).rsplit(":", 1)
        path = path_of("data", name).expanduser()
    if not path.exists():
        raise InputError(f"data must be a path or one of {', '.join(BUNDLED)}; got {str(data)!r}, which does not exist")
    return path, key


def _images(path: Path) -> ImageFiles | None:
    """The images of a folder or an archive; None for what is neither, and for a folder of .npy files."""
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return None
    try:
        import PIL  # noqa: F401
    except ImportError:
        raise InputError("image folders need Pillow: pip install 'eigenclock[data]'") from None
    images = find_images(path)
    if images.files:
        return images
    if path.is_dir() and _arrays_in(path):
        return None
    raise InputError(f"no images in {path} (looked for {', '.join(sorted(extensions()))}; {images})")


def _arrays_in(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.npy") if not file.name.startswith("."))


def _of_array(path: Path, key: str | None, n: int | None, seed: int) -> DataSet:
    """The data set of an array in a file: rows are chosen, and only then read and scaled."""
    suffix = path.suffix.lower()
    if path.is_dir():
        array, n = read_numpy_folder(_arrays_in(path), n, seed), None
    elif suffix in (".npy", ".npz"):
        array = read_numpy(path, key)
    elif suffix in PICKLES:
        raise InputError(
            f"data must not be a pickle, which can run code when read, got {path}: save the numbers as .npy, "
            "np.save('x.npy', tensor.numpy())"
        )
    elif suffix == ".nc":
        raise InputError(
            f"data must hold samples, got the spectrum or curve {path}: only predict and spectrum take one"
        )
    elif "idx" in path.name or "ubyte" in path.name:
        array = read_idx(path)
    else:
        raise InputError(
            f"data must be .npy, .npz, an IDX file or a folder of images, got {str(path)!r} (or a zip of images, or a folder "
            "of .npy files)"
        )
    whole = DataSet(array, None, path.stem or path.name, "")  # its checks, before anything is read
    array = (
        np.asarray(array[chosen_rows(len(array), n, seed)]) if n is not None and n < len(array) else np.asarray(array)
    )
    if array.dtype.kind in "ui":
        array = array.astype(np.float32) / np.float32(LARGEST_INTEGER.get(array.dtype.str[1:], 255.0))
    array = moved_channels(array, str(path), say=lambda words: say(words, level=4))
    return DataSet(array, None, whole.name, f"{path.name}, {len(array):,} samples of shape {array.shape[1:]}")


def moved_channels(array: Any, name: str, say: Callable[[str], None]) -> Any:
    """Images with their channels last."""
    if not channels_first(array.shape):
        return array
    say(f"{name} has shape {array.shape}, read as (n, channels, h, w) and moved to (n, h, w, channels)")
    return np.moveaxis(array, 1, -1)
