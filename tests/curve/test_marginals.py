"""Marginals against SciPy's own moments, distances and filters, and against draws of perfect samples."""

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats

from eigenclock.curve.marginals import DRAWS, FILTERS, LEVELS, Marginals, excess_kurtosis, filter_kurtosis


def test_kurtosis_is_scipys(rng):
    values = np.column_stack([rng.standard_t(5, 500), rng.exponential(size=500), 3 + 1e-3 * rng.random(500)])
    before = values.copy()
    np.testing.assert_allclose(excess_kurtosis(values), scipy.stats.kurtosis(values), rtol=1e-10)
    assert (values == before).all()


def test_kurtosis_of_two_points_of_constants_and_of_gaussian_values(rng):
    values = np.column_stack([np.tile([-1.0, 1.0], 500), np.ones(1000), rng.standard_normal(1000)])
    two, constant, gaussian = excess_kurtosis(values)
    assert two == -2
    assert np.isnan(constant)
    assert abs(gaussian) < 4 * np.sqrt(24 / 1000)


@pytest.mark.parametrize("shape", [(30, 7, 9), (30, 7, 9, 3)])
def test_kurtosis_of_filters_is_that_of_scipys_filters(rng, shape):
    images = rng.exponential(size=shape)
    flat = images.reshape(*shape[:3], -1)
    laplacian = np.moveaxis([[scipy.ndimage.laplace(c) for c in np.moveaxis(one, -1, 0)] for one in flat], 1, -1)[
        :, 1:-1, 1:-1
    ]  # where no neighbour is made up
    wanted = [flat[:, :, 1:] - flat[:, :, :-1], flat[:, 1:] - flat[:, :-1], laplacian]
    found = filter_kurtosis(images)
    assert len(found) == len(FILTERS)
    np.testing.assert_allclose(found, [scipy.stats.kurtosis(one, axis=None) for one in wanted], rtol=1e-10)


def test_images_too_small_for_a_filter():
    assert np.isfinite(filter_kurtosis(np.arange(8.0).reshape(2, 2, 2) ** 2)).tolist() == [True, True, False]


@pytest.mark.parametrize("n", [200, 3000])
def test_distance_is_scipys_up_to_the_grid_of_quantiles(rng, n):
    """A mean over 64 midpoints errs by at most the variation of what is averaged /(2·64), lines between values by 1/n of it.

    The variation of the difference of two quantile functions is at most the sum of their ranges.
    """
    data, drawn = rng.random((4000, 3)) ** [1, 2, 3], rng.beta(2, 3, (n, 3))
    scale = data.std(axis=0)
    found = Marginals.of_samples(data, scale).distance(drawn) * scale
    exact = [scipy.stats.wasserstein_distance(a, b) for a, b in zip(drawn.T, data.T, strict=True)]
    bound = (np.ptp(data, axis=0) + np.ptp(drawn, axis=0)) * (1 / (2 * len(LEVELS)) + 1 / n)
    assert (np.abs(found - exact) < bound).all()


def test_distance_of_a_shift_is_the_shift(rng):
    """In standard deviations of the data; where they do not vary there is none."""
    data = rng.standard_normal((500, 3)) * [1.0, 10.0, 0.0]
    marginals = Marginals.of_samples(data, np.array([1.0, 10.0, 0.0]))
    np.testing.assert_allclose(marginals.distance(data + 5.0), [5.0, 0.5, np.nan], rtol=1e-12)
    assert (marginals.distance(data)[:2] == 0).all()


def test_gaussian_marginals(rng):
    marginals = Marginals.gaussian(np.array([2.0, 0.0]), np.array([3.0, 0.5]))
    assert (marginals.kurtosis == 0).all()
    exact = scipy.stats.norm([2.0, 0.0], [3.0, 0.5]).ppf(LEVELS[:, None])
    np.testing.assert_allclose(marginals.quantiles, exact, rtol=1e-12)


DATA = {
    "exponential": lambda n, rng: rng.exponential(size=(n, 1)),
    "heavy": lambda n, rng: rng.standard_t(5, (n, 1)),
    "bounded": lambda n, rng: rng.random((n, 1)),
}


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("n", [64, 1024])
def test_floor_is_what_perfect_samples_leave(rng, kind, n):
    """Data and samples drawn anew from the same law; each mean of distances scatters by at most half of one over √ of its draws."""
    draw, m, draws = DATA[kind], 1000, 150
    data = draw(20_000, rng)
    scale = data.std(axis=0)
    marginals = Marginals(np.quantile(data, LEVELS, axis=0), scale, np.zeros(1), m)
    seen = [Marginals.of_samples(draw(m, rng), scale).distance(draw(n, rng))[0] for _ in range(draws)]
    tolerance = (
        4 * 0.5 * np.hypot(DRAWS**-0.5, draws**-0.5) + 0.03
    )  # and lines between quantiles, in tails of 64 samples
    assert marginals.floor(n, seed=0)[0] == pytest.approx(np.mean(seen), rel=tolerance)


def test_floor_of_gaussian_modes_known_exactly(rng):
    """√(2/π)·∫√(Φ(1 − Φ)) dz/√n, in standard deviations, whatever the mean; the integral is 1.595 (by quadrature, below)."""
    z = np.linspace(-9, 9, 20_001)
    integral = np.trapezoid(np.sqrt(scipy.stats.norm.cdf(z) * scipy.stats.norm.sf(z)), z)
    expected = np.sqrt(2 / np.pi) * integral / np.sqrt(2000)
    marginals = Marginals.gaussian(np.array([0.0, 7.0]), np.array([1.0, 5.0]))
    found = marginals.floor(2000, seed=1)
    np.testing.assert_allclose(found, expected, rtol=4 * 0.4 / np.sqrt(DRAWS))
    assert found[0] == pytest.approx(found[1], rel=1e-12)
