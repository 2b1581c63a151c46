"""Arrays in files: .npy, .npz, folders of .npy and IDX, their headers held against what the file holds before memory is taken."""

import gzip
import math
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..checks import InputError, need_memory, say
from ..files import regular_file
from .dataset import chosen_rows

IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

MEMBERS_SHOWN = 10
"""Names of an archive's arrays that an error lists."""

PIECE = 2**24
"""Bytes unpacked at a time."""


def read_numpy(path: Path, key: str | None) -> Any:
    """The array of a .npy, mapped and not yet read, or one of a .npz by name; InputError for pickles and what cannot be read."""
    regular_file(path, "NumPy file")
    try:
        if zipfile.is_zipfile(path):
            return _member(path, key)
        with path.open("rb") as stream:
            if stream.read(2) == b"PK":
                raise ValueError("damaged archive")
        return np.lib.format.open_memmap(path, mode="r")
    except (InputError, MemoryError):
        raise
    except Exception as error:  # NumPy, zip and zlib have many words for a damaged file
        raise InputError(f"not a readable NumPy file: {path} ({_reason(error)})") from None


def array_names(path: Path) -> list[str]:
    """Names of the arrays of a .npz."""
    try:
        with zipfile.ZipFile(regular_file(path, "NumPy file")) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"not a readable NumPy file: {path} ({_reason(error)})") from None


def _reason(error: Exception) -> str:
    text = (str(error).splitlines() or [""])[0]
    if "pickle" in text.lower() or "object array" in text.lower() or "Python objects" in text:
        return "pickled objects or not an array"
    return text or type(error).__name__


def _member(path: Path, key: str | None) -> Any:
    """An array of an archive; its header is held against what the archive says the member unpacks to."""
    names = array_names(path)
    if not names:
        raise InputError(f"{path} holds no arrays")
    if key is None and len(names) == 1:
        key = names[0]
    known = ", ".join(names[:MEMBERS_SHOWN]) + (", …" if len(names) > MEMBERS_SHOWN else "")
    if key is not None and key not in names:
        raise InputError(f"{path} holds no array {key!r}, only {known}")
    if key is None:
        raise InputError(f"{path} holds several arrays, name one of them: {path}:{{{known}}}")
    with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as stream:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, kind = read(stream)
        if kind.hasobject:
            raise ValueError("pickled objects")
        size = math.prod(shape) * kind.itemsize
        if size > archive.getinfo(f"{key}.npy").file_size:
            raise ValueError(f"its header declares {size:,} bytes, more than it holds")
        need_memory(f"{path}:{key}", size)
        content = _whole(stream, size)
    if len(content) < size:
        raise ValueError(f"{len(content):,} bytes, {size:,} expected")
    array = np.frombuffer(content, kind, math.prod(shape))
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def _whole(stream: Any, most: int) -> bytearray:
    """What a stream unpacks to, up to `most` bytes."""
    found = bytearray()
    while len(found) < most and (piece := stream.read(min(PIECE, most - len(found)))):
        found += piece
    return found


def read_idx(path: Path) -> Any:
    """IDX: two zero bytes, a type, the number of axes, their lengths, then the values, all big-endian; `.gz` or not."""
    file = regular_file(path, "IDX file")
    try:
        with gzip.open(file) if file.suffix.lower() == ".gz" else file.open("rb") as stream:
            head = stream.read(4)
            if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in IDX_TYPES or head[3] == 0:
                raise InputError(f"not an IDX file: {path}")
            lengths = stream.read(4 * head[3])
            shape = tuple(int.from_bytes(lengths[i : i + 4], "big") for i in range(0, len(lengths), 4))
            kind = np.dtype(IDX_TYPES[head[2]])
            size = math.prod(shape) * kind.itemsize
            plain = file.suffix.lower() != ".gz"
            if len(shape) != head[3] or (plain and size != file.stat().st_size - 4 - 4 * head[3]):
                raise InputError(
                    f"truncated IDX file: {path} ({file.stat().st_size} bytes, {4 + 4 * head[3] + size} expected)"
                )
            if size > file.stat().st_size * DEFLATED:
                raise InputError(
                    f"truncated IDX file: {path} (its header declares {size} bytes, more than it can hold)"
                )
            need_memory(str(path), size)
            content = _whole(stream, size + 1)
    except (InputError, MemoryError):
        raise
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise InputError(f"not a readable IDX file: {path} ({_reason(error)})") from None
    if len(content) != size:
        raise InputError(f"truncated IDX file: {path} ({len(content)} bytes of values, {size} expected)")
    try:
        return np.frombuffer(content, kind).reshape(shape).astype(kind.newbyteorder("="))
    except ValueError as error:
        raise InputError(f"not a readable IDX file: {path} ({_reason(error)})") from None


DEFLATED = 1100
"""Most that deflate can expand a file, and some."""


def read_numpy_folder(files: list[Path], n: int | None, seed: int) -> Any:
    """One array of a folder of .npy files, or `n` of its samples: a sample per file, or batches, in the order of the names."""
    shapes, kinds = [], set()
    for file in files:
        array = read_numpy(file, None)
        shapes.append(array.shape)
        kinds.add(array.dtype.str)
        del array  # no file stays open
    if len(kinds) > 1:
        raise InputError(f"arrays of a folder must be of one kind of number, got {', '.join(sorted(kinds))}")
    if len(set(shapes)) == 1 and len(shapes[0]) in (1, 2, 3):
        if len(shapes) > 1 and (len(shapes[0]) == 2 or shapes[0][0] > max(shapes[0][1:], default=0)):
            say(
                f"{len(files)} files of shape {shapes[0]} are read as one sample each: concatenate them if they are not",
                level=5,
            )
        return np.stack([np.array(read_numpy(files[i], None)) for i in chosen_rows(len(files), n, seed)])
    if len({shape[1:] for shape in shapes}) == 1 and len(shapes[0]) in (2, 3, 4):
        ends = np.cumsum([shape[0] for shape in shapes])
        rows = chosen_rows(int(ends[-1]), n, seed)
        where = np.searchsorted(ends, rows, side="right")
        starts = ends - [shape[0] for shape in shapes]
        parts = [np.array(read_numpy(files[i], None)[rows[where == i] - starts[i]]) for i in np.unique(where)]
        return np.concatenate(parts)
    other = next((i for i, shape in enumerate(shapes) if shape != shapes[0]), 0)
    raise InputError(
        f"arrays of a folder must have one shape, got {shapes[0]} in {files[0].name} and {shapes[other]} in {files[other].name}"
    )
