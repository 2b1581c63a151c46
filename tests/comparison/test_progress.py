"""Where a mode is and how fast it goes: found again where both are planted."""

import numpy as np
import pytest

from eigenclock.comparison.paths import Paths
from eigenclock.comparison.progress import Observed, progress_of


def observed(place, slope, error=0.02, records=9):
    """Records of a mode on a logistic path, at a place now and a speed so far."""
    grid = np.arange(-10, 12, 0.1)
    paths = Paths(grid, 1 / (1 + np.exp(-(grid - 2)))[:, None], np.array([2.0]))
    back = np.linspace(-1.0, 0.0, records)
    values = paths.at((place + slope * back)[:, None])
    return paths, Observed(-3 * values, back, np.full((records, 1), error), np.zeros(1), np.array([-3.0]))


@pytest.mark.parametrize(("place", "slope"), [(0.5, 1.0), (1.0, 1.6), (2.0, 0.6), (3.0, 1.0)])
def test_place_and_speed_are_found_again(place, slope):
    paths, seen = observed(place, slope)
    found = progress_of(paths, seen)
    assert found.informative.all()
    assert found.place[0] == pytest.approx(place, abs=2 * found.spread[0])
    assert found.spread[0] < 0.5
    at = np.abs(paths.grid - place).argmin()
    assert abs(found.slope[at, 0] - slope) < 0.5  # the prior about 1 still counts: theory's error is taken for 0.1


def test_a_mode_that_has_not_moved_is_not_placed():
    paths, seen = observed(-8.0, 1.0)
    found = progress_of(paths, seen)
    assert not found.informative.any()
    likelihood = found.log_likelihood[:, 0]
    early, late = likelihood[paths.grid < -3], likelihood[paths.grid > 2]
    assert early.max() - early.min() < 0.5  # anywhere before its path begins,
    assert late.max() < early.min() - 20  # but not on it


def test_less_sure_records_place_less_surely():
    spreads = [progress_of(*observed(1.0, 1.0, error=error)).spread[0] for error in (0.02, 0.2, 0.6)]
    assert spreads == sorted(spreads)
