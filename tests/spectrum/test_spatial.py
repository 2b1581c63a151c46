"""Spatial frequencies of modes: of waves that are known, and of images mirrored by hand."""

import numpy as np
import pytest
import scipy.fft

import eigenclock as ec
from eigenclock.spectrum import spatial


def cosines(h, w):
    """Orthonormal cosine modes of h×w images, (h·w, h·w), and their frequencies in cycles per pixel down and across."""
    down, across = (scipy.fft.idct(np.eye(n), axis=0, norm="ortho") for n in (h, w))
    modes = np.einsum("yk,xl->klyx", down, across).reshape(h * w, h * w)
    ky, kx = np.indices((h, w)).reshape(2, -1)
    return modes, ky / (2 * h), kx / (2 * w)


@pytest.mark.parametrize("shape", [(8, 8), (6, 9), (5, 4, 3), (7, 1, 2)])
def test_fourier_modes_have_whole_frequencies(rng, shape):
    """Signed ones: index h − 1 is one cycle, not h − 1. Of each mode's image by a Fourier transform of its own."""
    spectrum = ec.Spectrum.from_samples(rng.standard_normal((40, *shape)), basis="fourier")
    h, w = shape[:2]
    found = spectrum.cycles
    for mode in range(spectrum.n_modes):
        image = spectrum.basis.mode_image(mode).reshape(h, w, -1)
        power = (np.abs(np.fft.fft2(image, axes=(0, 1))) ** 2).sum(axis=2)
        ky, kx = np.unravel_index(power.argmax(), power.shape)
        ky, kx = min(ky, h - ky), min(kx, w - kx)
        assert found[mode] == pytest.approx(max(h, w) * np.hypot(ky / h, kx / w), rel=1e-12)
    if h == w:
        assert np.allclose(found**2, np.round(found**2)), "ky² + kx² of whole numbers"


@pytest.mark.parametrize(("h", "w"), [(8, 8), (6, 9)])
def test_cosine_modes_have_half_cycles(h, w):
    modes, down, across = cosines(h, w)
    spectrum = ec.Spectrum(np.ones(h * w), basis=ec.PCA(modes, (h, w)))
    np.testing.assert_allclose(spectrum.cycles, max(h, w) * np.hypot(down, across), atol=1e-12)
    assert spectrum.cycles[1] == pytest.approx(max(h, w) / (2 * w))  # half a cycle across
    assert spectrum.feature_size[1] == pytest.approx(w), "half a period is the whole edge"


def test_colour_counts_as_one_image():
    """A mode of three colours with three frequencies has their mean by power."""
    modes, down, across = cosines(4, 4)
    chosen, share = [1, 2, 7], np.array([0.5, 0.3, 0.2])
    mode = (np.sqrt(share) * modes[chosen].T).reshape(1, -1)
    spectrum = ec.Spectrum([1.0], basis=ec.PCA(mode, (4, 4, 3)))
    assert spectrum.cycles[0] == pytest.approx(share @ (4 * np.hypot(down, across)[chosen]), rel=1e-12)


def test_any_mode_by_the_fourier_transform_of_the_mirrored_image(rng, monkeypatch):
    """In blocks of two images."""
    monkeypatch.setattr(spatial, "BLOCK", 2 * 5 * 6)
    rotation, _ = np.linalg.qr(rng.standard_normal((30, 30)))
    spectrum = ec.Spectrum(np.ones(30), basis=ec.PCA(rotation, (5, 6)))
    images = rotation.reshape(30, 5, 6)
    mirrored = np.concatenate([images, images[:, ::-1]], axis=1)
    mirrored = np.concatenate([mirrored, mirrored[:, :, ::-1]], axis=2)
    power = np.abs(np.fft.fft2(mirrored)) ** 2
    frequency = 6 * np.hypot(np.fft.fftfreq(10)[:, None], np.fft.fftfreq(12))
    # the square of an orthonormal cosine coefficient is the power of the waves ±k of the mirrored image, over a common factor
    expected = (power * frequency).sum(axis=(1, 2)) / power.sum(axis=(1, 2))
    np.testing.assert_allclose(spectrum.cycles, expected, rtol=1e-10)


def test_a_constant_and_modes_without_images(rng):
    flat = ec.Spectrum([1.0], basis=ec.PCA(np.full((1, 16), 0.25), (4, 4)))
    assert flat.cycles[0] == pytest.approx(0, abs=1e-12)
    waves = ec.Spectrum.from_power(np.ones((4, 4)))
    constant = waves.cycles == 0
    assert constant.sum() == 1
    assert np.isinf(waves.feature_size[constant]).all()
    for spectrum in (ec.Spectrum([1.0, 0.1]), ec.Spectrum.from_samples(rng.standard_normal((20, 4)))):
        assert np.isnan(spectrum.cycles).all()
        assert np.isnan(spectrum.feature_size).all()
        assert spectrum.cycles.shape == (spectrum.n_modes,)


def test_natural_images_come_coarse_first(patches):
    """Of PCA modes of real images, which falling variance sorts, the first is the brightness, the next are half a cycle."""
    spectrum = patches[1]
    assert spectrum.cycles[0] < 0.1
    np.testing.assert_allclose(spectrum.cycles[1:3], 0.5, atol=0.1)
    assert spectrum.cycles[-8:].min() > spectrum.cycles[:8].max()
    assert spectrum.cycles is spectrum.cycles, "computed once"


def test_in_words():
    assert spatial.finer_than(2.6, 16) == "finer than 3.1 pixels (more than 2.6 cycles per image)"
    assert [spatial.pixels_in_words(size) for size in (3.21, 1.0, 0.7)] == ["3.2 pixels", "1 pixel", "1 pixel"]
