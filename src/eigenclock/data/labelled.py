"""Images with class labels: a NumPy archive, or the four IDX files of MNIST and its relatives."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..checks import InputError
from .reading import read_idx, read_numpy

IDX_FILES = {"train_x": "train-images", "train_y": "train-labels", "test_x": "t10k-images", "test_y": "t10k-labels"}
"""How the official files' names begin."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """Training and test images (n, h, w) in 0…1 with whole class labels (n,) from 0."""

    train_x: Any
    train_y: Any
    test_x: Any
    test_y: Any
    name: str


def load_labelled(data: str) -> Labelled:
    """Labelled images of a path: a .npz with train_x, train_y, test_x, test_y, or a folder with the four IDX files.

    Raises InputError if it does not exist, lacks one of them, or labels and images differ in number.
    """
    path = Path(data)
    if not path.exists():
        raise InputError(f"data must be a .npz or a folder of IDX files, got {data!r}, which does not exist")
    if path.is_dir():
        found = {name: read_idx(_idx(path, start)) for name, start in IDX_FILES.items()}
    elif path.suffix == ".npz":
        found = {name: read_numpy(path, name) for name in IDX_FILES}
    else:
        raise InputError(f"data must be a .npz or a folder of IDX files, got {data!r}")
    for part in ("train", "test"):
        images, labels = found[f"{part}_x"], found[f"{part}_y"]
        if labels.ndim != 1 or len(labels) != len(images) or labels.dtype.kind not in "iu":
            raise InputError(
                f"{part}_y must be one whole label per image, got shape {labels.shape} for {len(images)} images"
            )
        if images.dtype.kind in "ui":
            found[f"{part}_x"] = images.astype(np.float32) / 255
    return Labelled(**found, name=path.stem)


def _idx(folder: Path, start: str) -> Path:
    matching = sorted(folder.glob(f"{start}*"))
    if not matching:
        raise InputError(f"{folder} must hold a file {start}*, got none")
    return matching[0]
