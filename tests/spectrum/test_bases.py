"""Tests of `eigenclock.spectrum.bases`."""

import numpy as np
import pytest
import scipy.fft

import eigenclock as ec


@pytest.mark.parametrize("shape", [(7,), (8,), (4, 6), (5, 3), (4, 4, 3), (5, 6, 2)])
@pytest.mark.parametrize("basis", ["pca", "dct", "fourier"])
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


@pytest.mark.parametrize("shape", [(9,), (6, 8), (4, 5, 3)])
def test_cosines_are_scipys_transform(rng, shape):
    """DCT-II of type ortho over the grid; channels of one frequency are mixed so that they are uncorrelated."""
    x = rng.standard_normal((300, *shape)).cumsum(axis=1)
    spectrum = ec.Spectrum.from_samples(x, basis="dct")
    axes = (1, 2)[: min(len(shape), 2)]
    plain = scipy.fft.dctn(x - x.mean(axis=0), axes=axes, norm="ortho").reshape(
        300, -1, shape[2] if len(shape) > 2 else 1
    )
    covariance = np.einsum("nfc,nfd->fcd", plain, plain) / 300
    assert np.allclose(np.sort(spectrum.variance), np.sort(np.linalg.eigvalsh(covariance).ravel()), rtol=1e-9)


def test_cosines_know_their_frequency():
    x = np.random.default_rng(0).standard_normal((50, 8, 8))
    cosines = ec.Spectrum.from_samples(x, basis="dct")
    mode = int(np.argmin(np.abs(cosines.cycles - 0.5)))
    image = cosines.basis.mode_image(mode)
    assert np.allclose(np.abs(image).max(axis=0), np.abs(image).max(axis=0)[0]) or np.allclose(
        np.abs(image).max(axis=1), np.abs(image).max(axis=1)[0]
    )
    assert cosines.cycles.max() == pytest.approx(np.hypot(3.5, 3.5))


def test_cosines_are_kept_in_files(tmp_path, rng):
    for shape in ((5, 6), (4, 4, 3)):
        one = ec.Spectrum.from_samples(rng.standard_normal((60, *shape)).cumsum(axis=2), basis="dct")
        one.save(tmp_path / "s.nc")
        again = ec.Spectrum.load(tmp_path / "s.nc")
        assert np.array_equal(again.basis.from_modes(np.eye(one.n_modes)), one.basis.from_modes(np.eye(one.n_modes)))
