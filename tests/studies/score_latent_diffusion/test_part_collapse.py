"""Tests of `eigenclock_studies.score_latent_diffusion.part_collapse`."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import eigenclock as ec
from eigenclock_studies.score_latent_diffusion import part_collapse

SPREAD = np.array([-1.0, 0.5, 1.0, -0.5, 0.2, -0.2])
OPTIONS = replace(part_collapse.PRESETS["cpu"], sigmas=(0.1,))


def planted(rho, sv, hits=True):
    """Runs of the collapse part, six seeds with a scatter of 2 %."""
    risk = np.array([50.0, 20, 2.5, 2.4, 2.3]) if hits else np.array([50.0, 40, 30, 20, 12])
    return [
        xr.Dataset(
            {
                "rho": rho * (1 + 0.02 * one),
                "risk": ("collapse_step", risk),
                "jacobian": ("singular", np.array(sv) * (1 + 0.02 * one)),
            },
            coords={"collapse_step": np.array([0.0, 1, 10, 100, 1000])},
        )
        for one in SPREAD
    ]


def outcomes(rho=2.3, sv=(1.0, 0.8, 0.2), plain=12.0, hits=True, flat=(0.1, 0.1, 0.09), narrow=2.2, isotropic=1528.0):
    """Verdicts; 3·0.25/0.26 + 61·25 = 1,528 is what no manifold gives by the optimal linear map of width 3."""
    grid = {
        "σ = 0.1": planted(rho, sv, hits),
        "d = 2": planted(narrow, sv),
        "autoencoder": planted(plain, (2.0, 2.0, 1.0), hits=False),
        "isotropic": planted(isotropic, flat, hits=False),
    }
    return [str(one.verdict) for one in part_collapse.claims(grid, OPTIONS)]


@pytest.mark.parametrize(
    ("changes", "which", "verdict"),
    [
        ({}, 0, "shown"),
        ({}, 1, "shown"),
        ({}, 2, "shown"),
        ({"rho": 3.5}, 0, "in part (not ρ)"),
        ({"plain": 6.0}, 0, "in part (not ρ over the autoencoder's)"),
        ({"plain": 2.5}, 0, "inconclusive (the control failed: the autoencoder's ρ)"),
        ({"isotropic": 100.0}, 0, "inconclusive (the control failed: isotropic data's ρ over what no manifold gives)"),
        ({"hits": False}, 1, "not shown"),
        ({"sv": (1.0, 0.8, 0.7)}, 2, "in part (not singular value 3 over 2)"),
        ({"flat": (1.0, 0.8, 0.1)}, 2, "inconclusive (the control failed: without a manifold no gap: the same ratio)"),
        ({"narrow": 4.0}, 3, "shown"),
        ({"narrow": 4.0, "rho": 4.0}, 3, "inconclusive (the control failed: at d = k + 1)"),
    ],
)
def test_verdicts_on_planted_runs(changes, which, verdict):
    assert outcomes(**changes)[which] == verdict


def test_a_narrow_space_that_never_sticks_leaves_the_claim_open():
    assert outcomes(narrow=2.2)[3].startswith("inconclusive")


def test_one_bad_run_and_options_without_what_is_compared():
    grid = {name: planted(2.3, (1.0, 0.8, 0.2)) for name in ("σ = 0.1", "d = 2", "autoencoder", "isotropic")}
    grid["σ = 0.1"][0]["jacobian"][:] = np.nan
    assert part_collapse.claims(grid, OPTIONS)[2].measures[0].answer is None
    with pytest.raises(
        ec.InputError, match=r"sigmas must have 0.1, the noise at which arms are compared, got \(0.05,\)"
    ):
        replace(OPTIONS, sigmas=(0.05,))
