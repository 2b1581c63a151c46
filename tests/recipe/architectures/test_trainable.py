"""Tests of `eigenclock.recipe.architectures.trainable`."""

import numpy as np
import pytest
from support.textures import SPECTRA, _displacements

import eigenclock as ec


@pytest.mark.parametrize("kernel", [None, 1, 3])
@pytest.mark.parametrize("name", SPECTRA)
def test_gradient_of_the_weights_by_finite_differences(name, kernel):
    """The loss of a convolution written out sample by sample, moved weight by weight."""
    spectrum = SPECTRA[name]
    shape, c = spectrum.basis.shape, spectrum.basis.channels
    architecture = ec.Circulant(0.2) if kernel is None else ec.LocalConv(kernel, 0.2)
    network = architecture.trainable(spectrum, np.eye(spectrum.dimension), np.ones(1))
    rng, n = np.random.default_rng(2), 5
    x, y = rng.standard_normal((2, n, spectrum.dimension))
    w = network.start(1) + 0.1 * rng.standard_normal(network.start(1).shape)
    displacements = _displacements(shape, kernel)

    def output(weights):
        """D(y)[p, c] = Σ_{j, c'} w[j, c, c']·y[p + j, c'], by shifting whole images."""
        images = x.reshape(n, *spectrum.basis.grid, c)
        total = np.zeros_like(images)
        for taps, shift in zip(weights.reshape(-1, c, c), displacements, strict=True):
            moved = np.roll(images, [-s for s in shift], axis=tuple(range(1, 1 + len(shift))))
            total += moved @ taps.T
        return total.reshape(n, -1)

    def loss(weights):
        return ((output(weights) - y) ** 2).sum() / n

    assert np.allclose(output(w[0]), x @ network.weights(w)[0].T, atol=1e-12)
    gradient = network.pull_back(w, 2 * ((x @ network.weights(w)[0].T - y).T @ x)[None] / n)[0]
    for i in range(w.shape[1]):
        step = np.zeros(w.shape[1])
        step[i] = 1e-3
        # the loss is quadratic in the weights: central differences are exact but for rounding
        assert (loss(w[0] + step) - loss(w[0] - step)) / 2e-3 == pytest.approx(gradient[i], rel=1e-8, abs=1e-8)
