"""Tests of `eigenclock_studies.spectral_bias.cure.judging`: denoisers whose score is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import eigenclock as ec
from eigenclock_studies.spectral_bias.cure.judging import SIGMA, Judging, control, judged
from eigenclock_studies.spectral_bias.cure.pictures import SIGMA_DATA, Pictures

SOURCE = Pictures("digits", n=400)


@pytest.fixture(scope="module")
def known():
    return SOURCE.known()


def gaussian(known):
    """The best Gaussian denoiser, as a network would be called."""
    variance = known.spectrum.variance

    def denoise(x, sigma):
        along = known.modes.to_modes(x.double().numpy() - known.centre)
        clean = known.centre + known.modes.from_modes(along * variance / (variance + float(sigma) ** 2))
        return torch.as_tensor(clean, dtype=x.dtype)

    return denoise


def test_the_best_gaussian_denoiser_scores_one(known, tmp_path):
    look = Judging(SOURCE, (10,), samples=64, feature_steps=5)
    look(tmp_path, 10, gaussian(known), None)
    found = judged(tmp_path, look)
    assert np.allclose(found["denoising"], 1.0, atol=1e-5)
    ratio = ec.Heun(40).optimal(known.spectrum.variance) / known.spectrum.variance
    assert np.allclose(found["log_variance"][0], np.log(ratio), atol=0.01)  # balanced noise, a linear denoiser
    assert found["sigma"].values.tolist() == list(SIGMA)
    assert found.sizes["image"] == 16


def test_no_denoising_scores_what_it_must(known, tmp_path):
    """D(y) = y leaves σ² per coordinate; the Gaussian leaves Σ λσ²/(λ+σ²) on average."""
    look = Judging(SOURCE, (10,), samples=16, feature_steps=5)
    ratio = look._denoising(known, lambda x, sigma: x)
    along = known.modes.to_modes(known.held_out - known.centre)
    lam = known.spectrum.variance
    for found, sigma in zip(ratio, SIGMA, strict=True):
        keep = lam / (lam + sigma**2)
        best = (((1 - keep) * along) ** 2).sum(axis=1).mean() + (keep**2).sum() * sigma**2
        assert found == pytest.approx(lam.size * sigma**2 / best, rel=0.05)  # 100 images' noise


def test_samples_of_whitened_runs_are_carried_back(known, tmp_path):
    look = Judging(Pictures("digits", n=400, whitened=True), (10,), samples=64, feature_steps=5)
    variance = SIGMA_DATA**2
    look(tmp_path, 10, lambda x, sigma: x * variance / (variance + sigma**2), None)
    found = judged(tmp_path, look)
    assert np.allclose(found["denoising"], 1.0, atol=1e-5)
    bias = np.log(ec.Heun(40).optimal(np.array([variance]))[0] / variance)
    assert np.allclose(found["log_variance"][0], bias, atol=0.01)


def test_a_look_is_not_taken_twice(known, tmp_path):
    look = Judging(SOURCE, (10,), samples=16, feature_steps=5)
    look(tmp_path, 10, gaussian(known), None)
    look(tmp_path, 10, None, None)


def test_what_was_judged_by_other_settings_is_not_passed_on(known, tmp_path):
    look = Judging(SOURCE, (10,), samples=16, feature_steps=5)
    look(tmp_path, 10, gaussian(known), None)
    with pytest.raises(ec.InputError, match="past step 20 without being judged"):
        judged(tmp_path, replace(look, steps=(10, 20)))
    other = replace(look, samples=32)
    with pytest.raises(ec.InputError, match="past step 10 without being judged there by these settings"):
        judged(tmp_path, other)
    other(tmp_path, 10, gaussian(known), None)
    assert judged(tmp_path, other).sizes["step"] == 1


def test_features_tell_images_from_gaussian_ones():
    """Held-out images are nearer to the data than Gaussian ones of the same covariance."""
    found = control(SOURCE, 80, 150)
    assert found["frechet_gaussian"] > 3 * found["frechet_held_out"]
    assert found["copies_held_out"] <= 0.05
