"""Tests of `eigenclock.latents.refine`: planted records, whose passages and false alarms mathematics knows."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock.latents.refine import real_distances, refine_passage, scatter

STEP = np.array([0.0, 1, 2, 4, 6, 9, 15, 24, 38, 60])
REAL = 0.05 + 0.003 * np.array([-1.0, 0.0, 1.0, 0.5, -0.5])


def test_a_learner_is_timed():
    """floor + A·e^{−t/τ} passes its tenth at τ·ln 10; records 60 per decade, and the rule of two in a row."""
    step = np.geomspace(1, 1000, 181)
    error = 0.052 + 0.3 * np.exp(-step / 50)
    start = np.exp(-step[0] / 50)
    found = refine_passage(step, error, 0.1, real=REAL)
    assert found.time[0] == pytest.approx(50 * np.log(10 / start), rel=0.02)
    assert found.reason == ""
    noisy = error + 0.003 * np.random.default_rng(0).standard_normal(step.size)
    assert refine_passage(step, noisy, 0.1, real=REAL).time[0] == pytest.approx(50 * np.log(10), rel=0.2)


def test_a_fall_of_two_per_cent_far_from_the_data_is_none():
    """A flat last fifth of a run that has learned nothing; nor is it one where nothing is known of real draws."""
    error = np.linspace(0.3246, 0.3177, 10)
    found = refine_passage(STEP, error, 0.1, real=REAL)
    assert found.status == ["right-censored"]
    assert found.low[0] == 60
    assert "its floor 0.318 is 6.36 times the distance 0.05 of two real draws, above 2" in repr(found)
    unknown = refine_passage(STEP, error, 0.1)
    assert (unknown.status, unknown.reason) == (["unknown"], "the distance of two real draws is not known")
    assert refine_passage(STEP, error, 0.1, real=[]).reason == unknown.reason


@pytest.mark.parametrize("spread", [0.003, 0.0], ids=["real draws scatter as records do", "real draws say nothing"])
def test_noise_alone_is_reached_in_less_than_one_per_cent(spread):
    """400 records of noise about what real draws score: at 1 %, more than ten are a case in a thousand."""
    rng, reached = np.random.default_rng(0), 0
    for _ in range(400):
        real = 0.32 + spread * rng.standard_normal(20)
        reached += refine_passage(STEP, 0.32 + 0.003 * rng.standard_normal(10), 0.1, real=real).hit[0]
    assert reached <= 10


def test_scatter_about_what_real_draws_score_is_no_fall():
    """The tail of a run on a circle, from 0.106 to 0.094 about 0.104 of real draws: there is nothing left to fall to."""
    step = np.geomspace(1, 6000, 30)
    error = np.append(np.geomspace(0.48, 0.11, 24), [0.112, 0.106, 0.121, 0.112, 0.1, 0.094])
    assert refine_passage(step, error, 0.1, real=[0.084, 0.104, 0.124]).hit[0]
    assert "last records still fall" in refine_passage(step, error, 0.1, real=[0.07, 0.075, 0.08]).reason


def test_a_fall_that_is_none_says_why():
    real = [0.32, 0.323, 0.317]
    falls = refine_passage(STEP, np.array([0.336, *[0.32, 0.323] * 4, 0.32]), 0.1, real=real)
    assert "it falls by 0.0145, within 5 standard deviations of the records, 0.00" in falls.reason
    wide = refine_passage(STEP, np.array([0.33, *[0.32, 0.3201] * 4, 0.32]), 0.1, real=[0.30, 0.32, 0.34])
    assert "it falls by 0.00995, within 3 standard deviations of real draws, 0.02" in wide.reason
    still = refine_passage(STEP, np.linspace(1, 0.1, 10), 0.1, real=[0.1])
    assert still.reason == "its floor is not reached: the last records still fall"
    assert "not finite" in refine_passage(STEP, np.full(10, np.inf), 0.1, real=real).reason
    assert refine_passage(STEP, np.full(10, np.inf), 0.1, real=real).status == ["unknown"]


def test_good_from_the_first_record_is_not_late():
    """The density was there before the first step: no time can be later than the end; nor where noise hides the start."""
    found = refine_passage(STEP, np.full(10, 0.3), 0.1, real=[0.3])
    assert (found.status, found.low[0], found.high[0]) == (["left-censored"], 0, 1)
    assert refine_passage(STEP + 5, np.full(10, 0.3), 0.1, real=[0.3]).high[0] == 5
    noisy = np.array([0.7, 0.3, 0.6, 0.3, 0.5, 0.3, 0.6, 0.3, 0.6, 0.5])
    assert refine_passage(STEP, noisy, 0.1, real=[0.3]).status == ["unknown"]


def test_a_run_that_still_falls_passes_no_sooner_than_a_longer_one():
    """e^{−t/τ} + floor cut off early: what is known of the passage is a lower bound of that of the whole run."""
    step = np.geomspace(1, 1000, 181)
    error = 0.05 + 3 * np.exp(-step / 50)
    whole = refine_passage(step, error, 0.1, real=REAL).time[0]
    cut = step < 180
    part = refine_passage(step[cut], error[cut], 0.1, real=np.full(5, 0.3))
    assert (part.status, part.reason[:22]) == (["right-censored"], "its floor is not reach")
    assert 0.5 * whole < part.low[0] < whole


def test_within_says_how_near_the_data_a_floor_must_be():
    error = 0.15 + 0.8 * np.exp(-STEP / 3)
    assert not refine_passage(STEP, error, 0.1, real=REAL).hit[0]  # 3 times what real draws score
    assert refine_passage(STEP, error, 0.1, real=REAL, within=4.0).hit[0]
    with pytest.raises(ec.InputError, match="within must be a finite number > 0, got 0"):
        refine_passage(STEP, error, 0.1, real=REAL, within=0)
    with pytest.raises(ec.InputError, match="real must be distances of real draws >= 0, got -1"):
        refine_passage(STEP, error, 0.1, real=[-1.0])


def test_scatter_is_that_of_the_noise_not_of_the_course(rng):
    """Second differences of white noise have six times its variance, those of a straight course none."""
    noise = 0.1 * rng.standard_normal(4000)
    assert scatter(noise + np.linspace(5, 0, 4000)) == pytest.approx(0.1, rel=0.05)
    assert scatter(np.linspace(5, 0, 50)) == pytest.approx(0, abs=1e-12)


def test_real_draws_score_what_order_statistics_say():
    """Two samples of n uniform numbers: E W₂² = 2·mean variance of order statistics = 1/(3(n + 1))."""
    rng, n = np.random.default_rng(0), 40
    squares = [real_distances(rng.random((4000, 1)), rng.random((n, 1)), draws=5, seed=k) ** 2 for k in range(200)]
    mean = np.mean(squares, axis=1)
    assert mean.mean() == pytest.approx(1 / (3 * (n + 1)), abs=4 * mean.std() / np.sqrt(200))
    assert (
        len(real_distances(rng.random((10, 2)), rng.random((30, 2)), draws=3)) == 3
    )  # fewer to draw from than to judge by
