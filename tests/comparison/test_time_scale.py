"""Tests of `eigenclock.comparison.time_scale`."""

import numpy as np
import pytest

from eigenclock.comparison.time_scale import Status, TimeScale


def test_time_scale_of_censored_modes():
    """Modes that wait push the constant up, whatever the few early ones say."""
    x = np.log(np.geomspace(1, 1e4, 40))
    truth = x + np.log(50.0)
    last = np.log(5e3)
    seen = truth < last

    def fit(waiting):
        return TimeScale.of(Status(x, np.zeros(40, bool), np.where(seen, truth, 0.0), np.zeros(40), seen, waiting, np.zeros(40, bool), last, -np.inf))  # fmt: skip

    assert fit(~seen).factor == pytest.approx(50, rel=0.05)
    assert fit(np.zeros(40, bool)).factor == pytest.approx(50, rel=0.05)
    assert TimeScale.of(Status(x, np.zeros(40, bool), x * 0, x * 0, np.zeros(40, bool), ~np.zeros(40, bool), np.zeros(40, bool), last, -np.inf)) is None  # fmt: skip
