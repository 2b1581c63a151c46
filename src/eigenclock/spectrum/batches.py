"""What users hand over as samples: batches of loaders with labels, images with their channels first."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from jaxtyping import Shaped

from ..checks import InputError, channels_first, say, shown

IMAGES = ("image", "images", "img", "pixel_values", "x", "latents")
"""Keys of the images in a batch that is a dictionary."""


def batches_of(batches: Iterable[Any]) -> Iterator[Any]:
    """Samples of every batch: of (image, label) pairs the images, of dictionaries what they call images."""
    if isinstance(batches, str | bytes):
        raise InputError(f"batches must be an iterable of arrays (n, ...), got {shown(batches)}")
    try:
        stream = iter(batches)
    except TypeError:
        raise InputError(f"batches must be an iterable of arrays (n, ...), got {shown(batches)}") from None
    for batch in stream:
        if isinstance(batch, Mapping):
            key = next((name for name in IMAGES if name in batch), None)
            if key is None:
                raise InputError(f"a batch by name must have one of {', '.join(IMAGES)}, got {shown(list(batch))}")
            yield batch[key]
        elif isinstance(batch, list | tuple) and _with_labels(batch):
            yield batch[0]
        else:
            yield batch


def _with_labels(batch: Any) -> bool:
    """Whether a batch is images (n, ...) and something else of each of them, not a list of images."""
    shapes = [getattr(one, "shape", None) for one in batch]
    images = shapes[0] if 1 <= len(batch) <= 4 else None
    if images is None or len(images) < 2:
        return False
    return len(batch) == 1 or all(shape is None or tuple(shape) != tuple(images) for shape in shapes[1:])


def said_of_layout(samples: Shaped[np.ndarray, "n ..."], basis: str) -> None:
    """Warn of images with their channels first; InputError where waves of the wrong grid would come out."""
    if samples.ndim == 4 and channels_first(samples.shape):
        c, h, w = samples.shape[1:]
        words = f"x of shape {samples.shape} looks like (n, channels, h, w)"
        if basis == "fourier":
            raise InputError(f"{words}: images must have their channels last, np.moveaxis(x, 1, -1)")
        say(f"{words}, and is read as {c}×{h} images of {w} channels: np.moveaxis(x, 1, -1) puts them last", level=4)
