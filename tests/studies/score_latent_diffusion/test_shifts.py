"""Tests of `eigenclock_studies.score_latent_diffusion.shifts`."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from eigenclock_studies.score_latent_diffusion.shifts import parallel, shift, slopes

N = np.array([125.0, 250, 500, 1000, 2000])


@given(st.floats(-2.5, 2.5), st.floats(0.1, 1.5), st.floats(1e-3, 1e3))
def test_a_planted_shift_is_read_back(moved, slope, size):
    """The second curve is the first at e^moved times as many samples; only the unit of the error is free."""
    curves = size * np.stack([N**-slope, (N / np.exp(moved)) ** -slope])
    found = shift(N, curves)
    assert found.low == found.high == pytest.approx(moved, abs=1e-8)
    assert slopes(N, curves) == pytest.approx([slope, slope])
    assert parallel(N, curves).intercepts[1] - parallel(N, curves).intercepts[0] == pytest.approx(
        moved * slope, abs=1e-8
    )


def test_the_joint_fit_is_least_squares(rng):
    """Against a solver of the whole system, on curves with noise."""
    curves = np.exp(rng.standard_normal((3, 5)))
    design = np.hstack([np.kron(np.eye(3), np.ones((5, 1))), -np.tile(np.log(N), 3)[:, None]])
    wanted = np.linalg.lstsq(design, np.log(curves).ravel(), rcond=None)[0]
    fit = parallel(N, curves)
    assert np.allclose(fit.intercepts, wanted[:3])
    assert fit.slope == pytest.approx(wanted[3])


def test_curves_that_do_not_overlap_give_a_bound():
    """Sixteen times as many samples would not do: more is not known."""
    curve = N**-0.5
    assert shift(N, np.stack([curve, 100 * curve])) == (pytest.approx(np.log(16)), np.inf)
    assert shift(N, np.stack([curve, curve / 100])) == (-np.inf, pytest.approx(-np.log(16)))


def test_curves_that_do_not_fall_say_nothing_of_samples():
    """However far apart: no number of samples brings one to the other."""
    for flat in (
        [[1.0, 1.0], [1.001, 1.001]],
        [[1.0, 1.0], [30.0, 30.0]],
        [[1.0, 2.0], [100.0, 200.0]],
        [[1.0, np.nan]] * 2,
    ):
        assert shift(N[[0, -1]], np.array(flat)) == (-np.inf, np.inf)
