"""Time that counts, against direct sums."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock.comparison.effective_time import EffectiveTime


def test_rates_of_every_step_are_summed():
    rate = np.array([2.0, 2.0, 1.0, 0.5, 0.5])
    clock = EffectiveTime.of(rate, 0.0, 100.0)
    steps = np.arange(6.0)
    assert np.allclose(clock.counts(steps), np.concatenate([[0.0], np.cumsum(rate)]) / 2)
    assert clock.counts(np.array(9.0)) == pytest.approx((rate.sum() + 4 * 0.5) / 2)  # goes on at the last rate
    assert np.allclose(clock.step(clock.counts(np.array([0.5, 3.25, 20.0]))), [0.5, 3.25, 20.0])


def test_a_function_is_integrated():
    clock = EffectiveTime.of(lambda step: 0.5 * (1 + np.cos(np.pi * min(step / 1000, 1))), 0.0, 1e5)
    step = np.array([10.0, 300.0, 999.0])
    exact = step / 2 + 500 / np.pi * np.sin(np.pi * step / 1000)
    assert np.allclose(clock.counts(step), exact, rtol=1e-3)  # trapezoids between 8,000 steps of 100,000
    assert np.isinf(clock.step(np.array(600.0)))  # the cosine ends after 500 in all


def test_an_average_lags_by_its_time_constant():
    clock = EffectiveTime.of(None, 50.0, 1e4)
    weights = 0.98 ** np.arange(20_000)  # of the exponential average: its age is 49 steps in the end
    for step in (10, 100, 5000):
        kept = weights[:step].copy()
        kept[-1] = 1 - (1 - 0.98) * kept[:-1].sum()  # the rest lies on the first weights
        kept[:-1] *= 1 - 0.98
        mean_age = (kept * np.arange(step)).sum()
        assert clock.counts(np.array(float(step))) == pytest.approx(step - mean_age, abs=1.5)
    times = np.array([1.0, 30.0, 400.0, 1e6])
    assert np.allclose(clock.step(clock.counts(times)), times, rtol=1e-6)


def test_rates_to_a_power_are_summed():
    """Under a cosine √rate is cos(πt/2T), whose integral is sin."""
    clock = EffectiveTime.of(lambda step: 0.5 * (1 + np.cos(np.pi * min(step / 1000, 1))), 0.0, 1e5, 0.5)
    step = np.array([10.0, 300.0, 900.0])
    assert np.allclose(clock.counts(step), 2000 / np.pi * np.sin(np.pi * step / 2000), rtol=1e-3)
    assert clock.end == pytest.approx(2000 / np.pi, rel=1e-3)
    assert 900 < clock.step(np.array(clock.end)) <= 1000  # where the rate has nearly ended
    assert EffectiveTime.of(None, 0.0, 1e5).end == np.inf


def test_a_function_that_goes_on_after_its_end_has_ended():
    total = 1000.0
    for schedule in (lambda s: 1 - s / total, lambda s: 0.5 * (1 + np.cos(np.pi * s / total))):
        clock = EffectiveTime.of(schedule, 0.0, 1e5)
        assert clock.counts(np.array(1e5)) == pytest.approx(total / 2, rel=5e-3)
        assert np.isinf(clock.step(np.array(total)))


def test_warm_up_is_in_units_of_the_largest_rate():
    clock = EffectiveTime.of(lambda step: min(step / 100, 1.0), 0.0, 1e4)
    assert clock.counts(np.array([100.0, 1100.0])) == pytest.approx([50.0, 1050.0], rel=1e-2)


def test_errors():
    for schedule, words in (
        ([-1.0, 1.0], "schedule must give rates >= 0, not all 0, got -1 to 1"),
        ([[1.0]], "schedule must be the rate of every step"),
        ([np.nan], "schedule must be"),
    ):
        with pytest.raises(ec.InputError, match=words):
            EffectiveTime.of(schedule, 0.0, 10.0)
