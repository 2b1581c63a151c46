"""Tests of `eigenclock.advice.calibration`: three short trainings, and what follows for the others."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock.advice.calibration import POWER, in_steps, standardised, trained_rows

SAMPLES = np.random.default_rng(0).standard_normal((600, 12)) * np.geomspace(2, 0.1, 12)
RECIPES = [
    ec.EDM(density=ec.LogNormal()),
    ec.EDM(sigma_data=0.2, density=ec.CosineTime()),
    ec.Velocity(density=ec.UniformTime()),
    ec.Epsilon(path="vp", density=ec.BetaSchedule()),
    ec.SpectralEDM(density=ec.LogNormal()),
]


@pytest.fixture(scope="module")
def advice():
    return ec.choose(ec.Spectrum.from_samples(SAMPLES), recipes=RECIPES, standardizations="none")


def test_others_follow_the_three_by_their_units(advice):
    rows = trained_rows(advice)
    assert rows == [1, 2, 3]  # the first is there from the start
    units = advice.table["close_0.25"].to_numpy()
    # networks that take 50·units^POWER steps, give or take a third
    expected = {row: 50 * np.outer(advice.table.iloc[row][["close_0.5", "close_0.25", "close_0.15"]].astype(float) ** POWER, [1, 0.75, 1.5]) for row in rows}  # fmt: skip
    table = in_steps(advice, expected)
    assert table["steps_0.25"].to_numpy() == pytest.approx(50 * units**POWER, rel=1e-9)
    assert table["steps_low_0.25"].to_numpy() == pytest.approx(37.5 * units**POWER, rel=1e-9)
    assert table["steps_0.25"][0] == 0


def test_a_network_is_trained_and_says_its_steps(advice):
    calls = []
    found = ec.calibrate(advice, SAMPLES, steps=60, network=ec.MLP(32, 2), optimizer=ec.Adam(3e-3), progress=lambda *a: calls.append(a))  # fmt: skip
    assert found.table["recipe"].tolist() == advice.table["recipe"].tolist()
    assert {"steps_0.25", "steps_low_0.25", "steps_high_0.25"} <= set(found.table)
    known = found.table.iloc[trained_rows(found)]
    assert (known["steps_low_0.5"] <= known["steps_0.5"]).all()
    assert "On MLP with Adam(lr=0.003), forecast from 60 steps of the first 3: " in str(found)
    assert all(total == 180 for _, total, _ in calls)
    assert "A unit is no step" in str(advice)
    assert "A unit is no step" not in str(found)


def test_samples_are_standardised_as_candidates_say():
    assert np.array_equal(standardised(SAMPLES, "none"), SAMPLES)
    scaled, each = standardised(SAMPLES, "scale"), standardised(np.c_[SAMPLES, np.ones(600)], "pixel")
    assert scaled.std() == pytest.approx(0.5)
    assert scaled.mean() == pytest.approx(0, abs=1e-12)
    assert each.std(axis=0) == pytest.approx([0.5] * 12 + [0.0])


def test_nothing_to_calibrate_is_said(advice):
    from_start = ec.choose(
        ec.Spectrum([1.0]), recipes=[ec.SpectralEDM()], sampler=ec.Euler(steps=3), standardizations="none"
    )
    with pytest.raises(ec.InputError, match="calibration needs a recipe that comes close after some training"):
        ec.calibrate(from_start, SAMPLES[:, :1] / SAMPLES[:, :1].std())
    with pytest.raises(ec.InputError, match=r"samples must have shape \(n, 12"):
        ec.calibrate(advice, SAMPLES[:, :3])
    with pytest.raises(ec.InputError, match="samples must be those of the advice, got 100 times their variance"):
        ec.calibrate(advice, 10 * SAMPLES)
    with pytest.raises(ec.InputError, match="steps must"):
        ec.calibrate(advice, SAMPLES, steps=1)
