"""From a name or a path to a DataSet: NumPy arrays, image folders, IDX files."""

import gzip
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ..checks import InputError
from .bundled import BUNDLED
from .dataset import DataSet

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"}
IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def load(data: str, *, image_size: int | None = None) -> DataSet:
    """The data set of a bundled name or a path.

    Paths: `.npy`; `.npz`, or `file.npz:key` where it holds several arrays; IDX files (MNIST's format, `.gz` or not); a folder
    of images, read recursively. Integers are divided by 255 (16-bit images by 65,535).

    **Parameters**

    - `data`: name or path.
    - `image_size`: crop images of a folder to their central square and resize to this many pixels.

    Raises InputError if it does not exist, cannot be read, or its images differ in size (gray images among colour become colour).
    """
    if data in BUNDLED:
        return BUNDLED[data]()
    path, key = Path(data), None
    if not path.exists() and ".npz:" in data:
        name, key = data.rsplit(":", 1)
        path = Path(name)
    if not path.exists():
        raise InputError(f"data must be a path or one of {', '.join(BUNDLED)}; got {data!r}, which does not exist")
    if image_size is not None and not path.is_dir():
        raise InputError(f"image_size applies to folders of images, got it with {data!r}")
    if path.is_dir():
        array = _read_folder(path, image_size)
    elif path.suffix in (".npy", ".npz"):
        array = read_numpy(path, key)
    elif "idx" in path.name or "ubyte" in path.name:
        array = read_idx(path)
    else:
        raise InputError(f"data must be .npy, .npz, an IDX file or a folder of images, got {data!r}")
    if array.dtype.kind in "ui":
        array = array.astype(np.float32) / 255
    return DataSet(
        array, None, path.stem or path.name, f"{path.name}, {len(array):,} samples of shape {array.shape[1:]}"
    )


def read_numpy(path: Path, key: str | None) -> Any:
    """The array of a .npy, or one of a .npz by name; InputError for pickles and what cannot be read."""
    try:
        with path.open("rb") as stream:
            content = np.load(stream, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return content
            names = list(content.files)
            if key is None and len(names) == 1:
                key = names[0]
            if key is not None and key not in names:
                raise InputError(f"{path} holds no array {key!r}, only {', '.join(names)}")
            if key is None:
                raise InputError(f"{path} holds several arrays, name one of them: {path}:{{{', '.join(names)}}}")
            return content[key]
    except InputError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        reason = "pickled objects or not an array" if "pickle" in str(error).lower() else str(error).splitlines()[0]
        raise InputError(f"not a readable NumPy file: {path} ({reason})") from None


def read_idx(path: Path) -> Any:
    """IDX: two zero bytes, a type, the number of axes, their lengths, then the values, all big-endian."""
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise InputError(f"not a readable IDX file: {path} ({error})") from None
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in IDX_TYPES or len(raw) < 4 + 4 * raw[3]:
        raise InputError(f"not an IDX file: {path}")
    shape = tuple(int(n) for n in np.frombuffer(raw, ">u4", raw[3], 4))
    kind = np.dtype(IDX_TYPES[raw[2]])
    start, count = 4 + 4 * raw[3], int(np.prod(shape))
    if len(raw) != start + count * kind.itemsize:
        raise InputError(f"truncated IDX file: {path} ({len(raw)} bytes, {start + count * kind.itemsize} expected)")
    return np.frombuffer(raw, kind, count, start).reshape(shape).astype(kind.newbyteorder("="))


def _read_folder(path: Path, image_size: int | None) -> Any:
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise InputError("image folders need Pillow: pip install 'eigenclock[data]'") from None
    if image_size is not None and image_size < 1:
        raise InputError(f"image_size must be >= 1, got {image_size}")
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise InputError(f"no images in {path} (looked for {', '.join(sorted(IMAGE_SUFFIXES))})")
    images: list[Any] = []
    for file in files:
        try:
            with Image.open(file) as opened:
                deep = opened.mode.startswith("I") or opened.mode == "F"  # 16-bit or float gray, which "L" would clip
                kind = "F" if deep else "L" if opened.mode in ("1", "L") else "RGB"
                scale = 1.0 if opened.mode == "F" else 65535.0 if deep else 255.0
                picture = opened.convert(kind)
                if image_size is not None:
                    picture = ImageOps.fit(picture, (image_size, image_size), Image.Resampling.LANCZOS)
                images.append(np.asarray(picture, dtype=np.float32) / np.float32(scale))
        except OSError as error:
            raise InputError(f"unreadable image: {file} ({error})") from None
        if images[-1].shape[:2] != images[0].shape[:2]:
            raise InputError(
                f"images must have one size, got {images[0].shape[:2]} in {files[0].name} and "
                f"{images[-1].shape[:2]} in {file.name}: crop and resize them with image_size"
            )
    if any(image.ndim == 3 for image in images):  # gray among colour becomes colour
        images = [np.broadcast_to(image.reshape(*image.shape[:2], -1), (*image.shape[:2], 3)) for image in images]
    return np.stack(images)
