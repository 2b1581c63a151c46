"""Tests of `eigenclock_studies.prior_aligned_latents.clocks`."""

import numpy as np
import pytest
from support.planted_alignments import BASE, planted

from eigenclock_studies.prior_aligned_latents import speedup
from eigenclock_studies.prior_aligned_latents.clocks import sustained


def test_passages_that_do_not_last_do_not_count():
    steps = np.array([1.0, 10, 100, 1000])
    assert sustained(steps, [9.0, 4, 2, 1], 3).time[0] == pytest.approx(10 ** (1 + 0.5))
    assert sustained(steps, [9.0, 2, 9, 1], 3).time[0] == pytest.approx(
        100 * 10 ** (6 / 8)
    )  # crosses, comes back, crosses again
    assert sustained(steps, [9.0, 2, 2, 9], 3).status == ["right-censored"]
    assert sustained(steps, [2.0, 2, 2, 2], 3).status == ["left-censored"]


def test_speed_up_of_planted_curves():
    """Twice as good everywhere: reaches the baseline's end at a known step."""
    ratio = speedup(planted([50.0, 20, 2, 1], [0.1, 0.3, 0.5, 0.6]), BASE, "pix")
    assert np.allclose(np.exp(ratio.low[0]), 1000 / 10 ** (1 + 15 / 18), rtol=1e-6)
    assert np.allclose(speedup(BASE, BASE, "consistency").low, 0)
    late = speedup(planted([50.0, 40, 30, 20], [0.1, 0.2, 0.2, 0.3]), BASE, "pix")
    assert (late.high < np.inf).all()
    assert np.isneginf(late.low).all()  # the arm never gets there: at most a bound
