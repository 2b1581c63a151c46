"""One picture to an array: upright, transparency on white, gray or colour, of one size, in 0…1."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Float

from ..checks import InputError, need_memory, say
from .image_files import FRAMED, ImageFile, ImageFiles

Color: TypeAlias = Literal["gray", "rgb"]

MAX_PIXELS = 2**27
"""Pixels of the largest picture that is decoded unless asked for."""

WHITE = (255, 255, 255, 255)
"""What shows through transparent pixels: whatever colours are stored there are not meant to be seen."""

Progress = Callable[[int, int], None]


def decode(
    files: ImageFiles,
    chosen: Sequence[ImageFile],
    *,
    image_size: int | None,
    color: Color | None,
    max_pixels: int,
    progress: Progress,
) -> Float[np.ndarray, "n ..."]:
    """Pictures as one array (n, h, w) or (n, h, w, 3) in 0…1, float32.

    8-bit values are divided by 255, 16-bit ones by 65,535. InputError if a picture cannot be read, sizes differ, or kinds
    without a common scale (float, 32-bit integers, 8 or 16 bit) are mixed.
    """
    first, kind_of_first, enlarged = None, "", 0
    out: Any = np.empty(0)
    for i, (file, kind, picture, small) in enumerate(_pictures(files, chosen, image_size, color, max_pixels)):
        enlarged += small
        if first is None:
            first, kind_of_first = picture.shape, kind
            need_memory(f"{len(chosen):,} pictures of {first[0]}×{first[1]}", len(chosen) * picture.nbytes * 3)
            out = np.empty((len(chosen), *first), dtype=np.float32)
        if kind != kind_of_first:
            raise InputError(
                f"images must be of one kind of number, got {kind_of_first} in {chosen[0]} and {kind} in {file}: "
                "they have no common scale"
            )
        if picture.shape[:2] != out.shape[1:3]:
            raise InputError(
                f"images must have one size, got {out.shape[1:3]} in {chosen[0]} and {picture.shape[:2]} in {file}: "
                "crop and resize them with image_size"
            )
        if picture.ndim == 3 and out.ndim == 3:  # gray among colour becomes colour
            out = np.repeat(out[..., None], 3, axis=3)
        out[i] = picture if picture.ndim == out.ndim - 1 else picture[..., None]
        progress(i + 1, len(chosen))
    if enlarged:
        say(
            f"image_size = {image_size} enlarges {enlarged:,} of {len(chosen):,} pictures: the finest modes are made up"
        )
    return out


def _pictures(
    files: ImageFiles, chosen: Sequence[ImageFile], image_size: int | None, color: Color | None, max_pixels: int
) -> Iterator[tuple[ImageFile, str, Any, int]]:
    """Every picture with the kind of its numbers, and whether it is enlarged; a file is opened once for all of its frames."""
    for _, frames in groupby(chosen, key=lambda file: file.name):
        group = list(frames)
        with files.opened(group[0], max_pixels) as opened:
            for file in group:
                if file.frame:
                    opened.seek(file.frame)
                small = int(image_size is not None and image_size > min(opened.size))
                yield file, *_array(opened, image_size, color, file), small


ONE_PICTURE = {"MPO", "ICO", "ICNS", "JPEG"}
"""Formats whose further frames are previews and sizes of the same picture."""


def _array(opened: Any, image_size: int | None, color: Color | None, file: ImageFile) -> tuple[str, Any]:
    """What kind of numbers a picture holds, and the picture."""
    from PIL import Image, ImageOps

    frames = getattr(opened, "n_frames", 1) if opened.format not in ONE_PICTURE else 1
    if frames > 1 and PurePosixPath(file.name).suffix.lower() not in FRAMED:
        raise ValueError(f"{frames} frames of {opened.format}: its name must end in one of {', '.join(sorted(FRAMED))}")
    mode = opened.mode
    scaled = mode.startswith("I;16") or (mode == "I" and opened.format == "PNG")
    picture, clear_level = ImageOps.exif_transpose(opened), opened.info.get("transparency")
    if mode == "F" or mode.startswith("I"):
        kind, scale = ("float", 1.0) if mode == "F" else ("8 or 16 bit" if scaled else "32-bit integers", 65535.0)
        picture = picture.convert("F")  # which "L" would clip
        if scaled and isinstance(clear_level, int):
            picture = Image.fromarray(
                np.where(np.asarray(picture) == clear_level, np.float32(scale), np.asarray(picture))
            )
    else:
        kind, scale = "8 or 16 bit", 255.0
        clear = mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info
        gray = mode in ("1", "L", "LA", "La")
        if clear:
            if isinstance(clear_level, tuple) and max(clear_level) > 255:  # of a 16-bit picture that Pillow reads in 8
                picture.info["transparency"] = tuple(level >> 8 for level in clear_level)
            over = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", over.size, WHITE), over)
        wanted = {"gray": "L", "rgb": "RGB"}.get(color or "", "L" if gray else "RGB")
        picture = picture.convert(wanted)
    if image_size is not None:
        picture = ImageOps.fit(picture, (image_size, image_size), Image.Resampling.LANCZOS)
    array = np.asarray(picture, dtype=np.float32) / np.float32(scale)
    return kind, np.repeat(array[..., None], 3, axis=2) if color == "rgb" and array.ndim == 2 else array
