"""The innovation window at its smallest: what it writes, what is dropped for lack of time, bad models and sets."""

from dataclasses import replace

import pandas as pd
import pytest
import xarray as xr

import eigenclock as ec
from eigenclock_studies import run_study
from eigenclock_studies.innovation_window import measure
from eigenclock_studies.innovation_window.cases import PRESETS, Case
from eigenclock_studies.innovation_window.gpt import GPT
from eigenclock_studies.innovation_window.part_window import measured


def test_study_at_its_smallest(tmp_path):
    result = run_study("innovation_window", preset="tiny", out=tmp_path)
    assert set(result.claims["verdict"].str.split(" (", regex=False).str[0]) == {"not run"}
    page = (tmp_path / "report.html").read_text()
    assert "reconstruction" in page
    assert page.count("<img ") == len(list(tmp_path.glob("*.png"))) == 9
    kept = xr.load_dataset(tmp_path / "window.nc", engine="h5netcdf")
    assert kept.attrs["source"] == "arXiv:2605.10019"
    again = measured(PRESETS["tiny"], tmp_path)  # only read
    assert again.drop_vars("status").equals(kept.drop_vars("status"))
    assert {"V", "M", "I", "Q", "q", "q_far", "a", "n_novel", "M_ctrl", "M_ex", "r"} <= set(kept.data_vars)
    assert "gpt N=16" in kept["case"].values.tolist()
    clocks = pd.read_csv(tmp_path / "authors_clocks.csv")
    assert {"accuracy > .90", "novel only > .1", "copies > .10"} <= set(clocks.columns), (
        "both readings of the rule clock"
    )


def test_cases_without_time_are_recorded(tmp_path):
    options = replace(PRESETS["tiny"], max_minutes=1e-9, widths=(), basins=False)
    with pytest.raises(ec.InputError, match="max_minutes must leave time for one case"):
        measured(options, tmp_path)  # nothing ran at all
    found = measured(replace(options, max_minutes=1e-2), tmp_path)
    known = set(found.attrs["dropped"].split(", ")) | set(found["case"].values.tolist())
    assert known >= set(options.cases()) | set(options.token_cases())


def test_bad_models_and_sets():
    with pytest.raises(ec.InputError, match="heads must divide width = 16, got 3"):
        GPT(16, 1, 3)
    rule = ec.GroupParity(12, 3)
    with pytest.raises(ec.InputError, match="N must be at most a quarter of the 256 valid samples"):
        measure(Case(rule, 100, ec.FeedForward(8, 1), 100, rule, allow_chance=True), 0)
