"""Real images that come inside the wheels of scikit-image and scikit-learn: nothing is downloaded."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from jaxtyping import Float

from ..checks import InputError, flag, integer, need_memory, random_seed
from .dataset import DataSet

COLOUR_PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")
GRAY_PHOTOGRAPHS = ("brick.png", "camera.png", "coins.png", "grass.png", "gravel.png", "moon.png")

HELD_OUT = 0.2
"""Share of each photograph, its right-hand side, from which only test patches are cut."""

LUMINANCE = np.array([0.2125, 0.7154, 0.0721])
"""Weights of red, green and blue in gray (ITU-R BT.709, as scikit-image uses)."""


def _optional(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise InputError(f"bundled images need {module.split('.')[0]}: pip install 'eigenclock[data]'") from None


def _photograph(name: str) -> Float[np.ndarray, "h w c"]:
    """A photograph in [0, 1], downscaled 2× by averaging 2×2 blocks."""
    io, folder = _optional("skimage.io"), _optional("skimage").data.__file__
    pixels = io.imread(f"{folder.rsplit('/', 1)[0]}/{name}").astype(np.float64) / 255
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    h, w = (n // 2 * 2 for n in pixels.shape[:2])
    return pixels[:h, :w].reshape(h // 2, 2, w // 2, 2, -1).mean(axis=(1, 3))


def natural_patches(
    size: int = 16, *, colour: bool = False, n: int = 10_000, n_test: int = 2_000, seed: int = 0
) -> DataSet:
    """Square patches cut at random from photographs of people, animals, things and textures, 2× downscaled, in [0, 1].

    Every pixel position is equally likely; patches overlap. Test patches come from the right-hand fifth of each photograph,
    which training patches never touch. Gray patches use eleven photographs, colour patches the five that have colour.

    **Parameters**

    - `size`: edge length, 4 to 32 pixels.
    - `colour`: (n, size, size, 3) instead of (n, size, size).
    - `n`, `n_test`: number of training and test patches.
    """
    if integer("size", size, at_least=1) not in range(4, 33):
        raise InputError(f"size must be in 4..32, got {size}")
    size, n, n_test = int(size), integer("n", n, at_least=2), integer("n_test", n_test, at_least=2)
    random_seed(seed)
    need_memory(
        f"n = {n:,} and n_test = {n_test:,}", 8.0 * (n + n_test) * (size**2 * (3 if flag("colour", colour) else 1) + 3)
    )
    names = COLOUR_PHOTOGRAPHS if colour else COLOUR_PHOTOGRAPHS + GRAY_PHOTOGRAPHS
    rng = np.random.default_rng(seed)
    train: list[Any] = []
    test: list[Any] = []
    for name in names:
        picture = _photograph(name)
        if not colour:
            picture = picture @ LUMINANCE if picture.shape[2] == 3 else picture[..., 0]
        border = round(picture.shape[1] * (1 - HELD_OUT))
        for part, kept in ((picture[:, :border], train), (picture[:, border:], test)):
            kept.append(
                np.moveaxis(np.lib.stride_tricks.sliding_window_view(part, (size, size), axis=(0, 1)), 2, -1)
                if colour
                else np.lib.stride_tricks.sliding_window_view(part, (size, size))
            )
    kind = "colour" if colour else "gray"
    return DataSet(
        samples=_cut(train, n, rng),
        test=_cut(test, n_test, rng),
        name=f"natural patches {size}×{size} {kind}",
        source=f"{len(names)} photographs of scikit-image, 2× downscaled, {n:,} random patches",
    )


def _cut(windows: list[Any], n: int, rng: np.random.Generator) -> Float[np.ndarray, "n ..."]:
    """`n` of all windows of all photographs, drawn uniformly."""
    counts = np.array([view.shape[0] * view.shape[1] for view in windows])
    flat = rng.integers(0, counts.sum(), n)
    picture = np.searchsorted(np.cumsum(counts), flat, side="right")
    position = flat - (np.cumsum(counts) - counts)[picture]
    out = np.empty((n, *windows[0].shape[2:]))
    for i, view in enumerate(windows):
        mine = picture == i
        out[mine] = view[np.unravel_index(position[mine], view.shape[:2])]
    return out


def digits() -> DataSet:
    """The 1,797 handwritten digits of scikit-learn, 8×8 gray, in [0, 1]; every fifth is held out."""
    images = _optional("sklearn.datasets").load_digits().images / 16
    held_out = np.arange(len(images)) % 5 == 4
    return DataSet(images[~held_out], images[held_out], "digits 8×8", "scikit-learn's load_digits (UCI, CC BY 4.0)")


def faces() -> DataSet:
    """The 100 face crops in scikit-image's subset of Labeled Faces in the Wild, 25×25 gray, in [0, 1]; every fifth held out."""
    images = np.asarray(_optional("skimage.data").lfw_subset()[:100], dtype=np.float64)
    held_out = np.arange(len(images)) % 5 == 4
    return DataSet(images[~held_out], images[held_out], "faces 25×25", "scikit-image's lfw_subset")


BUNDLED: dict[str, Callable[[], DataSet]] = {
    "natural16": lambda: natural_patches(16),
    "natural32": lambda: natural_patches(32),
    "natural16-colour": lambda: natural_patches(16, colour=True),
    "natural32-colour": lambda: natural_patches(32, colour=True),
    "digits": digits,
    "faces": faces,
}
"""Names that `load` and the command line understand, besides paths."""
