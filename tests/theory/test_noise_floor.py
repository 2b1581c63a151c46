"""Tests of `eigenclock.theory.noise_floor`."""

import numpy as np
import pytest

import eigenclock as ec


@pytest.mark.parametrize("optimizer", [ec.GradientDescent(0.02), ec.HeavyBall(0.01, 0.7)], ids=str)
@pytest.mark.parametrize("batch_size", [2, 16])
def test_noise_floor_of_the_gain(optimizer, batch_size):
    """2,000 independent networks of one noise level, trained to rest: variance of the gain to √(2/2000) = 3 %."""
    spectrum, copies = ec.Spectrum([2.0, 0.5, 0.1]), 2000
    floor = ec.noise_floor(spectrum, optimizer=optimizer, batch_size=batch_size, sigma=[0.6])
    settled = ec.simulate(
        spectrum,
        optimizer=optimizer,
        architecture=ec.OneLayer(0.6),
        batch_size=batch_size,
        n_particles=None,
        sampler=ec.Euler(2, sigma_min=0.6, sigma_max=0.7),
        time=[600],
        sigma=np.full(copies, 0.6),
        keep_gain=True,
        keep_loss=True,
    )
    best = spectrum.variance / (spectrum.variance + 0.36)
    spread = ((settled.gain.values[0] - best[:, None]) ** 2).mean(axis=1)
    assert np.abs(spread / floor.gain_std.values[:, 0] ** 2 - 1).max() < 4 * np.sqrt(2 / copies)
    minimum = 0.36 * spectrum.variance / (spectrum.variance + 0.36)
    excess = settled.loss.values[0].mean(axis=1) - minimum
    # a sum of three squares of unequal size: its relative spread is below that of one
    assert np.abs(excess / floor.excess_loss.values[:, 0] - 1).max() < 4 * np.sqrt(2 / copies)


def test_noise_that_feeds_itself_is_refused_and_does_diverge():
    spectrum, optimizer = ec.Spectrum([2.0, 1.5, 1.0, 1.0]), ec.GradientDescent(0.16)
    with pytest.raises(ec.InputError, match=r"^batch_size must be larger or lr smaller, got 1 and 0\.16: .*"):
        ec.noise_floor(spectrum, optimizer=optimizer, batch_size=1, sigma=[0.5])
    with pytest.raises(ec.InputError, match="overflow"):
        ec.simulate(
            spectrum,
            optimizer=optimizer,
            batch_size=1,
            sampler=ec.Euler(2, sigma_min=0.5, sigma_max=0.6),
            time=[4000.0],
        )
    ec.noise_floor(spectrum, optimizer=optimizer, batch_size=64, sigma=[0.5])
