"""The innovation window: metrics, trajectories with known clocks, models, the study at its smallest."""

from dataclasses import replace

import pytest
import xarray as xr

import eigenclock as ec
from eigenclock_studies import run_study
from eigenclock_studies.innovation_window import InnovationConfig, calibrate, measure, run
from eigenclock_studies.innovation_window.cases import CALIBRATION_SEED, Case
from eigenclock_studies.innovation_window.gpt import GPT


def test_study_at_its_smallest(tmp_path):
    result = run_study("innovation_window", preset="tiny", out=tmp_path)
    assert set(result.claims["verdict"]) == {"not assessed"}
    page = (tmp_path / "report.html").read_text()
    assert "reconstruction" in page
    assert page.count("<img ") == len(list(tmp_path.glob("*.png"))) == 7
    kept = xr.load_dataset(tmp_path / "window.nc", engine="h5netcdf")
    assert (kept.attrs["status"], kept.attrs["source"]) == ("reconstruction", "arXiv:2605.10019")
    again = run(InnovationConfig.preset("tiny"), folder=tmp_path)  # only read
    assert again.drop_vars("status").equals(kept.drop_vars("status"))
    assert {"V", "M", "I", "Q", "q", "q_far", "a", "n_novel", "M_ctrl", "M_ex", "r"} <= set(kept.data_vars)
    assert {"gpt N=16", "dit N=16"} <= set(kept["case"].values.tolist())


def test_blocks_without_time_are_recorded(tmp_path):
    config = replace(
        InnovationConfig.preset("tiny"), max_minutes=1e-9, widths=(), basins=False, dit_sizes=(), gpt_sizes=(16,)
    )
    with pytest.raises(ValueError, match="max"):
        run(config, folder=tmp_path)  # nothing ran at all
    config = replace(config, max_minutes=1e-2)
    found = run(config, folder=tmp_path)
    assert set(found.attrs["blocks_dropped"].split(", ")) | set(found["case"].values.tolist()) >= set(config.cases())


def test_calibration_uses_a_seed_that_is_never_reported():
    config = replace(InnovationConfig.preset("tiny"), least_steps=60, token_steps=40)
    found = calibrate(config, steps=300)
    assert found.seeds == config.seeds
    assert found.kappa >= 1
    with pytest.raises(ec.InputError, match=f"seeds must not hold {CALIBRATION_SEED}"):
        replace(config, seeds=(CALIBRATION_SEED,))


def test_bad_models_and_sets():
    with pytest.raises(ec.InputError, match="heads must divide width = 16, got 3"):
        GPT(16, 1, 3)
    with pytest.raises(ec.InputError, match="N must be at most a quarter of the 256 valid samples"):
        measure(
            Case(ec.GroupParity(12, 3), 100, ec.FeedForward(8, 1), 100, ec.GroupParity(12, 3), allow_chance=True), 0
        )
