"""Tests of `eigenclock.recipe.samplers.angular` (T19)."""

import numpy as np
import pytest
import torch

import eigenclock as ec

SPECTRUM = ec.Spectrum([9.0, 1.0, 0.04, 1e-4])


def test_gaussian_data_of_the_assumed_variances_come_out_exactly():
    gain = SPECTRUM.variance[:, None] / (SPECTRUM.variance[:, None] + ec.Angular(steps=7).grid ** 2)
    found = ec.Angular(steps=7, spectrum=SPECTRUM).variance(gain[None])[0]
    assert np.allclose(found, SPECTRUM.variance, rtol=1e-12, atol=0)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_wrong_variances_cost_less_than_in_heuns_steps(factor):
    """T19: −4 … −1 % at 20 steps with s wrong by 2, where Heun makes +31 … +4 % of a perfect denoiser."""
    assumed = ec.Spectrum(SPECTRUM.variance * factor)
    error = np.abs(ec.Angular(20, spectrum=assumed).optimal(SPECTRUM.variance) / SPECTRUM.variance - 1)
    heun = np.abs(ec.Heun(20).optimal(SPECTRUM.variance) / SPECTRUM.variance - 1)
    assert error.max() <= 0.05
    assert (error < heun).all()


def test_second_order_of_accuracy():
    """Modes whose last step, one evaluation from sigma_min to 0, is a small angle: elsewhere it is all the error."""
    known = np.array([1.0, 0.2, 0.04])
    assumed = ec.Spectrum(known * 1.7)
    coarse, fine = (np.abs(np.log(ec.Angular(n, spectrum=assumed).optimal(known) / known)) for n in (40, 80))
    order = np.log2(coarse / fine)
    assert ((order > 1.6) & (order < 2.4)).all()


@pytest.mark.parametrize("basis", ["pca", "dct", "fourier"])
def test_walk_is_the_product_of_gains(basis, rng):
    """Arrays pushed with a linear denoiser, against the variances of theory."""
    x = rng.standard_normal((400, 4, 6)).cumsum(axis=2)
    spectrum = ec.Spectrum.from_samples(x, basis=basis)
    assumed = ec.Spectrum(spectrum.variance * 1.5, mean=spectrum.mean, basis=spectrum.basis)
    sampler = ec.Angular(steps=6, spectrum=assumed)

    def clean(y, sigma):
        return spectrum.from_modes(spectrum.to_modes(y) * spectrum.variance / (spectrum.variance + sigma**2))

    noise = spectrum.basis.from_modes(np.eye(24))
    out = sampler.walk(noise * sampler.sigma_max, clean, lambda x, std: x)
    along = spectrum.to_modes(out)
    assert np.allclose(along, np.diag(np.sqrt(sampler.optimal(spectrum.variance))), atol=1e-9)


def test_it_needs_a_spectrum_with_a_basis():
    with pytest.raises(ec.InputError, match="Angular needs the spectrum"):
        ec.Angular().walk(np.ones((2, 3)), lambda x, s: x, lambda x, std: x)
    with pytest.raises(ec.InputError, match="must have a basis"):
        ec.Angular(spectrum=SPECTRUM).walk(np.ones((2, 4)), lambda x, s: x, lambda x, std: x)


def test_a_spectrum_of_other_modes_is_refused():
    with pytest.raises(ec.InputError, match=r"sampler\.spectrum must have the modes"):
        ec.predict(SPECTRUM, sampler=ec.Angular(spectrum=ec.Spectrum([1.0, 0.1])), time=[1.0])


def test_images_with_channels_first_are_sampled_as_others(rng):
    x = rng.standard_normal((200, 4, 4, 2)).cumsum(axis=1)
    spectrum = ec.Spectrum.from_samples(x, basis="dct")
    sampler, noise = ec.Angular(steps=4, spectrum=spectrum), rng.standard_normal((3, 4, 4, 2))
    last = sampler.walk(noise, lambda y, sigma: y / (1 + sigma**2), lambda y, std: y)
    first = sampler.walk(noise.transpose(0, 3, 1, 2), lambda y, sigma: y / (1 + sigma**2), lambda y, std: y)
    assert np.allclose(first.transpose(0, 2, 3, 1), last, atol=1e-12)


def test_noise_of_another_layout_is_refused(rng):
    """(2, 5, 3, 7) has as many numbers as (2, 7, 5, 3), but is neither that nor its channels-first twin (2, 3, 7, 5)."""
    sampler = ec.Angular(steps=3, spectrum=ec.Spectrum.from_samples(rng.standard_normal((400, 7, 5, 3))))
    with pytest.raises(
        ec.InputError, match=r"samples must have the spectrum's shape \(n, 7, 5, 3\), got \(2, 5, 3, 7\)"
    ):
        ec.sample(lambda x, sigma: 0 * x, sampler, torch.randn(2, 5, 3, 7))
    assert ec.sample(lambda x, sigma: 0 * x, sampler, torch.randn(2, 3, 7, 5)).shape == (2, 3, 7, 5)
