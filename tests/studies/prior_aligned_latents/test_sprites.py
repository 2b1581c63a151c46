"""Tests of `eigenclock_studies.prior_aligned_latents.sprites`."""

import numpy as np
import pytest

from eigenclock_studies.prior_aligned_latents.sprites import SHAPES, make_sprites


def test_sprites_have_exact_masks_and_shared_geometry():
    a, b = make_sprites(200, 3, appearances=2)
    assert np.array_equal(a.labels, b.labels)
    assert np.array_equal(a.masks, b.masks)
    assert not np.allclose(a.images, b.images)
    assert 0 <= a.images.min() < a.images.max() <= 1
    assert set(np.unique(a.labels)) == set(range(len(SHAPES)))
    inside = (a.masks > 0).sum(axis=(1, 2))
    disc, bar = inside[a.labels == 0].mean(), inside[a.labels == 5].mean()
    assert disc == pytest.approx(np.pi * (3.2**2 + 3.2 * 4.8 + 4.8**2) / 3, rel=0.05)  # mean of πr² over uniform radii
    assert bar < disc / 1.8
    textured = make_sprites(50, 3, variant="textured")[0]
    assert set(np.unique(textured.masks)) == {0, 1, 2}
