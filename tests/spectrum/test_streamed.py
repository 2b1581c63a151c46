"""Tests of `eigenclock.spectrum.streamed`: large images in small pieces."""

import tracemalloc

import numpy as np
import pytest

import eigenclock as ec
from eigenclock.spectrum.moments import PIECE, rows_at_once


@pytest.mark.parametrize("dimension", [1, 3072, 256 * 256 * 3, 10**9])
def test_pieces_are_bounded_by_bytes(dimension):
    assert rows_at_once(dimension) == 1 or 8 * dimension * rows_at_once(dimension) <= PIECE


@pytest.mark.parametrize("basis", ["dct", "fourier"])
def test_images_of_any_size_in_bounded_memory(basis):
    """60 images of 256×256×3 bytes, 94 MB in float64: of a batch no more than a piece is converted, in a dozen copies at most.

    The moments of waves alone are 65,536 blocks of 3×3, of Fourier's two parts 6×6.
    """
    rng = np.random.default_rng(0)
    x = np.cumsum(rng.integers(0, 4, (60, 256, 256, 3), dtype=np.uint8), axis=1, dtype=np.uint8)
    tracemalloc.start()
    with pytest.warns(ec.InputWarning, match="divide by 255"):
        found = ec.Spectrum.from_batches([x[:40], x[40:]], basis=basis)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    blocks = 8 * 256 * 256 * (9 if basis == "dct" else 36)
    assert peak < 12 * PIECE + 8 * blocks
    assert found.n_modes == 256 * 256 * 3
    # an orthonormal transform keeps the whole variance, to the rounding of 2e5 sums
    assert np.isclose(found.variance.sum(), x.var(axis=0, dtype=np.float64).sum(), rtol=1e-10)


def test_batches_of_whole_numbers_are_those_of_floats(rng):
    x = rng.integers(-100, 100, (300, 7), dtype=np.int16)
    assert np.allclose(
        ec.Spectrum.from_batches([x]).variance, ec.Spectrum.from_samples(x.astype(float)).variance, rtol=1e-12
    )
