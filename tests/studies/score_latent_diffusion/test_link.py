"""Tests of `eigenclock_studies.score_latent_diffusion.link`."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from eigenclock_studies.score_latent_diffusion import link


def test_predicted_order_is_that_of_theory():
    """A flat latent space starts learned; a steep one takes longer; the measured clock reads a planted curve."""
    assert link.predicted_time(np.array([1.0, 1.0, 1.0])) == 0
    times = [link.predicted_time(np.array([1.9, 1.0, low])) for low in (0.3, 0.1, 0.02)]
    assert 0 < times[0] < times[1] < times[2]
    time, target = np.geomspace(1, 1e4, 400), np.array([1.8, 0.2])
    variance = target + (1 - target) * np.exp(-time[:, None] / 50)
    run = xr.Dataset(
        {"latent_variance": (("refine_step", "latent_mode"), variance), "latent_target": ("latent_mode", target)},
        coords={"refine_step": time},
    )
    found = link.measured_time(run)
    at = target + (1 - target) * np.exp(-found / 50)
    assert ((np.sqrt(at) - np.sqrt(target)) ** 2).sum() / 2 == pytest.approx(0.02, rel=0.02)


def test_rank_correlation_over_arms():
    table = pd.DataFrame(
        {
            "arm": list("abcdabcd"),
            "seed": [0] * 4 + [1] * 4,
            "predicted": [1.0, 2, 3, 4] * 2,
            "density": [1.0, 2, 3, 4, 4, 3, 2, 1],
        }
    )
    assert link.correlations(table, "density") == pytest.approx([1, -1])
    table.loc[:1, "density"] = np.nan
    assert link.correlations(table, "density") == pytest.approx([-1])
