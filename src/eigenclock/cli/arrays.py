"""Arrays that a command is given as NumPy files."""

from pathlib import Path
from typing import Any

from ..checks import InputError
from ..data.arrays import array_names, read_numpy


def load_array(path: str, name: str) -> Any:
    """An array, or arrays by name, of a NumPy file; InputError for anything else. Pickled objects are never loaded."""
    file = Path(path).expanduser()
    try:
        there = file.is_file()
    except (OSError, ValueError):
        there = False
    if not there:
        raise InputError(f"{name} must be a .npy or .npz file, got {path}, which is not there")
    try:
        if file.suffix.lower() == ".npz":
            return {key: read_numpy(file, key) for key in array_names(file)}
        return read_numpy(file, None)
    except InputError as error:
        raise InputError(f"{name} must be a .npy or .npz file of numbers, got {path} ({error})") from None
