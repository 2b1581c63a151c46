"""Tests of `eigenclock_studies.class_imbalance.mixtures`."""

import numpy as np
import pytest

from eigenclock_studies.class_imbalance import (
    class_wiener_loss,
)
from eigenclock_studies.class_imbalance.mixtures import noise, noised_variance

T, PSI_P = 0.1, 4.0


def test_reference_loss():
    for variance in (0.5, 1.5):
        expected = 1 - noise(T) / noised_variance(variance, T)
        assert class_wiener_loss(variance, T) == pytest.approx(expected)
        assert class_wiener_loss(variance * np.eye(4), T) == pytest.approx(expected)
    left = np.exp(-2 * T)
    by_hand = (left / (left + noise(T)) + 3 * left / (3 * left + noise(T))) / 2
    assert class_wiener_loss(np.diag([1.0, 3.0]), T) == pytest.approx(by_hand)
