"""Where a mode is and how fast it goes: found again where both are planted."""

import numpy as np
import pytest

from eigenclock.comparison.paths import Paths
from eigenclock.comparison.progress import FLOOR, SLOPE_OWN, SLOPE_SPREAD, SLOPES, Observed, progress_of


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


def alike(place, slope, groups, error=0.3):
    """The same records of several groups."""
    paths, seen = observed(place, slope, error)
    repeated = Paths(paths.grid, np.repeat(paths.progress, groups, axis=1), np.repeat(paths.middle, groups))
    wide = {name: np.repeat(getattr(seen, name), groups, axis=-1) for name in ("log_variance", "error", "start", "way")}
    return repeated, Observed(back=seen.back, **wide)


def mean_speed(found):
    """Posterior mean of every group's speed."""
    posterior = np.exp(found.log_likelihood - found.log_likelihood.max(axis=0))
    return (posterior * found.slope).sum(axis=0) / posterior.sum(axis=0)


def test_groups_that_say_little_alone_say_much_together():
    """A speed of 2.5 in noisy records: one group is drawn to the prior about 1, eight of them are not."""
    alone, together = (mean_speed(progress_of(*alike(1.0, 2.5, groups)))[0] for groups in (1, 8))
    assert alone < together < 2.7
    assert together > 2.1


def test_speeds_are_those_of_all_combinations_enumerated():
    """Three groups of different places and speeds: common speed and each one's own, summed over all combinations."""
    cases = [observed(0.5, 1.0, 0.3), observed(1.0, 2.0, 0.2), observed(1.5, 0.6, 0.3)]
    paths = Paths(cases[0][0].grid, np.hstack([p.progress for p, _ in cases]), np.full(3, 2.0))
    seen = Observed(
        np.hstack([s.log_variance for _, s in cases]), cases[0][1].back, np.hstack([s.error for _, s in cases]),
        np.zeros(3), np.full(3, -3.0),
    )  # fmt: skip
    found = mean_speed(progress_of(paths, seen))
    values = np.linspace(paths.grid[0], paths.grid[-1], 2201)  # places, on a finer grid
    evidence = np.empty((SLOPES.size, 3))
    for g in range(3):
        for i, slope in enumerate(SLOPES):
            expected = -3 * paths.at((values[:, None, None] + slope * seen.back[:, None])[..., [0] * 3])[..., g]
            left = (seen.log_variance[:, g] - expected) ** 2 / (seen.error[:, g] ** 2 + FLOOR**2)
            evidence[i, g] = np.exp(-0.5 * left.sum(axis=1)).sum()
    width = np.gradient(SLOPES)
    own = np.exp(-0.5 * ((SLOPES - SLOPES[:, None]) / SLOPE_OWN) ** 2) * width
    own /= own.sum(axis=1, keepdims=True)
    common = np.exp(-0.5 * ((SLOPES - 1) / SLOPE_SPREAD) ** 2) * width
    joint = np.einsum("m,ma,mb,mc,a,b,c->abc", common, own, own, own, *evidence.T)
    exact = [np.average(SLOPES, weights=joint.sum(axis=tuple(j for j in range(3) if j != g))) for g in range(3)]
    np.testing.assert_allclose(found, exact, rtol=0.01)  # grids of places of 0.1 and 0.01
