"""Tests of `eigenclock_studies.score_latent_diffusion.part_collapse`."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from eigenclock_studies.score_latent_diffusion import part_collapse, part_dimension
from eigenclock_studies.score_latent_diffusion.grids import Grid


def planted(rho, sv, hits=True):
    """Runs of the collapse part."""
    risk = np.array([50.0, 20, 2.5, 2.4, 2.3]) if hits else np.array([50.0, 40, 30, 20, 12])
    return [
        xr.Dataset(
            {
                "rho": value,
                "risk": ("collapse_step", risk),
                "risk_at": ("sigma", np.full(5, value)),
                "jacobian": ("singular", np.array(sv, dtype=float)),
                "reconstruction": 0.01,
            },
            coords={"collapse_step": np.array([0.0, 1, 10, 100, 1000]), "sigma": [0.02, 0.05, 0.1, 0.2, 0.4]},
        )
        for value in rho
    ]


@pytest.mark.parametrize(
    ("rho", "sv", "plain", "verdict"),
    [
        ([2.2, 2.3, 2.4, 2.3, 2.2], [1.0, 0.8, 0.2, 0, 0, 0, 0, 0], 12.0, "supported"),
        ([3.5, 3.6, 3.4, 3.5, 3.6], [1.0, 0.8, 0.2, 0, 0, 0, 0, 0], 12.0, "not supported"),
        ([2.2, 2.3, 2.4, 2.3, 2.2], [1.0, 0.8, 0.7, 0, 0, 0, 0, 0], 12.0, "not supported"),
        ([2.2, 2.3, 2.4, 2.3, 2.2], [1.0, 0.8, 0.2, 0, 0, 0, 0, 0], 2.5, "inconclusive (the control failed)"),
    ],
)
def test_verdict_on_collapse(rho, sv, plain, verdict, monkeypatch, tmp_path):
    """The specification's thresholds, on planted runs."""
    grid = Grid(
        {
            "σ = 0.1": planted(rho, sv),
            "autoencoder": planted(plain * np.linspace(0.95, 1.05, 5), [2, 2, 1, 0, 0, 0, 0, 0], hits=False),
            "isotropic": planted(1528 * np.linspace(0.99, 1.01, 5), np.ones(8), hits=False),
        }
    )
    monkeypatch.setattr(part_collapse, "run_grid", lambda *_, **__: grid)
    options = replace(part_collapse.PRESETS["cpu"], sigmas=(0.1,), widths=())
    found = part_collapse.run(options, tmp_path, lambda words: None)
    assert found.claims[0]["verdict"] == verdict


def test_slopes_of_planted_errors():
    options = replace(part_dimension.PRESETS["tiny"], intrinsic=(1,), n=(100, 1000))
    runs = {f"k = 1, n = {n}": [xr.Dataset({"sw2": c * n**-0.5}) for c in (1.0, 1.1, 0.9)] for n in (100, 1000)}
    assert part_dimension.slope_table(Grid(runs), options)["slope"].iloc[0].startswith("-0.5")
