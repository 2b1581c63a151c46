"""Tests of `eigenclock.latents.learning_time` (T22)."""

import numpy as np
import pytest

from eigenclock.latents.learning_time import LearningTime, raw_variances, too_few
from eigenclock.theory.flow_clocks import time_to_learn


def test_white_latents_of_few_samples_read_zero(rng):
    """T22: 4×4×4 white latents at n = 100 read 0, their own variances 1.1."""
    found = LearningTime.of(rng.standard_normal((100, 64)), draws=8)
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.raw > 0.8
    assert found.high < 0.5


def test_interval_holds_the_time_of_the_true_spectrum():
    """A power law at n = 3D, where raw variances read a third too much and cross-validated ones a tenth too little."""
    variance = np.arange(1, 33) ** -1.0
    variance /= variance.mean()
    inside = 0
    for seed in range(6):
        x = np.random.default_rng(seed).standard_normal((96, 32)) * np.sqrt(variance)
        found = LearningTime.of(x, draws=20, seed=seed)
        inside += found.low <= time_to_learn(variance) <= found.high
        assert found.low <= found.value <= found.high < found.raw
    assert inside >= 4  # 95 % asked for; six draws of a true 95 % fall to three in one of 10,000 cases


def test_fewer_samples_than_dimensions_have_every_direction(rng):
    found = LearningTime.of(rng.standard_normal((20, 50)), draws=0)
    assert found.spectrum.size == 50
    assert found.raw_spectrum.size == 19
    assert np.isnan([found.low, found.high]).all()


def test_many_modes_are_thinned(rng):
    x = rng.standard_normal((600, 300)) * np.arange(1, 301) ** -0.25
    found = LearningTime.of(x, draws=2)
    assert found.low <= found.value <= found.high


def test_too_few_samples_keep_their_own(rng):
    x = rng.standard_normal((3, 5))
    found = LearningTime.of(x)
    assert found.value == found.raw == time_to_learn(raw_variances(x))
    assert np.isnan(found.low)
    assert (raw_variances(np.zeros((5, 2))) > 0).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_seeds_repeat(rng, seed):
    x = rng.standard_normal((40, 8))
    one, other = (LearningTime.of(x, draws=3, seed=seed) for _ in range(2))
    assert (one.low, one.high) == (other.low, other.high)


def test_the_true_time_lies_between_the_two_where_samples_are_few():
    """A nearly white spectrum, n = 2D and 5D: cross-validation reads too little of it, the samples' own variances too much."""
    variance = np.arange(1, 33) ** -0.5
    true = time_to_learn(variance / variance.mean())
    for n in (64, 160):
        for seed in range(4):
            x = np.random.default_rng(seed).standard_normal((n, 32)) * np.sqrt(variance / variance.mean())
            found = LearningTime.of(x, draws=8, seed=seed)
            assert found.value < true < found.raw
            assert found.low < true
        assert "t_lin_low and t_lin_raw" in too_few(n, 32)
    assert too_few(320, 32) == ""
