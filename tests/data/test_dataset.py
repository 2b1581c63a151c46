"""Tests of `eigenclock.data.dataset`."""

import pytest

from eigenclock.data import natural_patches


def test_standardized_and_limited():
    data = natural_patches(8, n=500, n_test=100)
    scaled = data.standardized(0.5)
    assert abs(scaled.samples.mean()) < 1e-12
    assert scaled.samples.std() == pytest.approx(0.5)
    factor = (scaled.test.max() - scaled.test.min()) / (data.test.max() - data.test.min())
    assert factor == pytest.approx(0.5 / data.samples.std()), "test data are scaled by the training data"
    assert len(data.limited(40).samples) == 40
    assert data.limited(None) is data
