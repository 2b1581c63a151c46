"""Tests of `eigenclock_studies.prior_aligned_latents.scores`."""

import numpy as np
import pytest

from eigenclock_studies.prior_aligned_latents.networks import judge
from eigenclock_studies.prior_aligned_latents.scores import (
    LADDER,
    Scorer,
    corrupted,
    frechet,
    harshness,
    ladder,
    pooled,
    rises,
)
from eigenclock_studies.prior_aligned_latents.sprites import make_sprites


def test_frechet_distance(rng):
    a = rng.standard_normal((400, 5))
    assert frechet(a, a) == pytest.approx(0, abs=1e-10)
    assert frechet(a, a + np.array([3.0, 0, 0, 0, 0])) == pytest.approx(9, rel=1e-6)
    assert frechet(a, 2 * a) == pytest.approx(frechet(2 * a, a), rel=1e-8)
    assert frechet(a - a.mean(0), 2 * (a - a.mean(0))) == pytest.approx(np.trace(np.cov(a.T)), rel=1e-8)


def test_ladders_rise(tmp_path):
    """The pixel distance rises on every rung, whatever the judge; what is pooled is what it says."""
    data = make_sprites(600, 5)[0]
    scorer = Scorer.of(judge(tmp_path, 4, "plain"), data.images)
    table = ladder(scorer, make_sprites(400, 6)[0].images)
    assert len(table) == 1 + sum(map(len, LADDER.values()))
    assert all(rises(table, "pix", kind) for kind in LADDER)
    assert 0 < harshness(table, "pix") < np.inf
    image = np.arange(16.0 * 16 * 3).reshape(1, 16, 16, 3)
    assert pooled(image)[0, 0] == image[0, :2, :2, 0].mean()
    moved = corrupted(data.images[:5], "blocks", 0.25, np.random.default_rng(0))
    assert np.allclose(np.sort(moved.reshape(5, -1)), np.sort(data.images[:5].reshape(5, -1)))
    assert not np.array_equal(moved, data.images[:5])
