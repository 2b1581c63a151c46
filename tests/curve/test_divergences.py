"""Tests of `eigenclock.curve.divergences`."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, strategies as st

import eigenclock as ec
from eigenclock.curve import divergences

positive = st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=3)


def random_covariance(rng, d):
    factor = rng.standard_normal((d, d))
    return factor @ factor.T + 0.1 * np.eye(d)


def test_kl_against_sampling(rng):
    """E[ln p(x) − ln q(x)] over samples of p, within four standard errors."""
    variance, target, shift = np.array([0.5, 2.0]), np.array([1.0, 1.5]), np.array([0.3, -0.2])
    x = shift + rng.standard_normal((200_000, 2)) * np.sqrt(variance)
    log_ratio = 0.5 * (x**2 / target - (x - shift) ** 2 / variance + np.log(target / variance)).sum(axis=1)
    error = log_ratio.std() / np.sqrt(len(x))
    assert abs(divergences.kl(variance, target, shift) - log_ratio.mean()) < 4 * error


def test_wasserstein_against_optimal_assignment(rng):
    """In one dimension the optimal coupling sorts: W₂² = mean of squared differences of quantiles."""
    n = 400_000
    quantile = np.sqrt(2) * scipy.special.erfinv(2 * (np.arange(n) + 0.5) / n - 1)
    expected = np.sqrt(((3 * quantile + 1 - 0.5 * quantile) ** 2).mean())
    assert divergences.wasserstein(np.array([9.0]), np.array([0.25]), np.array([1.0])) == pytest.approx(
        expected, rel=1e-4
    )


@given(positive, positive, st.integers(0, 1000))
def test_matrix_forms_agree_with_diagonal_forms_in_any_basis(variance, target, seed):
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))
    variance, target, shift = np.array(variance), np.array(target), np.array([0.1, 0.0, -1.0])
    one, two = (rotation * variance) @ rotation.T, (rotation * target) @ rotation.T
    mean, zero = rotation @ shift, np.zeros(3)
    assert divergences.kl_full(mean, one, zero, two) == pytest.approx(
        divergences.kl(variance, target, shift), rel=1e-8, abs=1e-10
    )
    expected = divergences.wasserstein(variance, target, shift)
    assert divergences.wasserstein_full(mean, one, zero, two) == pytest.approx(expected, rel=1e-6)


def test_wasserstein_against_matrix_square_root(rng):
    one, two = random_covariance(rng, 4), random_covariance(rng, 4)
    cross = np.trace(scipy.linalg.sqrtm(one @ two)).real
    expected = np.sqrt(np.trace(one) + np.trace(two) - 2 * cross)
    assert divergences.wasserstein_full(np.zeros(4), one, np.zeros(4), two) == pytest.approx(expected)


def test_equal_distributions_have_no_distance():
    variance = np.array([3.0, 0.1])
    assert divergences.kl(variance, variance) == 0
    assert divergences.wasserstein(variance, variance) == 0


def test_degenerate_target():
    assert divergences.kl(np.array([1.0, 1.0]), np.array([1.0, 0.0])) == np.inf
    curve = ec.predict(ec.Spectrum([1.0, 0.0]), time=[1.0, 100.0])
    assert np.isfinite(curve.kl()).all()
    assert curve.kl().attrs["modes_left_out"] == 1


def test_alignment(rng):
    covariance = random_covariance(rng, 5)
    _, vectors = np.linalg.eigh(covariance)
    assert divergences.alignment(vectors.T @ covariance @ vectors) == pytest.approx(1)
    assert divergences.alignment(np.ones((4, 4))) == pytest.approx(1 / 4)
    assert divergences.alignment(np.zeros((3, 3))) == 1
    assert divergences.alignment(np.stack([np.eye(3), np.ones((3, 3))])).tolist() == pytest.approx([1, 1 / 3])
