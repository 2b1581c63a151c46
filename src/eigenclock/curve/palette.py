"""Colours that stay apart for colour-blind readers and in print (Okabe & Ito), and modes worth drawing."""

import matplotlib
import numpy as np
from jaxtyping import Int

PREDICTED = "#0072B2"
MEASURED = "#D55E00"
TARGET = "#555555"
GRAY_ZONE = "#BBBBBB"


def mode_colour(position: float) -> str:
    """Colour of a mode: from dark blue (largest variance, 0) to ochre (smallest, 1), readable on white."""
    return str(matplotlib.colors.to_hex(matplotlib.colormaps["cividis"](0.88 * position)))


def spread_modes(n_modes: int, count: int = 8) -> Int[np.ndarray, " chosen"]:
    """About `count` modes, evenly spread in the logarithm of their rank, first and last included."""
    return np.unique(np.round(np.geomspace(1, n_modes, count)).astype(int)) - 1
