"""Pictures of a page that is to be mailed: as small as their number asks for."""

import base64
import io

import numpy as np
from PIL import Image

from ..curve.pictures import Pixels, data_uri

GRAYS, COLOURS = 16, 64
"""Shades of a picture that is kept exactly but for them."""

QUALITIES = (80, 60, 40, 25)
"""Of WebP, tried in this order where pictures with few shades are still too large."""

FEWEST = 6
"""Positions of a slider that are kept however large its pictures are."""


def few_shades(pixels: Pixels) -> bytes:
    """A PNG with a palette: sixteen grays, or the 64 colours that fit best."""
    if (pixels[..., :1] == pixels).all():
        step = 255 / (GRAYS - 1)
        levels = np.round(pixels[..., 0] / step).astype(np.uint8)
        image = Image.fromarray(levels, mode="P")
        image.putpalette(np.repeat(np.round(np.arange(GRAYS) * step).astype(np.uint8), 3).tobytes())
        bits = 4
    else:
        image, bits = Image.fromarray(pixels).quantize(COLOURS), 8
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True, bits=bits)
    return buffer.getvalue()


def webp(pixels: Pixels, quality: int | None) -> bytes:
    """A WebP file, without loss where no quality is given."""
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    if quality is None:
        image.save(buffer, "WEBP", lossless=True, quality=80, method=4)
    else:
        image.save(buffer, "WEBP", quality=quality, method=6)
    return buffer.getvalue()


def webp_uri(content: bytes) -> str:
    """A WebP as an address that holds it."""
    return "data:image/webp;base64," + base64.b64encode(content).decode("ascii")


def slides(frames: list[list[Pixels]], budget: int) -> list[tuple[int, list[str]]]:
    """Addresses of the pictures at each position of a slider, and its place among those given, all within `budget` characters.

    Few shades if that is enough, else some loss, else fewer positions; first and last stay.
    """
    exact = [[data_uri(few_shades(one)) for one in frame] for frame in frames]
    if _size(exact) <= budget:
        return list(enumerate(exact))
    for quality in QUALITIES:
        lossy = [[webp_uri(webp(one, quality)) for one in frame] for frame in frames]
        if _size(lossy) <= budget:
            return list(enumerate(lossy))
    count = max(FEWEST, int(len(frames) * budget / max(_size(lossy), 1)))
    kept = np.unique(np.round(np.linspace(0, len(frames) - 1, min(count, len(frames)))).astype(int)).tolist()
    return [(place, lossy[place]) for place in kept]


def _size(frames: list[list[str]]) -> int:
    return sum(len(uri) for frame in frames for uri in frame)
