"""Tests of `eigenclock_studies.score_latent_diffusion.runs`."""

from dataclasses import replace

import xarray as xr

from eigenclock_studies.score_latent_diffusion import part_collapse
from eigenclock_studies.score_latent_diffusion.runs import Run, case


def test_case_is_a_function_of_the_seed():
    run = replace(part_collapse.small(Run()), data="wave1", k=1, d=2, steps=(30, 20), samples=60)
    first, again = case(run, 0), case(run, 0)
    xr.testing.assert_identical(first, again)
    assert not first.equals(case(run, 1))
    assert {
        "rho",
        "reconstruction",
        "kernel_leakage",
        "range_leakage",
        "idempotence",
        "sw2",
        "off",
        "gaussian_sw2",
    } <= set(first)
