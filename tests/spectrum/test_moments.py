"""Tests of `eigenclock.spectrum.moments`."""

import numpy as np
from hypothesis import given, strategies as st

import eigenclock as ec
from eigenclock.spectrum.moments import Moments


def correlated(rng, n, d):
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + rng.standard_normal(d)


@given(st.integers(0, 10_000), st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_stream_equals_whole(seed, sizes):
    rng = np.random.default_rng(seed)
    x = correlated(rng, sum(sizes) + 2, 5)
    batches = np.split(x, np.cumsum(sizes))
    streamed = ec.Spectrum.from_batches(batch for batch in batches if len(batch))
    covariance = np.cov(x.T, bias=True)
    assert np.abs(streamed.covariance() - covariance).max() < 1e-12 * np.abs(covariance).max()
    assert np.allclose(streamed.mean, x.mean(axis=0), rtol=1e-12, atol=1e-12)


def test_stream_of_images_in_fourier_modes(rng):
    x = rng.standard_normal((100, 4, 4, 3)) + 5
    whole = ec.Spectrum.from_samples(x, basis="fourier")
    streamed = ec.Spectrum.from_batches(iter([x[:1], x[1:60], x[60:]]), basis="fourier")
    assert np.allclose(whole.variance, streamed.variance, rtol=1e-12)
    assert np.allclose(streamed.mean, x.mean(axis=0))


def test_moments_are_stable_far_from_zero(rng):
    """At an offset of 1e8 the textbook formula E x² − (E x)² loses every digit."""
    x = rng.standard_normal((4000, 1, 3))
    moments = Moments(1, 3)
    for batch in np.split(x + 1e8, 40):
        moments.add(batch)
    assert np.allclose(moments.covariance[0], np.cov(x[:, 0].T, bias=True), rtol=1e-6, atol=1e-6)
