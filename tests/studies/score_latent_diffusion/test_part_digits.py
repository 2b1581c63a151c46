"""Tests of `eigenclock_studies.score_latent_diffusion.part_digits`."""

import numpy as np
import pytest

from eigenclock_studies.score_latent_diffusion import part_digits


def test_stacked_digits_share_no_base_digit():
    """Train and test triples are stacked from different base digits; the classifier names modes; coverage counts them."""
    train, val, test, classifier = part_digits.stacked_digits((50, 20, 200), 0)
    assert train.shape == (50, 8, 8, 3)
    assert 0 <= test.min() < test.max() <= 1
    base = lambda x: {image.tobytes() for image in x.transpose(0, 3, 1, 2).reshape(-1, 64)}  # noqa: E731
    assert not base(train) & base(test)
    assert not base(val) & base(test)
    found = part_digits.modes(test, classifier)
    assert 0 <= found.min() <= found.max() <= 999
    assert part_digits.coverage(np.array([3, 3, 3])) == (1, pytest.approx(np.log(1000)))
    assert part_digits.coverage(np.arange(1000)) == (1000, pytest.approx(0, abs=1e-12))
