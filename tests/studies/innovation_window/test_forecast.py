"""Tests of `eigenclock_studies.innovation_window.forecast`."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock_studies.innovation_window.forecast import fit


def test_forecast_is_frozen_and_has_the_right_interval():
    times = [np.array([640.0, 700.0]), np.array([1280.0, 1500.0])]
    found = fit((64, 128), times)
    logs = np.log([10, 700 / 64, 10, 1500 / 128])
    assert found.c == pytest.approx(np.exp(logs.mean()))
    assert found.time(512) == pytest.approx(512 * found.c)
    low, high = found.interval(512)
    reach = 3.182446 * logs.std(ddof=1) * np.sqrt(1 + 1 / 4)
    assert np.log(high / low) == pytest.approx(2 * reach, rel=1e-6)
    with pytest.raises(ec.InputError, match="a forecast needs at least two memory clocks that were reached"):
        fit((64,), [np.array([np.nan])])
