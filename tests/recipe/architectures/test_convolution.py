"""Full-width and local convolutions (T10, T11): against explicit gradients, circular shifts, and each other."""

import numpy as np
import pytest
from support.textures import SPECTRA, _displacements, textured

import eigenclock as ec


@pytest.mark.parametrize("kernel", [None, 3])
@pytest.mark.parametrize("name", ["ring", "image", "colour"])
def test_kernels_in_closed_form(name, kernel):
    """Against explicit descent of the shared weights on the data's whole covariance, 40 steps."""
    spectrum, lr, sigma = SPECTRA[name], 0.002, np.array([0.4, 1.5])
    architecture = ec.Circulant(0.3) if kernel is None else ec.LocalConv(kernel, 0.3)
    network = architecture.trainable(spectrum, np.eye(spectrum.dimension), sigma)
    parameters, covariance = network.start(2), spectrum.covariance()
    noisy = covariance + sigma[:, None, None] ** 2 * np.eye(spectrum.dimension)
    for _ in range(40):
        gradient = 2 * (network.weights(parameters) @ noisy - covariance)
        parameters = parameters - lr * network.pull_back(parameters, gradient)
    found = architecture.weights(ec.Denoising(), spectrum, sigma, ec.GradientDescent(lr), np.array([40.0]))[0]
    grid, c = spectrum.basis.grid, spectrum.basis.channels
    for displacement, taps in zip(
        _displacements(spectrum.basis.shape, kernel), parameters.reshape(2, -1, c, c).swapaxes(0, 1), strict=True
    ):
        if kernel is None:
            place = np.ravel_multi_index(displacement, grid)
        else:
            place = np.ravel_multi_index(
                [(d + 1) % n for d, n in zip(displacement, grid, strict=True)], [3] * len(grid)
            )
        assert np.abs(found[:, place] - taps).max() < 1e-10


def test_positions_share_weights_and_learn_together():
    """N positions: N times faster than one layer, mode by mode."""
    ring = ec.Spectrum.from_power(1 / (0.01 + np.fft.fftfreq(64) ** 2))
    shared = ec.predict(ring, architecture=ec.Circulant(), optimizer=ec.GradientFlow(1e-3))
    alone = ec.predict(ring, architecture=ec.OneLayer(), optimizer=ec.GradientFlow(64e-3))
    assert np.allclose(shared.variance, alone.variance, rtol=1e-12)


FOURIER, PCA = SPECTRA["image"], ec.Spectrum.from_samples(textured(4, 5))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ec.LocalConv(4), r"kernel must be odd, got 4"),
        (lambda: ec.LocalConv(-1), r"kernel must be a whole number >= 1, got -1"),
        (lambda: ec.predict(FOURIER, architecture=ec.LocalConv(5)), r"kernel must be at most the grid, 4×5, got 5"),
        (
            lambda: ec.predict(PCA, architecture=ec.Circulant()),
            r'convolutions need Fourier modes, got PCA: use Spectrum\.from_samples\(x, basis="fourier"\)',
        ),
        (lambda: ec.predict(PCA, architecture=ec.LocalConv(3)), r"convolutions need Fourier modes, got PCA: .*"),
        (lambda: ec.simulate(PCA, architecture=ec.LocalConv(3), time=[1.0]), r"convolutions need Fourier modes, got PCA: .*"),
        (
            lambda: ec.predict(ec.Spectrum([3.0, 2.0, 1.0]), architecture=ec.LocalConv(3)),
            r"LocalConv takes abstract modes for the power spectrum of a 1-D grid, equal at ±k .*",
        ),
        (lambda: PCA.cross_spectrum, r"a power spectrum needs Fourier modes: .*"),
        (lambda: ec.Spectrum.from_power([1.0, 2.0, 3.0]), r"power must be the same at ±k .*"),
        (lambda: ec.Spectrum.from_power([1.0, -2.0]), r"power must be >= 0, got -2"),
        (lambda: ec.Spectrum.from_power(np.ones((2, 2, 2))), r"power must have shape \(n,\) or \(h, w\), .*"),
        (
            lambda: ec.predict(SPECTRA["colour"], architecture=ec.LocalConv(3), time=[1.0]).sample(1, time=1.0, seed=0),
            r"modes of this curve are correlated, and their covariance was not kept: pass keep_covariance=True",
        ),
        (
            lambda: ec.predict(SPECTRA["colour"], architecture=ec.LocalConv(3), time=[1.0]).along(SPECTRA["colour"]),
            r"modes of this curve are correlated, .*",
        ),
        (lambda: ec.predict(ec.Spectrum([1.0])).along(PCA), r"along needs two spectra with bases of the same sample shape, .*"),
    ],
)  # fmt: skip
def test_errors(make, message):
    with pytest.raises(ec.InputError, match=f"^{message}$"):
        make()
