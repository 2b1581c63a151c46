import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

import eigenclock as ec
from eigenclock.spectrum.moments import Moments


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


@pytest.mark.parametrize("shape", [(7,), (8,), (4, 6), (5, 3), (4, 4, 3), (5, 6, 2)])
@pytest.mark.parametrize("basis", ["pca", "fourier"])
def test_bases_are_orthonormal_and_invert(rng, shape, basis):
    if basis == "fourier" and len(shape) == 1:
        x = rng.standard_normal((200, *shape))
    else:
        x = rng.standard_normal((200, *shape)) + rng.standard_normal((200, *(1 for _ in shape)))
    spectrum = ec.Spectrum.from_samples(x, basis=basis)
    d = int(np.prod(shape))
    modes = spectrum.basis.from_modes(np.eye(d)).reshape(d, d)
    assert np.abs(modes @ modes.T - np.eye(d)).max() < 1e-12
    assert np.allclose(spectrum.from_modes(spectrum.to_modes(x)), x, atol=1e-12)
    assert np.allclose(spectrum.to_modes(x).var(axis=0), spectrum.variance, atol=1e-12)
    assert (np.diff(spectrum.variance) <= 0).all()
    assert spectrum.basis.mode_image(1).shape == shape
    assert np.isclose(spectrum.variance.sum(), x.reshape(200, -1).var(axis=0).sum())


@pytest.mark.parametrize("shape", [(9,), (6, 8)])
def test_fourier_variance_is_the_power_spectrum(rng, shape):
    """The mean over the pair ±k is E|F_k|², for any data."""
    x = rng.standard_normal((300, *shape)).cumsum(axis=1)
    spectrum = ec.Spectrum.from_samples(x, basis="fourier")
    centred = x - x.mean(axis=0)
    power = (np.abs(np.fft.fftn(centred, axes=range(1, x.ndim), norm="ortho")) ** 2).mean(axis=0)
    index = [np.round(spectrum.basis.frequency[:, i] * n).astype(int) % n for i, n in enumerate(shape)]
    variance = np.zeros(shape)
    variance[tuple(index)] = spectrum.variance
    mirrored = variance[np.ix_(*[-np.arange(n) % n for n in shape])]
    assert np.allclose((variance + mirrored) / 2, power)


def test_fourier_modes_diagonalise_stationary_data(rng):
    """All circular shifts of an image: the covariance is circulant, so Fourier variances are its eigenvalues."""
    image = rng.standard_normal((6, 5))
    shifts = np.stack([np.roll(image, (i, j), axis=(0, 1)) for i in range(6) for j in range(5)])
    fourier, pca = ec.Spectrum.from_samples(shifts, basis="fourier"), ec.Spectrum.from_samples(shifts)
    assert np.allclose(fourier.variance, pca.variance, atol=1e-12)


def test_stationary_part_is_the_mean_over_all_shifts(rng):
    """Sorted by falling power, and the same covariance as of all circular shifts."""
    x = rng.standard_normal((30, 4, 3, 2)).cumsum(axis=1)
    spectrum = ec.Spectrum.from_samples(x, basis="fourier", test=x[:10]).stationary()
    assert (np.diff(spectrum.variance) <= 0).all()
    centred = x - x.mean(axis=0)
    shifts = np.concatenate([np.roll(centred, shift, axis=(1, 2)).reshape(30, -1) for shift in np.ndindex(4, 3)])
    assert np.allclose(spectrum.covariance(), shifts.T @ shifts / len(shifts), atol=1e-12)
    assert np.allclose(spectrum.test_variance, spectrum.basis.pair_means(spectrum.test_variance))


def test_fourier_modes_decorrelate_channels(rng):
    gray = rng.standard_normal((500, 4, 4, 1))
    x = gray + 0.1 * rng.standard_normal((500, 4, 4, 3))
    spectrum = ec.Spectrum.from_samples(x, basis="fourier")
    assert spectrum.variance[:16].sum() > 0.95 * spectrum.variance.sum()


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
