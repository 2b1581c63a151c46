"""Tests of `eigenclock.training.probing.doubts`: what is said, and that nothing is said of what is right."""

import numpy as np
import pytest
import torch

import eigenclock as ec

DATA = np.random.default_rng(0).standard_normal((300, 8)) * 0.5
SPECTRUM = ec.Spectrum.from_samples(DATA)


def said(caplog, denoiser, steps=(0, 1, 2)):
    caplog.clear()
    probe = ec.Probe(SPECTRUM, data=DATA, sampler=ec.Heun(steps=4), steps=[1, 2, 3], n_samples=64)
    for step in steps:
        probe(step, denoiser)
    return [record.getMessage() for record in caplog.records if "the denoiser is" in record.getMessage()]


def best_noise(x, sigma):
    """The best prediction of the noise for variance 1/4, of the variance-preserving input."""
    level = sigma.reshape(-1, *[1] * (x.ndim - 1))
    return x * level * (1 + level**2).sqrt() / (0.25 + level**2)


def test_right_denoisers_are_not_doubted(caplog):
    right = ec.as_denoiser(best_noise, ec.Epsilon(path="vp"))
    assert said(caplog, right) == []
    assert said(caplog, lambda x, sigma: 0.25 * x / (0.25 + sigma**2)) == []
    assert said(caplog, lambda x, sigma: x) == []  # knows nothing, which is where training begins
    assert said(caplog, lambda x, sigma: 0 * x) == []


@pytest.mark.parametrize("objective", [ec.EDM(), ec.Denoising()], ids=["EDM", "x0"])
def test_a_network_that_predicts_something_else_is_doubted_once(caplog, objective):
    """What it gives is noise of size one where little noise, or what is left of the data, is wanted."""
    wrong = ec.as_denoiser(lambda x, sigma: 10 * torch.sign(best_noise(x, sigma)), objective)
    found = said(caplog, wrong)
    assert len(found) == 1
    assert found[0].startswith("step 1: at noise level")
    assert "objective, condition and scale" in found[0]


def test_a_training_that_begins_again_is_said_once(caplog):
    right = ec.as_denoiser(best_noise, ec.Epsilon(path="vp"))
    probe = ec.Probe(SPECTRUM, data=DATA, sampler=ec.Heun(steps=4), steps=[1, 2, 3], n_samples=64)
    for _ in range(3):
        for step in range(3):
            probe(step, right)
    again = [record.getMessage() for record in caplog.records if "comes again" in record.getMessage()]
    assert again == [
        "step 0 comes again: a new training needs a new Probe, this one records nothing before its last step"
    ]
    assert probe.recorded == 3


def test_the_denoising_error_is_recorded():
    gain = 0.25 / (0.25 + np.array([0.5, 2.0]) ** 2)
    probe = ec.Probe(
        SPECTRUM, data=DATA, sampler=ec.Heun(steps=4), steps=[1], n_samples=64, sigma=[0.5, 2.0], gain_samples=300
    )
    probe(0, lambda x, sigma: 0.25 * x / (0.25 + sigma**2))
    error = probe.curve().dataset["denoising_error"].values[0]
    wanted = ((1 - gain) ** 2 * 0.25 + gain**2 * np.array([0.5, 2.0]) ** 2) * 8  # bias and noise of a linear gain
    np.testing.assert_allclose(
        error, wanted, rtol=0.15
    )  # of 300 x 8 squares: two standard errors of sqrt(2/2400), both terms
