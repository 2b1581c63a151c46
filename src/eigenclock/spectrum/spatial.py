"""Modes in words of the image: how many cycles they make across it, how large the features are that they draw."""

import numpy as np
import scipy
from jaxtyping import Float

from .bases import Basis, Cosines, Fourier

BLOCK = 2**22
"""Numbers of mode images transformed at a time: 32 MiB."""

Modes = Float[np.ndarray, " mode"]


def cycles_per_image(basis: Basis | None, n_modes: int) -> Modes:
    """Spatial frequency of every mode of images (h, w) or (h, w, c), in cycles per image; NaN of modes of anything else.

    The mean of |k| over a mode's own image, weighted by its power there, the channels' together: the mean and not the root of
    the mean square, which a little pixel noise in a mode, as few samples leave, would make high. Where the edges differ, the
    image is as long as the larger: k in cycles per pixel times max(h, w). A constant has 0.

    A Fourier or cosine mode is known by its place in the grid, exactly. Other modes go through the cosine transform, the Fourier
    transform of the image mirrored at its edges, in which cos(πm(x+½)/h) has m/2 cycles exactly. Without the mirror, images that
    do not repeat jump from edge to edge, and the half cycle of the largest gradient would be read as two cycles at 32 pixels.
    """
    if basis is None or len(basis.shape) < 2:
        return np.full(n_modes, np.nan)
    h, w = basis.shape[:2]
    edge = max(h, w)
    if isinstance(basis, Fourier):
        across = edge * np.hypot(scipy.fft.fftfreq(h)[:, None], scipy.fft.fftfreq(w))
        return across.ravel()[basis.order // basis.channels]
    across = edge * np.hypot(np.arange(h)[:, None] / (2 * h), np.arange(w) / (2 * w))
    if isinstance(basis, Cosines):
        return across.ravel()[basis.order // basis.channels]
    rows = max(BLOCK // basis.dimension, 1)
    blocks = (basis.mode_images(first, first + rows) for first in range(0, n_modes, rows))
    return np.concatenate([_mean_frequency(block, across) for block in blocks])


def _mean_frequency(images: Float[np.ndarray, "n h w *c"], across: Float[np.ndarray, "h w"]) -> Float[np.ndarray, " n"]:
    """Mean frequency of every image, of those of the cosine transform, by power; NaN of an image that is zero."""
    power = (
        np.square(scipy.fft.dctn(images, axes=(1, 2), norm="ortho")).reshape(len(images), across.size, -1).sum(axis=2)
    )
    total = power.sum(axis=1)
    return np.where(total > 0, power @ across.ravel() / np.where(total > 0, total, 1), np.nan)


def feature_size(cycles: Modes, basis: Basis | None) -> Modes:
    """Half a period in pixels of modes of so many cycles per image, max(h, w)/(2·cycles): inf of a constant, NaN of no image."""
    edge = np.nan if basis is None else max(basis.shape[:2])
    return np.divide(edge / 2, cycles, out=np.full(cycles.shape, np.inf), where=cycles != 0)


def finer_than(cycles: float, edge: int) -> str:
    """What lies beyond a frequency, in words, of images whose larger edge has `edge` pixels.

    `finer_than(2.6, 16)` is "finer than 3.1 pixels (more than 2.6 cycles per image)".
    """
    return f"finer than {edge / (2 * cycles):.2g} pixels (more than {cycles:.2g} cycles per image)"


def pixels_in_words(size: float) -> str:
    """A feature size of at least one pixel, in words: "3.2 pixels", "1 pixel"."""
    words = f"{max(size, 1):.2g}"
    return f"{words} pixel" if words == "1" else f"{words} pixels"
