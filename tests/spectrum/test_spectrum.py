"""Tests of `eigenclock.spectrum.spectrum`."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

import eigenclock as ec


def correlated(rng, n, d):
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + rng.standard_normal(d)


@given(hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 1e6)))
def test_abstract_modes_keep_their_order(variance):
    assert (ec.Spectrum(variance).variance == variance).all()


def test_laws():
    assert np.allclose(ec.Spectrum.power_law(5, exponent=2.0).variance, [1, 1 / 4, 1 / 9, 1 / 16, 1 / 25])
    drawn = ec.Spectrum.log_normal(20_000, seed=1)
    assert (np.diff(drawn.variance) <= 0).all()
    assert abs(np.log(drawn.variance).mean()) < 5 / np.sqrt(20_000)
    assert abs(np.log(drawn.variance).std() - 1) < 5 / np.sqrt(40_000)
    assert (ec.Spectrum.log_normal(5, seed=3).variance == ec.Spectrum.log_normal(5, seed=3).variance).all()


def test_from_covariance(rng):
    factor = rng.standard_normal((6, 4))
    spectrum = ec.Spectrum.from_covariance(factor @ factor.T, mean=np.arange(6.0))
    assert spectrum.rank == 4
    assert np.allclose(spectrum.covariance(), factor @ factor.T)
    assert (spectrum.mean == np.arange(6.0)).all()


def test_held_out_variance(rng):
    x, test = correlated(rng, 500, 6), rng.standard_normal((300, 6))
    spectrum = ec.Spectrum.from_samples(x, test=test)
    expected = np.diag(spectrum.basis.components @ np.cov(test.T, bias=True) @ spectrum.basis.components.T)
    assert np.allclose(spectrum.test_variance, expected)


X = np.random.default_rng(0).standard_normal((10, 4))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ec.Spectrum([1.0, -0.5]), r"variance must be >= 0, got -0\.5 at mode 1"),
        (lambda: ec.Spectrum([]), r"variance must be a non-empty 1-D array, got shape \(0,\)"),
        (lambda: ec.Spectrum([[1.0]]), r"variance must be a non-empty 1-D array, got shape \(1, 1\)"),
        (lambda: ec.Spectrum([1.0, np.nan]), r"variance must be .* got nan at index \(1,\) \(1 such entries\)"),
        (lambda: ec.Spectrum("many"), r"variance must be .* got str that is not numeric"),
        (
            lambda: ec.Spectrum.from_samples(
                np.where(X > 2, np.inf, X) + 0 / (X > -9) * np.where(X[0, 0] == X, np.nan, 1)
            ),
            r"x must be finite, got nan at index \(0, 0\) .*",
        ),
        (lambda: ec.Spectrum.from_samples(np.zeros((0, 3))), r"x must hold at least 2 samples, got 0"),
        (lambda: ec.Spectrum.from_samples(X[:1]), r"x must hold at least 2 samples, got 1"),
        (
            lambda: ec.Spectrum.from_samples(X[0]),
            r"x must have shape \(n, d\), \(n, h, w\) or \(n, h, w, c\), got \(4,\)",
        ),
        (lambda: ec.Spectrum.from_samples(np.full((10, 4), 0.1)), r"x must vary between samples, got constant data .*"),
        (lambda: ec.Spectrum.from_samples(np.full((3, 40), 0.1)), r"x must vary between samples, got constant data .*"),
        (lambda: ec.Spectrum.from_samples(np.full((9, 4), 7.1), basis="fourier"), r"x must vary between samples, .*"),
        (
            lambda: ec.Spectrum.from_samples(X.astype(complex)),
            r"x must be an array of real numbers, got dtype complex128",
        ),
        (lambda: ec.Spectrum.from_samples(X, test=X[:, :3]), r"test must have shape \(n, 4\), got \(10, 3\)"),
        (lambda: ec.Spectrum([1.0], mean=[np.nan]), r"mean must be an array of finite numbers, got nan at index .*"),
        (lambda: ec.Spectrum([1.0, 2.0], mean=[1.0]), r"mean must have shape \(2,\), got \(1,\)"),
        (
            lambda: ec.Spectrum([1.0, 2.0], test_variance=[-1.0, 1.0]),
            r"test_variance must be >= 0 and of shape \(2,\), .*",
        ),
        (
            lambda: ec.Spectrum.from_samples([[1.0, 2.0], [3.0]]),
            r"x must be an array of real numbers, got a ragged sequence",
        ),
        (lambda: ec.Spectrum.from_samples(X, test=X[:1]), r"test must hold at least 2 samples, got 1"),
        (lambda: ec.Spectrum.log_normal(3, seed=-1), r"seed must be a whole number >= 0, got -1"),
        (lambda: ec.Spectrum.from_batches([]), r"x must hold at least 2 samples, got 0"),
        (lambda: ec.Spectrum.from_batches([X, X[:, :2]]), r"batch 1 must have shape \(n, 4\), got \(10, 2\)"),
        (lambda: ec.Spectrum.from_covariance(X), r"c must be a square \(d, d\) matrix, got shape \(10, 4\)"),
        (lambda: ec.Spectrum.from_covariance(-np.eye(2)), r"c must be positive semi-definite, got an eigenvalue of -1"),
        (lambda: ec.Spectrum.from_covariance([[1, 0.5], [0, 1]]), r"c must be symmetric, got an asymmetry of 0\.5"),
        (lambda: ec.Spectrum.from_covariance(np.eye(2), mean=[1.0]), r"mean must have shape \(2,\), got \(1,\)"),
        (lambda: ec.Spectrum.power_law(0, exponent=1.0), r"n must be a whole number >= 1, got 0"),
        (lambda: ec.Spectrum.power_law(3, exponent=-1.0), r"exponent must be a finite number >= 0, got -1\.0"),
        (lambda: ec.Spectrum([1.0]).to_modes(X), r"this spectrum is abstract \(variances only\): .*"),
        (
            lambda: ec.Spectrum.from_samples(X).to_modes(X[:, :2]),
            r"samples must have shape \(n, 4,\), got \(10, 2\)",
        ),
        (lambda: ec.Spectrum.from_samples(X).basis.mode_image(9), r"mode must be in 0\.\.3, got 9"),
        (
            lambda: ec.Spectrum.from_samples(X).from_modes(X[:, :2]),
            r"coordinates must have shape \(n, 4\), got \(10, 2\)",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ec.InputError, match=f"^{message}$") as error:
        make()
    assert "\n" not in str(error.value)


def test_a_spectrum_does_not_share_memory():
    given = np.array([2.0, 1.0])
    spectrum = ec.Spectrum(given)
    given[0] = -5
    assert spectrum.variance[0] == 2
    with pytest.raises(ValueError, match="read-only"):
        spectrum.variance[0] = 3


def test_exact_covariances_far_from_zero_are_accepted():
    assert ec.Spectrum.from_covariance(1e-8 * np.eye(2), mean=[1e12, 0.0]).variance[0] == pytest.approx(1e-8)
    assert ec.Spectrum.from_covariance(np.zeros((2, 2))).rank == 0


def test_printing_is_short(rng):
    images = ec.Spectrum.from_samples(rng.standard_normal((30, 4, 4)))
    assert str(images).startswith("Spectrum(16 modes, PCA of samples (4, 4), variance ")
    assert str(ec.predict(images).emergence()).startswith("Emergence(16 modes: ")
