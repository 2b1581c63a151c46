"""Arrays that a command is given as NumPy files."""

from pathlib import Path
from typing import Any

import numpy as np

from ..checks import InputError


def load_array(path: str, name: str) -> Any:
    """An array, or arrays by name, of a NumPy file; InputError for anything else. Pickled objects are never loaded."""
    if not Path(path).is_file():
        raise InputError(f"{name} must be a .npy or .npz file, got {path}, which is not there")
    try:
        found = np.load(path, allow_pickle=False)
        return {key: found[key] for key in found.files} if isinstance(found, np.lib.npyio.NpzFile) else found
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{name} must be a .npy or .npz file of numbers, got {path} ({str(error).splitlines()[0]})"
        ) from None
