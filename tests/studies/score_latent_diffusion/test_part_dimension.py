"""Tests of `eigenclock_studies.score_latent_diffusion.part_dimension`."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import eigenclock as ec
from eigenclock_studies.score_latent_diffusion import part_dimension as part

OPTIONS = replace(part.PRESETS["cpu"], sizes=(16, 256), tori=(1, 2), tori_n=(250, 2000))


def planted(latent=1.0, ambient=200.0, slope=0.5, steeper=0.0, torus=3.0, helped=0.4, fall=0.1, wide=1.0):
    """Excess ∝ n^−slope; D = 256 needs `latent` times the samples with a latent space, has `ambient` times the error without."""
    scatter = np.exp(0.02 * np.array([-1.0, 0.5, 1.0, -0.5, 0.2]))

    def runs(value):
        return [xr.Dataset({"excess": value * one, "bayes": 1.8}) for one in scatter]

    grid = {}
    for D in (16, 256):
        more = D == 256
        for n in OPTIONS.n:
            needed = n / (latent if more else 1)
            grid[part.name_of(part.LATENT, D, n)] = runs(5 * needed**-slope * (n / 500) ** (-steeper * more))
        for n in OPTIONS.ambient_n:
            grid[part.name_of(part.AMBIENT, D, n)] = runs((ambient if more else 1) * n**-fall)
    for k in (1, 2):
        for n in (250, 2000):
            grid[part.torus_of(k, n)] = runs(k * torus ** (k - 1) * 0.02 * (helped if n == 2000 else 1))
    grid[part.WIDE] = runs(wide * 0.02)
    return grid


def verdicts(**changes):
    grid = planted(**changes)
    found = part.ambient_claims(grid, OPTIONS) + part.intrinsic_claims(grid, OPTIONS)
    return [str(one.verdict) for one in found]


def test_curves_that_coincide_where_ambient_ones_part():
    assert verdicts() == ["shown"] * 4


@pytest.mark.parametrize(
    ("changes", "which", "outcome"),
    [
        ({"latent": 4.0}, 0, "not shown"),  # D = 256 needs four times the samples
        ({"latent": 0.25}, 1, "not shown"),
        ({"steeper": 0.4}, 2, "not shown"),
        ({"torus": 1.0 / 3}, 3, "not shown (the rival explains it: over that of k = 1 in a latent space of 4)"),
        (
            {"ambient": 1.0},
            0,
            "inconclusive (the control failed: excess without a latent space, over that at D = 16, n = 2000)",
        ),
        ({"wide": 4.0}, 3, "not shown (the rival explains it: over that of k = 1 in a latent space of 4)"),
        ({"slope": -0.1}, 2, "inconclusive (the control failed: slope at D = 16, slope at D = 256)"),
        ({"helped": 1.5}, 3, "inconclusive (the control failed: samples matter: at n = 2000 over n = 250, k = 2)"),
    ],
)
def test_what_contradicts_is_said(changes, which, outcome):
    assert verdicts(**changes)[which] == outcome


def test_a_factor_is_read_in_samples():
    """Three times the samples at slope one half: a factor of 3 with its interval, not √3."""
    claim = part.ambient_claims(planted(latent=3.0), OPTIONS)[0]
    found = claim.measures[0].found
    assert found.value == pytest.approx(3)
    assert claim.controls[0].found.value == pytest.approx(200), "what the errors without a latent space differ by"


def test_one_bad_run_leaves_claims_open():
    """NaN of one seed: no verdict of what it is part of, and no error."""
    grid = planted()
    grid[part.name_of(part.LATENT, 256, 500)][1]["excess"] = np.nan
    found = [one.verdict.outcome for one in part.ambient_claims(grid, OPTIONS) + part.intrinsic_claims(grid, OPTIONS)]
    assert found == ["inconclusive", "inconclusive", "inconclusive", "shown"]


@pytest.mark.parametrize("name", ["sizes", "n", "ambient_n", "tori"])
def test_options_that_nothing_can_be_compared_by(name):
    with pytest.raises(ec.InputError, match=rf"{name} must be two numbers or more, got \(16,\)"):
        replace(OPTIONS, **{name: (16,)})
    with pytest.raises(ec.InputError, match="tori_n must be a number of samples or more, got none"):
        replace(OPTIONS, tori_n=())
