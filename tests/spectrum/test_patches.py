"""Tests of `eigenclock.spectrum.patches`."""

import numpy as np

import eigenclock as ec


def test_patch_spectrum_counts_every_position():
    images = np.arange(2 * 4 * 4, dtype=float).reshape(2, 4, 4) ** 1.5
    found = ec.patch_spectrum(images, size=2, stride=1)
    patches = [image[i : i + 2, j : j + 2] for image in images for i in range(3) for j in range(3)]
    np.testing.assert_allclose(found.variance, ec.Spectrum.from_samples(np.stack(patches)).variance)
    assert found.n_samples == 18
