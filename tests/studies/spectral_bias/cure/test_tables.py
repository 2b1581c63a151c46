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


@pytest.mark.parametrize(("level", "verdict"), [(0.25, "shown at every point"), (3.0, "not shown (higher at 3 of 3)")])
def test_verdicts_follow_the_numbers(rng, level, verdict):
    claims = claims_of(arms(rng, level), SOURCE, judged=True)
    assert {claim["verdict"] for claim in claims} == {verdict}
    assert float(claims[0]["here"].split()[1]) == pytest.approx(level, rel=0.05)
    assert {claim["verdict"] for claim in claims_of(arms(rng), SOURCE, judged=False)} == {
        "inconclusive (the preset tiny judges nothing)"
    }


def test_the_same_is_not_shown(rng):
    made = arms(rng, 1.0)
    assert {claim["verdict"] for claim in claims_of(made, SOURCE, judged=True)} == {
        "inconclusive (the interval holds 1)"
    }


def test_means_and_intervals(rng):
    table = measured_table(arms(rng)).set_index(["method", "step"])
    row = table.loc[(EDM_ALONE.title, 20)]
    assert row["fine_low"] < row["fine"] < row["fine_high"]
    assert row["fine"] == pytest.approx(1 / 20, rel=0.03)
    assert (row["seeds"], row["copies"]) == (3, 0)
    assert row["denoising_0.1"] == pytest.approx(row["denoising"])


def test_an_early_step_is_held_against_a_later_one_of_edm(rng):
    """Four times as good at equal steps: as good at a quarter of them, so that nothing is shown; eight times is shown."""
    for level, verdict in (
        (0.25, "inconclusive (the interval holds 1)"),
        (0.125, "shown"),
        (1.0, "not shown (higher at 1 of 1)"),
    ):
        claims = [
            one for one in claims_of(arms(rng, level, EARLY), SOURCE, judged=True) if "after 10 steps" in one["claim"]
        ]
        assert len(claims) == 5
        assert {one["verdict"] for one in claims} == {verdict}


def test_modes_without_variance_are_left_out(rng):
    """Distances in their units are not numbers; the others' means are as they were."""
    plain, dead = arms(rng), {}
    for arm, runs in plain.items():
        dead[arm] = [run.copy(deep=True) for run in runs]
        for run in dead[arm]:
            run["marginal_distance"][:, -1] = np.nan
    expected, found = measured_table(plain), measured_table(dead)
    np.testing.assert_allclose(found["fine"], expected["fine"], rtol=1e-12)
