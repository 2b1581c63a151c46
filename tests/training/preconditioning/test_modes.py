"""Tests of `eigenclock.training.preconditioning.modes`: matrices of PyTorch's against the bases of NumPy's."""

import numpy as np
import pytest
import torch

import eigenclock as ec
from eigenclock.training.preconditioning.modes import modes_of


@pytest.mark.parametrize("shape", [(6,), (5, 4), (4, 4, 3), (3, 5, 2)])
@pytest.mark.parametrize("basis", ["pca", "dct", "fourier"])
def test_coordinates_are_those_of_the_basis(rng, shape, basis):
    x = rng.standard_normal((100, *shape)).cumsum(axis=1)
    spectrum = ec.Spectrum.from_samples(x, basis=basis)
    modes = modes_of(spectrum.basis)
    along = modes.analyze(torch.as_tensor(x))
    assert np.allclose(along.numpy(), spectrum.basis.to_modes(x)[:, modes.order.numpy()], atol=1e-12)
    assert np.allclose(modes.synthesize(along).numpy(), x, atol=1e-12)


def test_few_samples_are_completed_to_a_whole_basis(rng):
    x = rng.standard_normal((5, 3, 4))
    modes = modes_of(ec.Spectrum.from_samples(x).basis)
    every = modes.analyze(torch.eye(12, dtype=torch.float64).reshape(12, 3, 4)).numpy()
    assert np.allclose(every @ every.T, np.eye(12), atol=1e-12)
    assert modes.order.tolist() == list(range(12))
