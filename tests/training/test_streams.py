"""Tests of `eigenclock.training.streams`."""

import numpy as np
import torch

import eigenclock as ec
from eigenclock.training.streams import RandomPairs


def test_every_epoch_holds_every_sample_once():
    pairs = RandomPairs(torch.arange(10.0)[:, None], 4, None, (0.1, 10.0), 0)
    rows = np.concatenate([pairs.rows(step) for step in range(5)])
    assert sorted(rows[:10]) == sorted(rows[10:]) == list(range(10))
    assert (rows[:10] != rows[10:]).any()
    large = RandomPairs(torch.arange(3.0)[:, None], 8, None, (0.1, 10.0), 0)
    assert np.bincount(large.rows(0), minlength=3).tolist() == [3, 3, 2] or sorted(np.bincount(large.rows(0))) == [
        2,
        3,
        3,
    ]


def test_noise_levels_follow_the_density():
    pairs = RandomPairs(torch.zeros(4, 1), 20_000, ec.LogNormal(-1.2, 1.2), (0.1, 10.0), 0)
    log = np.log(pairs.levels(0))
    assert abs(log.mean() + 1.2) < 4 * 1.2 / np.sqrt(20_000)
    assert abs(log.std() - 1.2) < 4 * 1.2 / np.sqrt(40_000)
    even = np.log(RandomPairs(torch.zeros(4, 1), 20_000, None, (0.1, 10.0), 0).levels(0))
    assert even.min() >= np.log(0.1)
    assert even.max() <= np.log(10.0)
    assert abs(even.mean()) < 4 * even.std() / np.sqrt(20_000)
    assert not np.array_equal(pairs.levels(0), pairs.levels(1))
    clean, sigma, noise = pairs(0)
    assert (len(clean), len(sigma), len(noise)) == (20_000,) * 3
    assert torch.equal(noise, pairs(0)[2])
    assert not torch.equal(noise, pairs(1)[2])
