"""Tests of `eigenclock_studies.innovation_window.answers`."""

import numpy as np

from eigenclock_studies.innovation_window.answers import above, every


def test_answers():
    assert above([1.0, 1.1, 1.2], [1.0, 1.1, 1.2], 0.5) is True
    assert above([1.0, 1.1, 1.2], [1.0, 1.1, 1.2], 2.0) is False
    assert above([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], 0.5) is None
    assert above([1.0, 1.1], [np.inf, np.inf], 0.0, mean=2.0) is None
    assert every(np.array([True, True]), np.array([False, False])) is True
    assert every(np.array([True, False]), np.array([False, True])) is False
    assert every(np.array([True, False]), np.array([False, False])) is None
