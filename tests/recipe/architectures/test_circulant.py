"""Tests of `eigenclock.recipe.architectures.circulant`."""

import numpy as np
import pytest
from support.textures import SHAPES, SPECTRA, textured

import eigenclock as ec


@pytest.mark.parametrize("objective", [ec.Denoising(), ec.EDM(), ec.FlowMatching()], ids=str)
@pytest.mark.parametrize("name", SPECTRA)
def test_circulant_equals_one_layer_trained_on_all_circular_shifts(name, objective):
    """App. G.3.2, at every time: the fully connected network at N times the learning rate, in a basis that knows no waves."""
    shape = SHAPES[name]
    x = textured(*shape, n=20)
    centred = x - x.mean(axis=(0, 1) if len(shape) == 1 else (0, 1, 2))
    axes = (1,) if len(shape) == 1 else (1, 2)
    shifts = [np.roll(centred, shift, axes) for shift in np.ndindex(*shape[: len(axes)])]
    fourier = ec.Spectrum.from_samples(x - x.mean(axis=0) if len(shape) == 1 else x, basis="fourier")
    everything = np.concatenate([np.roll(x - x.mean(axis=0), shift, axes) for shift in np.ndindex(*shape[: len(axes)])])
    assert len(shifts) == fourier.positions
    pca = ec.Spectrum.from_samples(everything)
    recipe = {"objective": objective, "time": [0.0, 0.5, 5.0, np.inf], "sampler": ec.Heun(steps=8)}
    shared = ec.predict(
        fourier, architecture=ec.Circulant(0.1), optimizer=ec.GradientFlow(0.01), keep_covariance=True, **recipe
    )
    connected = ec.predict(
        pca, architecture=ec.OneLayer(0.1), optimizer=ec.GradientFlow(0.01 * fourier.positions), **recipe
    )
    modes = [
        s.basis.from_modes(np.eye(s.n_modes)).reshape(s.n_modes, -1) for s in (shared.spectrum, connected.spectrum)
    ]
    for i in range(4):
        one = modes[0].T @ (shared.variance.values[i][:, None] * modes[0])
        two = modes[1].T @ (connected.variance.values[i][:, None] * modes[1])
        assert np.abs(one - two).max() <= 1e-9 * np.abs(two).max()
