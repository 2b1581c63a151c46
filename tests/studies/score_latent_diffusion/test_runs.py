"""Tests of `eigenclock_studies.score_latent_diffusion.runs`."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import eigenclock as ec
from eigenclock_studies.score_latent_diffusion.runs import (
    Run,
    case,
    config_of,
    excess_case,
    held_out,
    small,
    validation_distance,
)


def test_case_is_a_function_of_the_seed():
    run = replace(small(Run()), steps=(30, 20))
    first, again = case(run, 0), case(run, 0)
    xr.testing.assert_identical(first, again)
    assert not first.equals(case(run, 1))
    assert {"rho", "clean", "clean_bayes", "jacobian", "risk_at", "sw2", "off", "sw2_val", "sw2_real"} <= set(first)


@pytest.mark.parametrize("arm", ["sild", "ambient"])
def test_excess_falls_as_a_denoiser_is_trained(arm):
    """Positive, and below that of a hundredth of the steps."""
    run = replace(small(Run()), arm=arm, generate=False, n=256, samples=120, width=32, lr=5e-3)
    brief, longer = (float(excess_case(replace(run, steps=(steps, 1)), 0)["excess"]) for steps in (3, 300))
    assert 0 < longer < brief / 2


def test_budgets_and_splits():
    """The ambient arm has the steps of the first stage; held-out points are others of the same data."""
    assert config_of(replace(Run(), arm="ambient", steps=(7, 9)), 0).stage2_steps == 7
    assert config_of(replace(Run(), steps=(7, 9)), 0).stage2_steps == 9
    assert config_of(replace(Run(), generate=False), 0).stage2_steps == 1
    train, rest, data = held_out(replace(Run(), n=30), 20, 0)
    assert (len(train), len(rest), len(data.x)) == (30, 20, 50)
    with pytest.raises(ec.InputError, match="arm must be one of 'sild', 'ae', 'vae', 'ambient', got 'wae'"):
        Run(arm="wae")


def test_the_validation_distance_is_a_mean_over_sets(rng):
    """Three sets of which one is moved: a third of that set's distance comes on top; what does not fill a set is left out."""
    val = rng.standard_normal((50, 4))
    sets = np.concatenate([val, val, val + 3.0, val[:9] + 100.0])
    alone = validation_distance(val + 3.0, val)
    assert alone > 3
    assert validation_distance(sets, val) == pytest.approx(alone / 3)
    assert validation_distance(val[:20], val) == 0
