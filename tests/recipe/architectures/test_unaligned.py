"""Tests of `eigenclock.recipe.architectures.unaligned`."""

import numpy as np
import pytest

import eigenclock as ec

SPECTRUM = ec.Spectrum([2.0, 0.5, 0.1], mean=[0.5, -1.0, 0.0])
START = np.array([[0.3, 0.2, -0.1], [0.1, 0.2, 0.15], [-0.2, 0.1, 0.25]])


def test_overlaps_of_one_layer_decay_with_the_mode_they_come_from():
    """W_ij(τ) = W_ij(0)·e^{−2·lr·(λ_j + σ²)τ} off the diagonal."""
    sigma, time = np.array([0.5]), np.array([0.7])
    network = ec.UnalignedOneLayer(ec.MatrixStart(START))
    (got,) = network.denoisers(ec.Denoising(), SPECTRUM, sigma, ec.GradientFlow(1.0), time)
    decay = np.exp(-2 * (SPECTRUM.variance + 0.25) * 0.7)
    off = ~np.eye(3, dtype=bool)
    assert np.allclose(got.linear[0][off], (START * decay)[off], rtol=1e-12)


@pytest.mark.parametrize("kind", [ec.UnalignedOneLayer, ec.UnalignedTiedTwoLayer])
def test_aligned_starts_are_the_plain_networks(kind):
    gain = 0.2
    scale = gain if kind is ec.UnalignedOneLayer else np.sqrt(gain)
    plain = ec.OneLayer(gain) if kind is ec.UnalignedOneLayer else ec.TiedTwoLayer(gain)
    recipe = {"optimizer": ec.GradientFlow(0.02), "sampler": ec.Heun(steps=8, sigma_max=5.0), "time": [0.0, 3.0, 30.0]}
    mixed = ec.predict(SPECTRUM, architecture=kind(ec.MatrixStart(scale * np.eye(3))), **recipe)
    assert np.allclose(mixed.variance, ec.predict(SPECTRUM, architecture=plain, **recipe).variance, rtol=1e-7)
    assert np.allclose(mixed.alignment, 1)


def test_overlaps_of_tied_layers_rise_and_fall():
    """App. E.1.2: from a small random start an overlap of two learnable modes peaks before it vanishes; for one layer it only falls."""
    spectrum, sigma = ec.Spectrum([1.0, 0.8, 0.1]), np.array([0.3])
    time = np.concatenate([[0.0], np.geomspace(0.1, 400, 80)])
    start = ec.MatrixStart(0.3 * START)
    histories = {}
    for kind in (ec.UnalignedTiedTwoLayer, ec.UnalignedOneLayer):
        states = kind(start).denoisers(ec.Denoising(), spectrum, sigma, ec.GradientFlow(0.1), time)
        histories[kind] = np.abs([state.linear[0, 0, 1] for state in states])
    tied, one = histories.values()
    assert tied.max() > 5 * tied[0]
    assert tied[-1] < 1e-3 * tied.max()
    assert (np.diff(one) <= 0).all()
