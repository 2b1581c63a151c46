"""What users hand over as samples: batches of loaders with labels, single samples of streams, images with channels first."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..checks import InputError, channels_first, say, shown
from .moments import known_samples, rows_at_once

IMAGES = ("image", "images", "img", "pixel_values", "x", "latents")
"""Keys of the images in a batch that is a dictionary."""

TOGETHER = 256
"""Most single samples that make a batch."""


def batches_of(batches: Iterable[Any]) -> Iterator[Any]:
    """Samples of every batch: of (image, label) pairs the images, of dictionaries what they call images.

    A stream of single samples is told by its pictures (Pillow's), or by labels that are one number or text; they are put
    together to batches.
    """
    if hasattr(batches, "shape") and hasattr(batches, "dtype"):
        raise InputError(
            f"batches must be an iterable of arrays, got {shown(batches)}: Spectrum.from_samples takes arrays"
        )
    if isinstance(batches, str | bytes):
        raise InputError(f"batches must be an iterable of arrays (n, ...), got {shown(batches)}")
    try:
        stream = iter(batches)
    except TypeError:
        raise InputError(f"batches must be an iterable of arrays (n, ...), got {shown(batches)}") from None
    waiting: list[Any] = []
    for i, batch in enumerate(stream):
        images, alone = _images(batch)
        if not alone:
            yield images
            continue
        one = known_samples(f"sample {i}", _pixels(images)[None], waiting[0].shape if waiting else None)[0]
        waiting.append(one)
        if len(waiting) >= min(TOGETHER, rows_at_once(one.size)):
            yield np.stack(waiting)
            waiting = waiting[:0]
    if waiting:
        yield np.stack(waiting)


def _images(batch: Any) -> tuple[Any, bool]:
    """What of a batch is images, and whether it is a single one."""
    others: list[Any] = []
    if isinstance(batch, Mapping):
        key = next((name for name in IMAGES if name in batch), None)
        if key is None:
            raise InputError(f"a batch by name must have one of {', '.join(IMAGES)}, got {shown(list(batch))}")
        images, others = batch[key], [value for name, value in batch.items() if name != key]
    elif isinstance(batch, list | tuple) and _with_labels(batch):
        images, *others = batch
    else:
        images = batch
    if isinstance(images, list | tuple) and images and all(_is_picture(one) for one in images):
        return [_pixels(one) for one in images], False
    return images, _is_picture(images) or (getattr(images, "ndim", 0) > 0 and any(_is_one(value) for value in others))


def _with_labels(batch: Any) -> bool:
    """Whether a batch is images (n, ...), or one picture, and something else of each of them, not a list of images."""
    if 1 < len(batch) <= 4 and _is_picture(batch[0]) and not any(_is_picture(one) for one in batch[1:]):
        return True
    shapes = [getattr(one, "shape", None) for one in batch]
    images = shapes[0] if 1 <= len(batch) <= 4 else None
    if images is None or len(images) < 2:
        return False
    return len(batch) == 1 or all(shape is None or tuple(shape) != tuple(images) for shape in shapes[1:])


def _pixels(one: Any) -> Any:
    """A sample as an array; of a picture of Pillow's its pixels in 0…1, as `data.load` reads them."""
    pixels = np.asarray(one)
    return pixels / np.float32(np.iinfo(pixels.dtype).max) if _is_picture(one) and pixels.dtype.kind == "u" else pixels


def _is_picture(one: Any) -> bool:
    """Whether something is a picture of Pillow's."""
    return hasattr(one, "getbands") and hasattr(one, "convert")


def _is_one(label: Any) -> bool:
    """Whether a label is that of one sample: a number or a text, not as many as a batch has."""
    return isinstance(label, int | float | str) or getattr(label, "shape", None) == ()


def said_of_layout(shape: tuple[int, ...], basis: str) -> None:
    """Warn of images with their channels first; InputError where waves of the wrong grid would come out."""
    if channels_first(shape):
        c, h, w = shape[1:]
        words = f"x of shape {shape} looks like (n, channels, h, w)"
        if basis != "pca":
            raise InputError(
                f"{words}: images must have their channels last, np.moveaxis(x, 1, -1), of a tensor x.movedim(1, -1)"
            )
        remedy = "np.moveaxis(x, 1, -1) puts them last, of a tensor x.movedim(1, -1)"
        say(f"{words}, and is read as {c}×{h} images of {w} channels: {remedy}", level=6)
