"""Tests of `eigenclock.simulation.particles`."""

import numpy as np
import pytest
from recipes import PAIRS

import eigenclock as ec

FOUR_ERRORS = 4
"""Standard errors; a few dozen numbers are compared, seeds are fixed."""


@pytest.mark.parametrize(
    "sampler",
    [
        ec.ProbabilityFlow(0.05, 10.0),
        ec.Heun(steps=12),
        ec.Euler(steps=30),
        ec.Stochastic(steps=12),
        ec.EulerMaruyama(steps=30),
    ],
    ids=lambda sampler: type(sampler).__name__,
)
@pytest.mark.parametrize(
    "pair", ["one layer", "tied", "deep residual", "circulant colour", "local colour", "affine", "unaligned tied"]
)
def test_particles_within_four_standard_errors(pair, sampler):
    n, (architecture, spectrum) = 5_000, PAIRS[pair]
    recipe = {
        "objective": ec.EDM(),
        "architecture": architecture,
        "optimizer": ec.GradientDescent(lr=0.005),
        "sampler": sampler,
        "time": [0.0, 5.0, 40.0],
    }
    brute_force = ec.simulate(spectrum, n_particles=n, seed=3, **recipe)
    theory = ec.predict(spectrum, **recipe)
    deviation = np.abs(brute_force.variance / theory.variance - 1) / np.sqrt(2 / n)
    print(f"largest deviation {float(deviation.max()):.1f} standard errors")
    assert deviation.max() < FOUR_ERRORS
    if pair == "affine":
        shift = (brute_force.generated_mean - theory.generated_mean) / np.sqrt(theory.variance / n)
        assert np.abs(shift).max() < FOUR_ERRORS


def test_particles_start_from_the_noise_of_predicted_samples(patches):
    """So that the two rows of pictures in a report show the same images."""
    data, spectrum = patches
    recipe = {
        "objective": ec.EDM(),
        "architecture": ec.OneLayer(0.0),
        "optimizer": ec.GradientDescent(lr=0.01),
        "time": [0, 300],
    }
    flow = ec.ProbabilityFlow(0.05, 10.0)
    simulated = ec.simulate(
        spectrum, sampler=flow, samples=data.samples, n_particles=16, keep_particles=3, seed=5, **recipe
    )
    images = spectrum.from_modes(simulated.dataset["particles"].values[-1])
    expected = ec.predict(spectrum, sampler=flow, **recipe).sample(3, time=300, seed=5)
    # the brute force takes 60 Runge–Kutta steps, the prediction none: (ln(200)/60)⁴ = 6e-5, on pixels of size one
    assert np.abs(images - expected).max() < 1e-3
