"""Samples as pictures: montages, pixel ranges, PNG bytes."""

import base64
import io

import matplotlib.image
import numpy as np
from jaxtyping import Float, UInt8

from ..spectrum.spectrum import Spectrum

Pixels = UInt8[np.ndarray, "h w 3"]


def pixel_limits(spectrum: Spectrum) -> tuple[float, float]:
    """Black and white: the mean's range, widened by two standard deviations of a pixel, so that all times share one scale."""
    mean = np.zeros(1) if spectrum.mean is None else spectrum.mean
    spread = 2 * np.sqrt(spectrum.variance.sum() / spectrum.dimension)
    return float(mean.min() - spread), float(mean.max() + spread)


def montage(images: Float[np.ndarray, "n ..."], limits: tuple[float, float], gap: int = 1) -> Pixels:
    """Images (n, h, w) or (n, h, w, 1|3) on a near-square grid with white gaps, clipped to `limits`."""
    low, high = limits
    pixels = (np.clip((images - low) / (high - low), 0, 1) * 255).round().astype(np.uint8)
    pixels = pixels.reshape(*pixels.shape[:3], -1)
    pixels = np.broadcast_to(pixels[..., :1] if pixels.shape[-1] != 3 else pixels, (*pixels.shape[:3], 3))
    n, h, w, _ = pixels.shape
    columns = int(np.ceil(np.sqrt(n)))
    rows = -(-n // columns)
    canvas = np.full((rows * columns, h + gap, w + gap, 3), 255, dtype=np.uint8)
    canvas[:n, :h, :w] = pixels
    grid = canvas.reshape(rows, columns, h + gap, w + gap, 3).swapaxes(1, 2)
    return grid.reshape(rows * (h + gap), columns * (w + gap), 3)[: rows * (h + gap) - gap, : columns * (w + gap) - gap]


def mode_picture(image: Float[np.ndarray, "h w *c"]) -> Pixels:
    """A mode as a picture, gray at zero, full contrast at its largest entry."""
    size = float(np.abs(image).max())
    return montage(image[None], (-size, size))


def png(pixels: Pixels) -> bytes:
    """PNG file content."""
    buffer = io.BytesIO()
    matplotlib.image.imsave(buffer, pixels, format="png")
    return buffer.getvalue()


def data_uri(content: bytes) -> str:
    """A PNG as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")
