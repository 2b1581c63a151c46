"""What a probe costs: counted one by one, and within its share of training."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock.training.probing.cadence import FEWEST, GAIN_SAMPLES, MOST, Passes, cost_in_words, training_passes

KINDS = {
    "sampler": Passes(79, 0, 0, None, None, 0),
    "gain": Passes(39, 0, 16, None, None, 0),
    "few data": Passes(39, 0, 16, None, 300, 0),
    "gain of a number": Passes(9, 0, 8, 100, None, 0),
    "held out": Passes(9, 0, 8, None, 4000, 200),
    "others": Passes(9, 512, 8, None, None, 0),
}


def counted(passes, n):
    """Samples that go through the denoiser, one reason after the other."""
    clean = passes.gain_samples or min(n, GAIN_SAMPLES)
    clean = clean if passes.data is None else min(clean, passes.data)
    return passes.sampler * n + passes.others * max(2, n // 4) + passes.levels * (clean + min(clean, passes.test))


@pytest.mark.parametrize("kind", KINDS)
def test_passes_of_one_number_and_of_many(kind):
    passes, n = KINDS[kind], np.arange(2, 3000, 7)
    assert passes(n).tolist() == [counted(passes, int(one)) for one in n]
    assert passes(65) == counted(passes, 65)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("last", "batch"), [(20_000, 256), (100_000, 64), (50_000, None), (300_000, 512)])
def test_as_many_samples_as_the_budget_allows(kind, last, batch):
    passes, steps = KINDS[kind], np.union1d([0], ec.log_steps(1, last, 32))
    training = 3 * (batch or 64) * last
    n = passes.within(0.02, steps, batch)
    assert FEWEST <= n <= MOST
    assert n == FEWEST or counted(passes, n) * steps.size <= 0.02 * training
    assert n == MOST or counted(passes, n + 1) * steps.size > 0.02 * training


def test_never_fewer_than_64_and_never_more_than_2048():
    passes = KINDS["gain"]
    assert passes.within(1e-300, np.array([0, 10]), 8) == 64
    assert passes.within(0.02, np.array([0]), None) == 64  # nothing but the untrained model
    assert passes.within(1e300, np.array([0, 10]), 8) == 2048
    assert training_passes(np.array([0]), 5) == training_passes(np.array([0, 1]), 5) == 15


def test_words_of_the_share():
    steps = np.array([0, 1, 1000])
    words = cost_in_words(1280, steps, 64, 128, 0.02)
    assert words == (
        "a probed step costs 1,280 passes of the denoiser, as much as 3.33 training steps of batch 128; 3 steps are probed, "
        "n_samples=64: 1 % of training up to step 1,000"
    )
    over = cost_in_words(12_800, steps, 64, None, 0.02)
    assert over == (
        "a probed step costs 12,800 passes of the denoiser, as much as 66.7 training steps of batch 64 (another: batch_size=); "
        "3 steps are probed, n_samples=64: 20 % of training up to step 1,000, more than its budget of 2 %: no fewer than 64 "
        "samples are drawn"
    )
    assert cost_in_words(12_800, steps, 64, None, None).endswith("20 % of training up to step 1,000")
