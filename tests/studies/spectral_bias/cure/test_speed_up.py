"""Tests of `eigenclock_studies.spectral_bias.cure.speed_up`, on curves whose answer is known."""

import numpy as np
import pytest

from eigenclock_studies.spectral_bias.cure.speed_up import SpeedUp, first_below

STEPS = np.array([10.0, 100.0, 1000.0, 10_000.0])
FALLING = 1 / STEPS


def test_values_between_records_are_logarithmic_in_steps():
    assert first_below(STEPS, np.array([4.0, 3.0, 2.0, 1.0]), 2.5) == (pytest.approx(10**2.5), True)
    assert first_below(STEPS, FALLING, 0.01) == (pytest.approx(100.0), True)
    assert first_below(STEPS, FALLING, 0.5) == (10.0, True)
    assert first_below(STEPS, FALLING, 1e-9) == (10_000.0, False)


def test_a_method_that_is_three_times_as_fast_is_so_at_every_point():
    """Straight lines in ln steps, each seed of the method exactly three times as fast: factor 3 and no width."""
    edm = [(STEPS, 10 - np.log(STEPS)) for _ in range(3)]
    ours = [(STEPS, 10 - np.log(3 * STEPS)) for _ in range(3)]
    for step in (10, 100, 1000):
        found = SpeedUp.at(step, ours, edm)
        assert (found.value, found.censored) == (pytest.approx(3.0), 0)
        assert found.high - found.low < 1e-9
    late = SpeedUp.at(10_000, ours, edm)
    assert (late.value, late.censored) == (1.0, 3)  # EDM's run ended: at least that
    assert str(late) == "≥ 1 (3 of 3 censored)"


def test_intervals_are_students():
    factors = np.array([2.0, 3.0, 4.5])
    edm = [(STEPS, 10 - np.log(STEPS)) for _ in factors]
    ours = [(STEPS, 10 - np.log(f * STEPS)) for f in factors]
    found = SpeedUp.at(100, ours, edm)
    reach = 4.302653 * np.log(factors).std(ddof=1) / np.sqrt(3)
    assert found.value == pytest.approx(3.0)
    assert np.log(found.high / found.value) == pytest.approx(reach, rel=1e-6)


def test_one_seed_has_no_interval():
    found = SpeedUp.at(100, [(STEPS, 10 - np.log(2 * STEPS))], [(STEPS, 10 - np.log(STEPS))])
    assert str(found) == "2"
