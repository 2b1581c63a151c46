"""Tests of `eigenclock_studies.spectral_bias.cure.tables`, on planted runs."""

import numpy as np
import pytest
from support.cure import EARLY, SOURCE, arms

from eigenclock_studies.spectral_bias.cure.methods import EDM_ALONE, MODE, WHITENED
from eigenclock_studies.spectral_bias.cure.tables import claims_of, measured_table, speed_table


def test_speed_ups_are_the_planted_factor(rng):
    table = speed_table(arms(rng)).set_index(["method", "step"])
    assert table.loc[(MODE.title, 10), "fine"].startswith("4")
    assert "censored" in table.loc[(MODE.title, 40), "fine"]  # EDM's run ends at 80
    assert table.loc[(WHITENED.title, 20), "fine"].startswith("0.5")
    assert table.loc[(WHITENED.title, 20), "denoising"] != table.loc[(WHITENED.title, 20), "denoising"]  # another task


@pytest.mark.parametrize(("level", "outcome"), [(0.25, "shown"), (3.0, "not shown"), (1.0, "inconclusive")])
def test_verdicts_follow_the_numbers(rng, level, outcome):
    claims = claims_of(arms(rng, level), SOURCE)
    assert {claim.verdict.outcome for claim in claims} == {outcome}
    assert claims[0].measures[0].found.value == pytest.approx(level, rel=0.05)
    assert len(claims[0].measures) == 3, "one for every step"


def test_means_and_intervals(rng):
    table = measured_table(arms(rng)).set_index(["method", "step"])
    row = table.loc[(EDM_ALONE.title, 20)]
    assert row["fine_low"] < row["fine"] < row["fine_high"]
    assert row["fine"] == pytest.approx(1 / 20, rel=0.03)
    assert (row["seeds"], row["copies"]) == (3, 0)
    assert row["denoising_0.1"] == pytest.approx(row["denoising"])


def test_an_early_step_is_held_against_a_later_one_of_edm(rng):
    """Four times as good at equal steps: as good at a quarter of them, so that nothing is shown; eight times is shown."""
    for level, outcome in ((0.25, "inconclusive"), (0.125, "shown"), (1.0, "not shown")):
        claims = [one for one in claims_of(arms(rng, level, EARLY), SOURCE) if "after 10 steps" in one.words]
        assert len(claims) == 5
        assert {one.verdict.outcome for one in claims} == {outcome}


def test_modes_without_variance_are_left_out(rng):
    """Distances in their units are not numbers; the others' means are as they were."""
    plain, dead = arms(rng), {}
    for arm, runs in plain.items():
        dead[arm] = [run.copy(deep=True) for run in runs]
        for run in dead[arm]:
            run["marginal_distance"][:, -1] = np.nan
    expected, found = measured_table(plain), measured_table(dead)
    np.testing.assert_allclose(found["fine"], expected["fine"], rtol=1e-12)
