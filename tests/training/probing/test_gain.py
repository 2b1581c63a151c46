"""Tests of `eigenclock.training.probing.gain`."""

import numpy as np
import pytest
import torch

import eigenclock as ec
from eigenclock.training.probing.gain import gain_and_r2, gain_record, log_variance_error, sample_alignment


def test_gain_and_r2_of_known_samples(rng):
    y = rng.standard_normal((50_000, 2))
    out = np.column_stack([0.3 * y[:, 0], 0.5 * y[:, 1] + 0.5 * rng.standard_normal(50_000)])
    gain, r2 = gain_and_r2(out, y)
    np.testing.assert_allclose(gain, [0.3, 0.5], atol=0.015)  # five standard errors
    np.testing.assert_allclose(r2, [1.0, 0.5], atol=0.015)


@pytest.mark.parametrize(("n", "m"), [(40, 100), (300, 20)])
def test_alignment_of_few_samples(rng, n, m):
    """Unbiased where the plain ratio is not; near divergences.alignment where samples are many."""
    scale = np.geomspace(1, 0.1, m)
    aligned = np.mean([sample_alignment(rng.standard_normal((n, m)) * scale) for _ in range(40)])
    assert aligned > 0.93
    mixed = rng.standard_normal((20_000, 3)) @ np.array([[1.0, 0.8, 0], [0, 0.6, 0], [0, 0, 1]])
    expected = ec.divergences.alignment(np.cov(mixed.T))
    assert abs(sample_alignment(mixed) - expected) < 1e-3
    assert np.isnan(sample_alignment(mixed[:3]))


def test_error_of_the_variance_of_balanced_samples(rng):
    """Of samples a·z + b·w, z balanced and w fresh, over many draws of w: √(2(1 − R⁴)/n) of ln variance; 0 of a linear model."""
    n, draws, share = 200, 400, np.array([1.0, 0.8, 0.3, 0.0])
    z = rng.standard_normal((n, 4))
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    made = [np.sqrt(share) * z + np.sqrt(1 - share) * rng.standard_normal((n, 4)) for _ in range(draws)]
    seen = np.std([np.log(one.var(axis=0)) for one in made], axis=0)
    said = np.sqrt(np.mean([log_variance_error(one, z) ** 2 for one in made], axis=0))
    assert said[0] == pytest.approx(0, abs=1e-6)  # a root of rounding
    np.testing.assert_allclose(seen[1:], said[1:], rtol=4 / np.sqrt(2 * draws))


@pytest.mark.parametrize("modes", [6, 4])
def test_losses_of_training_and_held_out_samples(rng, modes):
    """As NumPy has them, of a denoiser that is not linear; of as many training samples as there are held out, under one noise."""
    basis = np.linalg.qr(rng.standard_normal((6, 6)))[0][:modes]
    clean, noise, held_out = (rng.standard_normal((n, 2, 3)) for n in (11, 11, 7))
    sigma = np.array([0.3, 2.0])
    found = gain_record(
        lambda x, level: torch.tanh(x) / (1 + level),
        tuple(map(torch.tensor, (clean, noise, held_out))),
        sigma,
        lambda x: x.reshape(len(x), -1) @ basis.T,
        4,
    )
    for name, x in (("train", clean[:7]), ("test", held_out)):
        missed = np.array([(np.tanh(x + s * noise[:7]) / (1 + s) - x).reshape(7, 6) for s in sigma])
        expected = np.mean((missed @ basis.T) ** 2, axis=1).T
        np.testing.assert_allclose(found[f"{name}_loss"], expected, rtol=1e-12)
        null = f"{name}_null_loss"
        assert (null in found) == (modes < 6)
        if modes < 6:
            rest = missed - missed @ basis.T @ basis
            np.testing.assert_allclose(found[null], (rest**2).sum(axis=2).mean(axis=1) / 2, rtol=1e-10)
    assert found["gain"].shape == (modes, 2)
    alone = gain_record(
        lambda x, level: x, (torch.tensor(clean), torch.tensor(noise)), sigma, lambda x: x.reshape(len(x), -1), 4
    )
    assert set(alone) == {"gain", "gain_r2", "denoising_error"}


def seen_of(denoiser, spectrum, **options):
    """What a probe of one record finds, by name."""
    probe = ec.Probe(spectrum, sampler=ec.Heun(steps=40), steps=[1], sigma=(), **options)
    probe(0, denoiser)
    return {name: values.values for name, values in probe.curve().dataset.data_vars.items()}


def test_linear_models_make_no_kurtosis():
    """The theory's control (T21), right from the start or not: four standard errors of Gaussian samples, and their bias."""
    n, spectrum = 3000, ec.Spectrum.from_power(np.ones((4, 4)))
    for size in (1.0, 0.3):
        found = seen_of(lambda x, sigma, size=size: size * x / (1 + sigma**2), spectrum, n_samples=n)
        assert np.abs(found["kurtosis"] + 6 / n).max() < 4 * np.sqrt(24 / n)
        assert np.abs(found["filter_kurtosis"]).max() < 4 * np.sqrt(24 / n)  # and of more than n places
        assert not found["data_kurtosis"].any()
        assert not found["data_filter_kurtosis"].any()


def test_a_right_linear_model_is_as_far_as_sampling_leaves_it():
    """Balanced noise leaves less than independent samples; a model of 1.5 times the spread is half of E|z| away, √(2/π)/2."""
    spectrum, n = ec.Spectrum(np.full(50, 0.25)), 500
    right = seen_of(lambda x, sigma: x * 0.25 / (0.25 + sigma**2), spectrum, n_samples=n)
    assert 0.4 < np.median(right["marginal_distance"] / right["marginal_floor"]) < 1
    wide = seen_of(lambda x, sigma: x * 0.5625 / (0.5625 + sigma**2), spectrum, n_samples=n)
    sampler = ec.Heun(steps=40)
    made = sampler.variance((0.5625 / (0.5625 + sampler.levels**2))[None, None])[0, 0]
    expected = (np.sqrt(made / 0.25) - 1) * np.sqrt(2 / np.pi)
    # the outermost of 64 quantiles, of 500 samples at that, lie within the tails: 0.4 % each of E|z|
    assert wide["marginal_distance"].mean() == pytest.approx(expected, rel=0.03)


def test_two_points_are_the_least_gaussian():
    """The optimal denoiser of ±1, tanh(y/σ²), ends at the two points: kurtosis 1/(p(1 − p)) − 6 at a share p of ones."""
    data = np.tile([[-1.0], [1.0]], (500, 1))
    found = seen_of(lambda x, sigma: torch.tanh(x / sigma**2), ec.Spectrum([1.0]), n_samples=400, data=data)
    assert found["data_kurtosis"] == [-2.0]
    share = (1 + found["generated_mean"][0, 0]) / 2
    assert abs(share - 0.5) < 4 * 0.5 / np.sqrt(400)
    assert found["kurtosis"][0, 0] == pytest.approx(1 / (share * (1 - share)) - 6, abs=0.01)
    assert found["marginal_distance"][0, 0] < 4 * found["marginal_floor"][0]
