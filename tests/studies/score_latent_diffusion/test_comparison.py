"""Tests of `eigenclock_studies.score_latent_diffusion.comparison`."""

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import xarray as xr

from eigenclock_studies.score_latent_diffusion.comparison import grid as comparisons, holm, paired


def test_outcomes_of_planted_pairs(rng):
    base = np.exp(0.02 * rng.standard_normal(5))
    assert paired(0.5 * base, np.ones(5)).outcome == "win"
    assert paired(2 * base, np.ones(5)).outcome == "loss"
    assert paired(base, np.ones(5)).outcome == "tie (equivalent)"
    assert paired(np.array([0.5, 2, 1, 0.4, 2.5]), np.ones(5)).outcome == "tie"
    assert paired(0.97 * np.exp(0.001 * rng.standard_normal(5)), np.ones(5)).outcome == "win (equivalent)"
    assert paired([1.0], [2.0]).outcome == "undetermined"
    found = paired(0.5 * base, np.ones(5))
    assert found.ratio.value == pytest.approx(np.log(0.5 * base).mean())
    assert found.p == pytest.approx(scipy.stats.ttest_1samp(np.log(0.5 * base), 0).pvalue)


def test_holm():
    """The worked example: sorted p times the number left, never falling."""
    assert np.allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    assert np.allclose(holm([0.5, 0.9]), [1.0, 1.0])


def test_grid_of_comparisons():
    runs = lambda value: [xr.Dataset({"sw2": value * (1 + 0.01 * i)}) for i in range(4)]  # noqa: E731
    table = comparisons(runs(1.0), {"a": runs(2.0), "b": runs(0.5)}, ["sw2", "missing"])
    assert list(table["outcome"]) == ["win", "loss"]
    assert set(table["metric"]) == {"sw2"}
    spread = [xr.Dataset({"sw2": v}) for v in (2.0, 2.2, 1.9, 2.1)]
    table = comparisons(runs(1.0), {"a": spread}, ["sw2"])
    assert list(table["outcome"]) == ["win"]
    assert table["per seed"].iloc[0].count(" ") == 3
