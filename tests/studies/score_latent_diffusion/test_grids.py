"""Tests of `eigenclock_studies.score_latent_diffusion.grids`."""

import numpy as np
import pytest
import xarray as xr

from eigenclock_studies.score_latent_diffusion.grids import collapse_clock, dataset, passages, run_grid, values
from eigenclock_studies.score_latent_diffusion.runs import Run

CALLS = []


def counted(run, seed):
    CALLS.append((run.D, seed))
    return xr.Dataset({"D": float(run.D)})


def test_settings_that_are_alike_are_trained_once(tmp_path):
    """Parts share runs by their setting, whatever name they give them."""
    CALLS.clear()
    first = run_grid({"a": Run(D=16), "b": Run(D=32)}, (0, 1), tmp_path, print, 1, of=counted)
    again = run_grid({"other": Run(D=32)}, (0, 1), tmp_path, print, 1, of=counted)
    assert sorted(CALLS) == [(16, 0), (16, 1), (32, 0), (32, 1)]
    assert list(values(again["other"], "D")) == [32, 32]
    assert dataset(first)["D"].values.tolist() == [[16, 16], [32, 32]]


def test_collapse_needs_two_records_in_a_row():
    step = np.array([0.0, 1, 10, 100])
    runs = [
        xr.Dataset({"risk": ("s", np.array(risk))}, {"collapse_step": ("s", step)})
        for risk in ([9, 9, 2, 9.0], [9, 9, 2, 2.0])
    ]
    found = passages(runs, collapse_clock(2, 0.5))
    assert found.status == ["right-censored", "hit"]
    assert found.time[1] == pytest.approx(10 ** (6 / 7))  # (9 − 3)/(9 − 2) of the way from ln 1 to ln 10
