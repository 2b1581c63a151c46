"""Tests of `eigenclock.spectrum.split`: which samples are held out, and the variance that they have along the modes."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import eigenclock as ec
from eigenclock.spectrum.split import HeldOut

EXACT = 1e-10
"""Sums of the same float64 products in another order: a few hundred terms lose less than 1e-13 of the largest variance."""


def images(n=400):
    rng = np.random.default_rng(1)
    return np.cumsum(rng.standard_normal((n, 5, 4, 3)), axis=2) + 2


@given(st.integers(0, 2**70), st.lists(st.integers(0, 50), min_size=1, max_size=8), st.floats(0.01, 0.5))
def test_a_sample_is_held_out_by_its_place_and_the_seed_alone(seed, sizes, share):
    starts = np.cumsum([0, *sizes[:-1]])
    parts = [HeldOut(share, seed).rows(int(start), size) for start, size in zip(starts, sizes, strict=True)]
    expected = np.random.default_rng(seed).random(sum(sizes)) < share
    assert (np.concatenate(parts) == expected).all()


@pytest.mark.parametrize("basis", ["pca", "dct", "fourier"])
@pytest.mark.parametrize("size", [1, 7, 64, 400])
def test_held_out_variance_is_that_of_the_same_split_by_hand(basis, size):
    x = images()
    rows = np.random.default_rng(3).random(len(x)) < 0.25
    found = ec.Spectrum.from_batches(
        (x[i : i + size] for i in range(0, len(x), size)), basis=basis, held_out=0.25, seed=3
    )
    whole = ec.Spectrum.from_samples(x[~rows], basis=basis)
    scale = whole.variance[0]
    assert found.n_samples == np.count_nonzero(~rows)
    assert np.abs(found.variance - whole.variance).max() <= EXACT * scale
    modes = found.basis.from_modes(np.eye(60)).reshape(60, -1)
    by_hand = np.einsum("md,de,me->m", modes, np.cov(x[rows].reshape(-1, 60).T, bias=True), modes)
    assert np.abs(found.test_variance - by_hand).max() <= EXACT * scale
    in_memory = ec.Spectrum.from_samples(x, basis=basis, held_out=0.25, seed=3)
    assert np.abs(in_memory.test_variance - by_hand).max() <= EXACT * scale


def test_a_large_mean_costs_held_out_variances_no_more_digits_than_it_must():
    """Data about 1e6 are known to 1e-10 of a standard deviation: float64 has 1e-16 of the mean."""
    x = images()
    for basis in ("pca", "dct", "fourier"):
        near, far = (
            ec.Spectrum.from_batches([some], basis=basis, held_out=0.25).test_variance for some in (x, x + 1e6)
        )
        assert np.allclose(far, near, rtol=1e-8, atol=1e-8 * near.max())


@pytest.mark.parametrize(
    ("share", "message"),
    [
        (0.0, r"held_out must be a finite number > 0 and <= 0\.5, got 0\.0"),
        (0.6, r"held_out must be a finite number > 0 and <= 0\.5, got 0\.6"),
        (1e-6, r"held_out must leave at least 2 samples out, got 0 of 400"),
    ],
)
def test_errors(share, message):
    with pytest.raises(ec.InputError, match=f"^{message}$"):
        ec.Spectrum.from_batches([images()], held_out=share)
    with pytest.raises(ec.InputError, match=f"^{message}$"):
        ec.Spectrum.from_samples(images(), held_out=share)
    with pytest.raises(ec.InputError, match=r"^held_out must be None where test is given, got both$"):
        ec.Spectrum.from_samples(images(), test=images(), held_out=0.1)
