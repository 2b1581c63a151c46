"""Small patches of images and their modes: what a convolution of that size sees."""

from typing import Any

import numpy as np
from jaxtyping import Shaped

from ..checks import InputError, integer
from .moments import check_samples
from .spectrum import Spectrum


def cut(
    images: Shaped[np.ndarray, "n h w *c"], shape: tuple[int, ...], *, stride: int | None = None
) -> Shaped[np.ndarray, "m p q *c"]:
    """All patches of `shape` (p, q, ...) of images, at every `stride`-th position (default p: they tile the image)."""
    p, q = shape[:2]
    step = p if stride is None else stride
    windows = np.lib.stride_tricks.sliding_window_view(images, (p, q), axis=(1, 2))[:, ::step, ::step]
    return np.moveaxis(windows, (-2, -1), (3, 4)).reshape(-1, p, q, *images.shape[3:])


def patch_spectrum(x: Any, *, size: int, stride: int | None = None) -> Spectrum:
    """Spectrum of all size×size patches of images, pooled over positions.

    **Parameters**

    - `x`: (n, h, w) or (n, h, w, c) images.
    - `size`: edge length of a patch. - `stride`: distance between patches, by default `size`.

    InputError for samples that are not images, or patches larger than them.

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> ec.patch_spectrum(np.random.default_rng(0).standard_normal((10, 8, 8)), size=3).n_modes
    9

    ```
    """
    images = check_samples("x", x, None)
    integer("size", size, at_least=1)
    if stride is not None:
        integer("stride", stride, at_least=1)
    if images.ndim < 3 or size > min(images.shape[1:3]):
        raise InputError(f"size must be at most the images' edge, got patches of {size} of samples {images.shape[1:]}")
    return Spectrum.from_samples(cut(images, (size, size), stride=stride))
