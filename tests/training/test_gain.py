"""Tests of `eigenclock.training.gain`."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock.training.gain import gain_and_r2, sample_alignment


def test_gain_and_r2_of_known_samples(rng):
    y = rng.standard_normal((50_000, 2))
    out = np.column_stack([0.3 * y[:, 0], 0.5 * y[:, 1] + 0.5 * rng.standard_normal(50_000)])
    gain, r2 = gain_and_r2(out, y)
    np.testing.assert_allclose(gain, [0.3, 0.5], atol=0.015)  # five standard errors
    np.testing.assert_allclose(r2, [1.0, 0.5], atol=0.015)


@pytest.mark.parametrize(("n", "m"), [(40, 100), (300, 20)])
def test_alignment_of_few_samples(rng, n, m):
    """Unbiased where the plain ratio is not; near divergences.alignment where samples are many."""
    scale = np.geomspace(1, 0.1, m)
    aligned = np.mean([sample_alignment(rng.standard_normal((n, m)) * scale) for _ in range(40)])
    assert aligned > 0.93
    mixed = rng.standard_normal((20_000, 3)) @ np.array([[1.0, 0.8, 0], [0, 0.6, 0], [0, 0, 1]])
    expected = ec.divergences.alignment(np.cov(mixed.T))
    assert abs(sample_alignment(mixed) - expected) < 1e-3
    assert np.isnan(sample_alignment(mixed[:3]))
