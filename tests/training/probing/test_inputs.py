"""What a probe feeds a denoiser."""

import numpy as np
import pytest
import scipy.stats

import eigenclock as ec
from eigenclock.checks import InputWarning
from eigenclock.training.probing.inputs import (
    balanced_noise,
    checked_data,
    facts_of,
    gaussian_data,
    marginals_of,
    to_modes,
)


@pytest.mark.parametrize("basis", ["pca", "fourier"])
def test_balanced_noise_has_the_moments_of_noise_exactly(rng, basis):
    """Along every mode, to the rounding of a rotation; beyond the modes it is as it was drawn."""
    spectrum = ec.Spectrum.from_samples(rng.standard_normal((30, 6, 6)), basis=basis)
    noise = balanced_noise(spectrum, (6, 6), 50, 0, 0)
    along = to_modes(spectrum, noise)
    np.testing.assert_allclose(along.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(along.std(axis=0), 1, rtol=1e-12)
    other = balanced_noise(spectrum, (6, 6), 50, 0, 1)
    assert abs(np.corrcoef(noise.ravel(), other.ravel())[0, 1]) < 5 / np.sqrt(noise.size)


def test_gaussian_data_are_of_the_spectrum(rng):
    spectrum = ec.Spectrum.from_samples(rng.standard_normal((200, 4)) * [3.0, 2.0, 1.0, 0.5] + 5)
    along = spectrum.to_modes(gaussian_data(spectrum, 20_000, 0))
    np.testing.assert_allclose(along.var(axis=0), spectrum.variance, rtol=5 * np.sqrt(2 / 20_000))
    np.testing.assert_allclose(along.mean(axis=0) / np.sqrt(spectrum.variance), 0, atol=5 / np.sqrt(20_000))


def test_data_are_drawn_with_the_seed_and_named_in_errors(rng):
    spectrum, x = ec.Spectrum(np.ones(3)), rng.standard_normal((5000, 3))
    chosen = checked_data("test", spectrum, (3,), x, 1)
    assert len(chosen) == 4096
    assert {tuple(row) for row in chosen} < {tuple(row) for row in x}
    assert (chosen == checked_data("test", spectrum, (3,), x, 1)).all()
    with pytest.raises(ec.InputError, match=r"test must hold samples of shape \(3,\), got \(2,\)"):
        checked_data("test", spectrum, (3,), x[:, :2], 1)
    with pytest.raises(ec.InputError, match="test must hold at least 2 samples, got 1"):
        checked_data("test", spectrum, (3,), x[:1], 1)
    with pytest.warns(InputWarning, match=r"test do not fit the spectrum: [89]\.?\d* times its variance"):
        checked_data("test", spectrum, (3,), 3 * x, 1)


def test_facts_are_those_of_the_data(rng):
    images = rng.exponential(size=(400, 3, 3))
    spectrum = ec.Spectrum.from_samples(images)
    facts = facts_of(marginals_of(spectrum, images), (3, 3), images, 100, 0)
    np.testing.assert_allclose(facts["data_kurtosis"], scipy.stats.kurtosis(spectrum.to_modes(images)), rtol=1e-9)
    assert facts["data_filter_kurtosis"][0] == pytest.approx(scipy.stats.kurtosis(np.diff(images, axis=2), axis=None))
    assert facts["marginal_floor"].shape == (9,)
    none = facts_of(marginals_of(spectrum, None), (3, 3), None, 100, 0)
    assert not none["data_kurtosis"].any()
    assert not none["data_filter_kurtosis"].any()
    assert "data_filter_kurtosis" not in facts_of(marginals_of(ec.Spectrum([1.0]), None), (1,), None, 100, 0)
