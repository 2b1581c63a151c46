"""Tests of `eigenclock.training.networks.linear`."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

import eigenclock as ec
from eigenclock.recipe.objectives import Denoising
from eigenclock.training.losses import NetworkDenoiser
from eigenclock.training.options import LoopOptions

LEVELS = np.geomspace(0.2, 3.0, 3)


@dataclass(frozen=True)
class Design:
    """Every pair of 2d samples and 2d noises at every level: second moments exactly those of the theory, no sampling error.

    Samples mean ± √(dλ_k) u_k have mean and covariance exactly; noises ± √d e_j have covariance I.
    """

    spectrum: ec.Spectrum
    levels: np.ndarray

    def __call__(self, step):
        d = self.spectrum.n_modes
        scaled = np.diag(np.sqrt(d * self.spectrum.variance))
        clean = self.spectrum.from_modes(np.concatenate([scaled, -scaled]))
        noise = np.sqrt(d) * np.concatenate([np.eye(d), -np.eye(d)])
        n = 2 * d
        x = np.broadcast_to(clean[None, :, None], (len(self.levels), n, n, d)).reshape(-1, d)
        z = np.broadcast_to(noise[None, None], (len(self.levels), n, n, d)).reshape(-1, d)
        sigma = np.repeat(self.levels, n * n)
        return torch.tensor(x), torch.tensor(sigma), torch.tensor(z)


def gain_of(module, objective, spectrum, levels):
    """u_kᵀ D(mean + u_k) − u_kᵀ D(mean), per mode and level."""
    denoiser, d = NetworkDenoiser(module, objective), spectrum.n_modes
    origin = torch.tensor(spectrum.from_modes(np.zeros((d, d))))
    shifted = torch.tensor(spectrum.from_modes(np.eye(d)))
    with torch.no_grad():
        columns = [(denoiser(shifted, s) - denoiser(origin, s)).numpy() for s in levels]
    modes = spectrum.basis.from_modes(np.eye(d))
    return np.stack([(modes * column).sum(axis=1) for column in columns], axis=1)


LINEAR = {
    "one layer": (ec.OneLayer(0.1), "pca", 0.05),
    "tied": (ec.TiedTwoLayer(0.3), "pca", 0.02),
    "two layers": (ec.TwoLayer((0.5, 0.2)), "pca", 0.02),
    "deep": (ec.DeepLinear(3, 0.2), "pca", 0.02),
    "residual": (ec.Residual(2), "pca", 0.02),
    "circulant": (ec.Circulant(), "fourier", 0.01),
    "local": (ec.LocalConv(3), "fourier", 0.01),
    "affine": (ec.Affine(), "pca", 0.02),
    "unaligned": (ec.UnalignedOneLayer(ec.GaussianStart(0.1, seed=1)), "pca", 0.05),
    "unaligned tied": (ec.UnalignedTiedTwoLayer(ec.GaussianStart(0.3, seed=1)), "pca", 0.02),
}


@pytest.mark.parametrize("case", LINEAR)
@pytest.mark.parametrize("objective", [ec.Denoising(), ec.EDM(), ec.FlowMatching()], ids=lambda o: type(o).__name__)
def test_linear_modules_trained_by_the_loop_match_the_theory(case, objective):
    """Gradient descent of the real loop, gradients by PyTorch, against `predict`: all but rounding."""
    architecture, basis, lr = LINEAR[case]
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 5)) @ rng.standard_normal((5, 5)) * 0.5 + (0.7 if case == "affine" else 0.0)
    spectrum = ec.Spectrum.from_samples(x, basis=basis)
    if case != "affine":  # the theory takes the mean as known, the loop's data then have none
        spectrum = ec.Spectrum(spectrum.variance, basis=spectrum.basis)
    steps = 60
    module = ec.Linear(architecture, len(LEVELS), LEVELS[0], LEVELS[-1]).build((5,), spectrum=spectrum)
    ec.train(
        module,
        x,
        objective=objective,
        optimizer=ec.SGD(lr * len(LEVELS)),  # the loss is a mean over levels
        steps=steps,
        options=LoopOptions(precision="float64", device="cpu"),
        pairs=Design(spectrum, LEVELS),
    )
    predicted = ec.predict(
        spectrum,
        objective=objective,
        architecture=architecture,
        optimizer=ec.GradientDescent(lr),
        sampler=ec.Heun(steps=2, sigma_min=0.2, sigma_max=3.0),
        time=[float(steps)],
        sigma=LEVELS,
        keep_gain=True,
    )
    seen = predicted.spectrum  # convolutions sort their modes anew
    measured = gain_of(module, objective, ec.Spectrum(seen.variance, mean=spectrum.mean, basis=seen.basis), LEVELS)
    # required 1e-4; the weights start in 32 bits, which leaves about 1e-7
    np.testing.assert_allclose(measured, predicted.gain.values[0], atol=2e-6)


def test_coupled_levels_match_the_theory():
    """All levels share weights through a kernel; each level counts with its share of the theory's quadrature."""
    architecture = ec.Coupled(ec.GaussianKernel(0.8), sigma_min=0.2, sigma_max=3.0, levels=6)
    levels, share = architecture.training_levels
    spectrum = ec.Spectrum.from_samples(np.random.default_rng(1).standard_normal((40, 3)))
    spectrum = ec.Spectrum(spectrum.variance, basis=spectrum.basis)

    @dataclass(frozen=True)
    class ByShare(Denoising):
        def loss_weight(self, sigma):
            return share[np.abs(levels[None, :] - sigma[:, None]).argmin(axis=1)] * len(levels)

    module = ec.Linear(architecture).build((3,), spectrum=spectrum)
    ec.train(module, np.zeros((4, 3)), objective=ByShare(), optimizer=ec.SGD(0.02), steps=50,
             options=LoopOptions(precision="float64", device="cpu"), pairs=Design(spectrum, levels))  # fmt: skip
    predicted = ec.predict(spectrum, architecture=architecture, optimizer=ec.GradientDescent(0.02), time=[50.0], sigma=levels, keep_gain=True,
                           sampler=ec.Heun(steps=2, sigma_min=0.2, sigma_max=3.0))  # fmt: skip
    np.testing.assert_allclose(gain_of(module, ec.Denoising(), spectrum, levels), predicted.gain.values[0], atol=2e-6)


def test_linear_interpolates_between_levels():
    spectrum = ec.Spectrum.from_samples(np.random.default_rng(1).standard_normal((40, 3)))
    module = ec.Linear(ec.OneLayer(0.0), 3, 0.1, 10.0).build((3,), spectrum=spectrum)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([1.0, 2.0, 4.0])[:, None, None] * torch.eye(3))
    x = torch.ones(5, 3)
    out = module(x, torch.tensor([0.01, 0.1, 0.1 * 10**0.5, 1.0, 50.0]))
    torch.testing.assert_close(out[:, 0], torch.tensor([1.0, 1.0, 1.5, 2.0, 4.0]))
