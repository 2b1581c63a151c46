"""Tests of `eigenclock.curve.pictures`."""

import io

import numpy as np
from matplotlib.image import imread

from eigenclock.curve import pictures as images


def test_montage():
    pictures = np.stack([np.full((2, 3), value) for value in (0.0, 0.5, 1.0)])
    grid = images.montage(pictures, (0.0, 1.0))
    assert grid.shape == (5, 7, 3)
    assert (grid[:2, :3] == 0).all()
    assert (grid[:2, 4:] == 128).all()
    assert (grid[3:, :3] == 255).all()
    assert (grid[2] == 255).all(), "gap"
    colour = images.montage(np.random.default_rng(0).random((5, 4, 4, 3)), (0.0, 1.0))
    assert colour.shape == (9, 14, 3)
    assert imread(io.BytesIO(images.png(colour)), format="png").shape[:2] == (9, 14)
