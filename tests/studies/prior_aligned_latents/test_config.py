"""Tests of `eigenclock_studies.prior_aligned_latents.config`."""

import pytest

import eigenclock as ec
from eigenclock_studies.prior_aligned_latents import PriorLatentsConfig, recode


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: recode("coupling", (3, 2, 2), seed=0, omega=1.0), "d must be even for a coupling, got 3"),
        (lambda: recode("coupling", (4, 2, 2), seed=0, omega=-1.0), "omega must be a finite number > 0, got -1.0"),
        (
            lambda: recode("coupling", (4, 2, 2), seed=0),
            "omega must be given for a coupling and only there, got None for coupling",
        ),
        (lambda: recode("rotation", 4, seed=0, omega=1.0), "omega must be given for a coupling and only there"),
        (lambda: recode("permutation", 16, seed=0), r"dim must be \(d, h, w\) for a permutation, got 16"),
        (lambda: recode("twist", 16, seed=0), "kind must be one of"),
        (lambda: PriorLatentsConfig(arms=("none", "both")), "arms must be one of"),
        (lambda: PriorLatentsConfig(arms=("scr",)), "arms must have 'none', the baseline"),
        (lambda: PriorLatentsConfig(d=7), "d must be even for a coupling, got 7"),
        (lambda: PriorLatentsConfig(omegas=(0.0,)), "omegas must be a finite number > 0, got 0.0"),
        (lambda: PriorLatentsConfig(grid=8), "grid must be 4 for images of 16 pixels, got 8"),
    ],
)
def test_errors_of_the_study(call, message):
    with pytest.raises(ec.InputError, match=message):
        call()
