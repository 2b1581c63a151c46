"""Tests of `eigenclock.simulation.colour`: theory along modes against descent of whole matrices in data space (T19)."""

import numpy as np
import pytest

import eigenclock as ec

RNG = np.random.default_rng(0)
SKEWED = RNG.standard_normal((200, 5)) @ RNG.standard_normal((5, 5))
SPECTRA = {
    "abstract": ec.Spectrum([2.0, 0.5, 0.1, 0.02]),
    "components": ec.Spectrum.from_samples(SKEWED),
    "cosines": ec.Spectrum.from_samples(RNG.standard_normal((200, 3, 3)).cumsum(axis=1), basis="dct"),
    "waves": ec.Spectrum.from_samples(RNG.standard_normal((200, 3, 3)).cumsum(axis=1), basis="fourier"),
    "colour": ec.Spectrum.from_samples(RNG.standard_normal((200, 3, 2, 2)).cumsum(axis=3), basis="dct"),
    "colour waves": ec.Spectrum.from_samples(RNG.standard_normal((200, 3, 2, 2)).cumsum(axis=3), basis="fourier"),
}
RECIPES = [
    {"objective": ec.SpectralEDM(), "architecture": ec.OneLayer(0.0)},
    {"objective": ec.SpectralEDM(loss="mode"), "architecture": ec.OneLayer(0.1)},
    {"objective": ec.SpectralEDM(input="scalar", density=ec.LogNormal()), "architecture": ec.TiedTwoLayer(0.3)},
    {"objective": ec.SpectralEDM(power=0.5, loss="mode", input="scalar"), "architecture": ec.OneLayer(0.0)},
]
SAMPLERS = [ec.Heun(steps=6, sigma_min=0.05, sigma_max=5.0), ec.Angular(steps=6, sigma_min=0.05, sigma_max=5.0)]
OPTIMIZERS = [ec.GradientDescent(lr=0.02), ec.HeavyBall(lr=0.001, momentum=0.5)]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: str(r["objective"])[12:])
@pytest.mark.parametrize("name", SPECTRA)
def test_theory_equals_descent_of_matrices_at_every_time(name, recipe, sampler):
    """1e-8: both are float64; the twin makes matrix functions by eigenvectors of its own covariance."""
    common = {"sampler": sampler, "optimizer": OPTIMIZERS[0], "time": [0.0, 1.0, 7.0, 30.0]}
    theory = ec.predict(SPECTRA[name], **recipe, **common)
    twin = ec.simulate(SPECTRA[name], n_particles=None, **recipe, **common)
    assert np.allclose(theory.variance, twin.variance, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_wrong_spectra_too(optimizer):
    spectrum = SPECTRA["components"]
    wrong = ec.Spectrum(spectrum.variance**0.8 * 1.3, mean=spectrum.mean, basis=spectrum.basis)
    for sampler in (SAMPLERS[0], ec.Angular(steps=6, sigma_min=0.05, sigma_max=5.0, spectrum=wrong)):
        recipe = {"objective": ec.SpectralEDM(wrong), "architecture": ec.OneLayer(0.0), "sampler": sampler}
        theory, twin = (
            do(spectrum, optimizer=optimizer, time=[0.0, 3.0, 20.0], **recipe, **more)
            for do, more in ((ec.predict, {}), (ec.simulate, {"n_particles": None}))
        )
        assert np.allclose(theory.variance, twin.variance, rtol=1e-8, atol=1e-12)


def test_particles_have_the_predicted_variance(rng):
    """Particles pushed through the sampler at each time, within four standard errors of 4,000."""
    spectrum, n = SPECTRA["components"], 4000
    recipe = {
        "objective": ec.SpectralEDM(loss="mode"),
        "architecture": ec.OneLayer(0.3),
        "optimizer": ec.GradientDescent(lr=0.02),
        "sampler": ec.Heun(steps=8),
        "time": [0.0, 5.0, 40.0],
    }
    drawn = ec.simulate(spectrum, n_particles=n, seed=3, **recipe)
    expected = ec.predict(spectrum, **recipe).variance.values
    assert np.abs(np.log(drawn.variance.values / expected)).max() < 4 * np.sqrt(2 / n)
