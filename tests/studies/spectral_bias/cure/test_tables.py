"""Tests of `eigenclock_studies.spectral_bias.cure.tables`, on planted runs."""

import numpy as np
import pytest
import xarray as xr

import eigenclock as ec
from eigenclock_studies.spectral_bias.cure.arms import Arm, Training
from eigenclock_studies.spectral_bias.cure.methods import EDM_ALONE, MODE, WHITENED
from eigenclock_studies.spectral_bias.cure.pictures import Pictures
from eigenclock_studies.spectral_bias.cure.tables import claims_of, measured_table, speed_table

SOURCE = Pictures("digits")
TRAINING = Training(ec.MLP(8, 2), 8, (10, 20, 40), (80,))
EARLY = Training(ec.MLP(8, 2), 8, (10, 20, 40), (80,), early=(10, 40))


def planted(steps, level, rng):
    """A run whose every number falls as level/step."""
    value = level / np.array(steps, dtype=float) * np.exp(0.01 * rng.standard_normal())
    return xr.Dataset(
        {
            "denoising": (("step", "sigma"), np.tile(value[:, None], 2)),
            "marginal_distance": (("step", "mode"), np.tile(value[:, None], 24)),
            "log_variance": (("step", "mode"), np.tile(value[:, None], 24)),
            "filter_kurtosis": (("step", "filter"), np.tile(value[:, None], 3)),
            "frechet": ("step", value),
            "copies": ("step", 0 * value),
        },
        {
            "step": list(steps),
            "sigma": [0.1, 1.0],
            "filter": ["horizontal difference", "vertical difference", "Laplacian"],
        },
    )


def arms(rng, level=0.25, training=TRAINING):
    made = {}
    for method, scale in ((EDM_ALONE, 1.0), (MODE, level), (WHITENED, 2.0)):
        arm = Arm(SOURCE, "chain", training, method, (0, 1, 2))
        made[arm] = [planted(arm.looks, scale, rng) for _ in range(3)]
    return made


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
