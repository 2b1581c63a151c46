"""Tests of `eigenclock.spectrum.estimation`."""

import numpy as np
import scipy.linalg

import eigenclock as ec


def correlated(rng, n, d):
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + rng.standard_normal(d)


def test_pca_of_vectors_against_numpy(rng):
    x = correlated(rng, 400, 12)
    spectrum = ec.Spectrum.from_samples(x)
    covariance = np.cov(x.T, bias=True)
    assert np.allclose(spectrum.variance, np.linalg.eigvalsh(covariance)[::-1], rtol=1e-12)
    assert np.allclose(spectrum.mean, x.mean(axis=0))
    assert np.allclose(spectrum.covariance(), covariance)
    assert np.allclose(spectrum.to_modes(x).var(axis=0), spectrum.variance)
    assert np.allclose(spectrum.from_modes(spectrum.to_modes(x)), x)
    assert spectrum.n_samples == 400


def test_fewer_samples_than_coordinates_take_the_thin_route(rng, monkeypatch):
    x = rng.standard_normal((20, 10, 10))
    full = np.linalg.eigvalsh(np.cov(x.reshape(20, -1).T, bias=True))[::-1]
    sizes = []
    original = scipy.linalg.eigh
    monkeypatch.setattr(scipy.linalg, "eigh", lambda a, **kw: (sizes.append(a.shape), original(a, **kw))[1])
    spectrum = ec.Spectrum.from_samples(x)
    assert sizes == [(20, 20)]
    assert spectrum.n_modes == spectrum.rank == 19
    assert spectrum.dimension == 100
    assert np.allclose(spectrum.variance, full[:19])
    modes = spectrum.basis.components
    assert np.abs(modes @ modes.T - np.eye(19)).max() < 1e-12
    assert np.allclose(spectrum.from_modes(spectrum.to_modes(x)), x)


def test_thin_route_needs_no_square_matrix():
    """30 samples of 100,000 coordinates: the covariance alone would be 75 GiB."""
    x = np.random.default_rng(0).standard_normal((30, 100_000))
    assert ec.Spectrum.from_samples(x).n_modes == 29


def test_rank_deficiency_is_explicit(rng):
    x = np.repeat(rng.standard_normal((300, 4)), 2, axis=1)
    spectrum = ec.Spectrum.from_samples(x)
    assert spectrum.n_modes == 8
    assert spectrum.rank == 4
    assert (spectrum.variance[4:] == 0).all()
