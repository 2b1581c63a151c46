"""Tests of `eigenclock.spectrum.largest`: the k largest modes against eigenvalues of the whole covariance."""

import sys

import dask.array as da
import numpy as np
import pytest
import scipy.linalg

import eigenclock as ec
from eigenclock.spectrum import largest

K, D = 12, 300


def falling(n=1500, exponent=1.5, seed=0):
    """Samples whose variances fall as a power of their rank, along random directions, as those of natural images do."""
    rng = np.random.default_rng(seed)
    rotation = scipy.linalg.qr(rng.standard_normal((D, D)))[0]
    return (rng.standard_normal((n, D)) * np.arange(1, D + 1.0) ** (-exponent / 2)) @ rotation + 4


@pytest.fixture
def beyond(monkeypatch):
    """As if 300 coordinates were too many for a covariance matrix."""
    monkeypatch.setattr(largest, "SQUARE", 20)


def exact(x):
    covariance = np.cov(x.reshape(len(x), -1).T, bias=True)
    values, vectors = scipy.linalg.eigh(covariance)
    return values[::-1], vectors[:, ::-1].T


WAYS = {
    "memory": lambda x, k: ec.Spectrum.from_samples(x, modes=k),
    "dask": lambda x, k: ec.Spectrum.from_samples(da.from_array(x, chunks=(200, 100)), modes=k),
    "batches": lambda x, k: ec.Spectrum.from_batches((x[i : i + 100] for i in range(0, len(x), 100)), modes=k),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.5])
def test_randomised_modes_against_the_whole_covariance(beyond, way, exponent):
    """Within 1 %, and never above: what is kept is the data's variance in a subspace (Cauchy's interlacing).

    Gu (2015, theorem 5.7): λⱼ/found ≤ 1 + C²·(λ_{l+1}/λⱼ)^(2q+1) with l = 2k directions at least and q = 4 iterations; the
    ratio at j = k is at most ½, so C² may be 5 before it is 1 %. Incremental PCA has no such bound; it is measured.
    """
    x = falling(exponent=exponent)
    values, vectors = exact(x)
    found = WAYS[way](x, K)
    assert found.n_modes == K
    assert found.n_samples == len(x)
    assert (found.variance <= values[:K] * (1 + 1e-10)).all()
    assert (found.variance >= 0.99 * values[:K]).all()
    assert np.abs(found.basis.components @ found.basis.components.T - np.eye(K)).max() < 1e-10
    assert abs(found.basis.components[0] @ vectors[0]) > 0.999  # its variance is 2 times the second's at least
    assert np.allclose(found.mean, x.mean(axis=0))
    whole = found.variance.sum() + (D - K) * found.null_variance
    assert whole == pytest.approx(values.sum(), rel=1e-10)


@pytest.mark.parametrize("way", WAYS)
def test_small_data_are_exact(way):
    x = falling()
    values, _ = exact(x)
    found = WAYS[way](x, K)
    assert np.allclose(found.variance, values[:K], rtol=1e-10)
    assert found.null_variance == pytest.approx(values[K:].mean(), rel=1e-10)


def test_fewer_samples_than_coordinates():
    x = falling(n=80)
    values, _ = exact(x)
    found = ec.Spectrum.from_samples(x, modes=K)
    assert np.allclose(found.variance, values[:K], rtol=1e-10)
    assert found.null_variance == pytest.approx(values[K:].mean(), rel=1e-10)


def test_modes_that_leave_nothing_out_have_no_null_variance():
    x = falling(n=80)
    assert ec.Spectrum.from_samples(x, modes=80).null_variance is None
    assert ec.Spectrum.from_samples(falling(), modes=D).null_variance is None


@pytest.mark.parametrize("way", ["memory", "dask"])
def test_a_seed_is_an_answer(beyond, way):
    x = falling()
    assert (WAYS[way](x, K).variance == WAYS[way](x, K).variance).all()


def test_batches_of_any_size_are_the_same(beyond):
    x = falling()
    by_one = ec.Spectrum.from_batches((x[i : i + 1] for i in range(len(x))), modes=K)
    assert np.allclose(by_one.variance, WAYS["batches"](x, K).variance, rtol=1e-12)


def test_files_are_read_by_blocks(beyond, tmp_path):
    x = falling()
    np.save(tmp_path / "x.npy", x)
    found = ec.Spectrum.from_samples(np.load(tmp_path / "x.npy", mmap_mode="r"), modes=K)
    assert np.allclose(found.variance, WAYS["batches"](x, K).variance, rtol=1e-12)


def test_held_out_samples_along_the_largest_modes(rng):
    x = falling()
    rows = np.random.default_rng(0).random(len(x)) < 0.2
    found = ec.Spectrum.from_batches([x], modes=K, held_out=0.2)
    by_hand = ((x[rows] - x[rows].mean(axis=0)) @ found.basis.components.T).var(axis=0)
    assert np.allclose(found.test_variance, by_hand, rtol=1e-10)


def test_it_is_saved_and_its_samples_are_known_again(tmp_path):
    x = falling()
    found = ec.Spectrum.from_samples(x, modes=K)
    found.save(tmp_path / "k.nc")
    assert ec.Spectrum.load(tmp_path / "k.nc").null_variance == found.null_variance
    validated = found.cross_validated()
    assert validated.n_modes == K
    whole = validated.variance.sum() + (D - K) * validated.null_variance
    assert whole == pytest.approx(x.var(axis=0).sum(), rel=0.05)  # of 1,500 samples


@pytest.mark.parametrize("way", ["predict", "simulate"])
def test_directions_beyond_the_largest_modes_are_learned_as_one_of_their_mean_variance(way):
    """Theory and brute force, against theory of the same modes in full whose rest is flat; distances count what is missing."""
    few = ec.Spectrum.from_samples(falling()[:, :16], modes=4)
    flat = ec.Spectrum(np.append(few.variance, np.full(12, few.null_variance)))
    settings = {"time": [0, 1, 10, 200], "sampler": ec.Heun(steps=4), "optimizer": ec.GradientDescent(1e-4)}
    exactly = {"n_particles": None} if way == "simulate" else {}
    found, whole = getattr(ec, way)(few, **settings, **exactly), ec.predict(flat, **settings)
    assert np.allclose(
        few.covariance(),
        few.basis.components.T * (few.variance - few.null_variance) @ few.basis.components
        + few.null_variance * np.eye(16),
    )
    assert np.allclose(found.variance, whole.variance[:, :4], rtol=1e-8)
    assert np.allclose(found.dataset["null_variance"], whole.variance[:, 4], rtol=1e-8)
    assert np.allclose(found.wasserstein(), whole.wasserstein(), rtol=1e-6)


X = falling(n=40)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ec.Spectrum.from_samples(X, modes=0), r"modes must be a whole number >= 1, got 0"),
        (lambda: ec.Spectrum.from_samples(X, modes=41), r"modes must be a whole number <= 40, got 41"),
        (lambda: ec.Spectrum.from_samples(X[:, :9], modes=10), r"modes must be a whole number <= 9, got 10"),
        (lambda: ec.Spectrum.from_batches([X], modes=41), r"modes must be a whole number <= 40, got 41"),
        (lambda: ec.Spectrum.from_batches([X], modes=301), r"modes must be a whole number <= 300, got 301"),
        (
            lambda: ec.Spectrum.from_samples(da.from_array(X, chunks=9), modes=41),
            r"modes must be a whole number <= 40, got 41",
        ),
        (
            lambda: ec.Spectrum.from_samples(X, basis="dct", modes=3),
            r"modes must be None with basis='dct', got 3: waves have all modes at no cost",
        ),
        (
            lambda: ec.Spectrum.from_batches([X], basis="fourier", modes=3),
            r"modes must be None with basis='fourier', got 3: waves have all modes at no cost",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ec.InputError, match=f"^{message}$"):
        make()


@pytest.mark.parametrize("way", ["memory", "batches"])
def test_what_is_missing_is_said(beyond, monkeypatch, way):
    monkeypatch.setitem(sys.modules, "sklearn.utils.extmath", None)
    monkeypatch.setitem(sys.modules, "sklearn.decomposition", None)
    with pytest.raises(ec.InputError, match=r"^modes=12 needs scikit-learn: pip install 'eigenclock\[data\]'$"):
        WAYS[way](falling(), K)


def test_held_out_samples_need_a_covariance(beyond):
    with pytest.raises(ec.InputError, match=r"^held_out must be None with modes=12 of so many coordinates"):
        ec.Spectrum.from_batches([falling()], modes=K, held_out=0.1)
