"""Tests of `eigenclock.jobs.choose_job`, by the command: page, table, config that trains, calibration, errors."""

import json

import pandas as pd
import pytest
import yaml

import eigenclock as ec
from eigenclock.cli import main


def call(*words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return ended.value.code


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder that the command has filled."""
    out = tmp_path_factory.mktemp("choose") / "advice"
    main(["choose", "--data", "digits", "--out", str(out)])
    return out


def test_the_folder_holds_table_config_and_page(folder):
    table = pd.read_csv(folder / "advice.csv")
    assert len(table) > 320
    data = ec.data.load("digits").standardized()
    ours = ec.choose(ec.Spectrum.from_samples(data.samples, test=data.test), standardizations=["none", "pixel"])
    assert table["recipe"].tolist() == ours.table["recipe"].tolist()
    assert table["rank"].iloc[0] == 1
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert len(page) < 2_000_000
    for words in (
        "Which recipe for",
        "Train with: ",
        "Noise levels that the data need",
        "P_mean",
        "eigenclock choose --data digits",
    ):
        assert words in page
    assert "http://" not in page.replace("http://www.w3.org", "").split("packed-plotly")[0]


def test_the_config_trains(folder, tmp_path):
    out = tmp_path / "run"
    words = ["--network.width", "16", "--network.layers", "2", "--steps", "5", "--probe.samples", "16"]
    main(["train", "--config", str(folder / "recipe_spectral.yaml"), "--data", "digits", "--out", str(out), *words])
    kept = yaml.safe_load((out / "config.yaml").read_text())
    assert kept["objective"]["class_path"] == "eigenclock.SpectralEDM"
    assert (out / "training.json").exists()
    assert json.loads((out / "metrics.jsonl").read_text().splitlines()[-1])["step"] == 5


def test_other_readings_of_the_data_go_into_the_config(tmp_path, capsys):
    main(
        [
            "choose",
            "--data",
            "natural16",
            "--n",
            "600",
            "--basis",
            "dct",
            "--close",
            "[0.4,0.2]",
            "--out",
            str(tmp_path / "a"),
        ]
    )
    found = yaml.safe_load((tmp_path / "a" / "recipe.yaml").read_text())
    assert found["n"] == 600
    assert found["basis"] == "dct"
    assert found["standardize"] is True
    assert "within 0.2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "kinds"), [("true", {"none", "pixel"}), ("pixel", {"none"}), ("false", {"none", "pixel", "scale"})]
)
def test_what_was_done_to_the_data_is_done_again(asked, kinds, tmp_path):
    out = tmp_path / "a"
    main(["choose", "--data", "digits", "--standardize", asked, "--out", str(out)])
    table = pd.read_csv(out / "advice.csv")
    assert set(table["standardization"]) == kinds
    first = table[~table["objective"].str.startswith("SpectralEDM")].iloc[0]["standardization"]
    written = yaml.safe_load((out / "recipe.yaml").read_text())["standardize"]
    assert written == {"pixel": "pixel", "scale": True, "none": {"true": True, "false": False}.get(asked, asked)}[first]


def test_units_become_steps(tmp_path, capsys):
    main(["choose", "--data", "digits", "--calibrate", "20", "--network", "MLP", "--network.width", "16", "--network.layers", "2", "--out", str(tmp_path / "a")])  # fmt: skip
    out = capsys.readouterr().out
    assert "forecast from 20 steps of the first 3" in out
    assert "steps_0.25" in pd.read_csv(tmp_path / "a" / "advice.csv")
    assert "steps to 0.25" in (tmp_path / "a" / "report.html").read_text(encoding="utf-8")


def test_errors_take_one_line(folder, tmp_path, capsys):
    spectrum = ec.Spectrum([1.0, 0.1])
    spectrum.save(tmp_path / "s.nc")
    for words, expected in (
        (["--data", tmp_path / "s.nc", "--calibrate", "50"], "calibrate needs samples to train on, got the spectrum"),
        (["--data", "digits", "--calibrate", "3"], "calibrate must be"),
        (["--data", "digits", "--out", folder], "which is not: use --overwrite"),
        (["--data", "digits", "--close", "[0.5,-1]"], "close must be shares > 0"),
        (["--data", "nowhere"], "data must be a path or one of"),
    ):
        assert call("choose", *words) == 2
        err = capsys.readouterr().err
        assert expected in err
        assert err.count("\n") == 1
    main(["choose", "--data", str(tmp_path / "s.nc")])
    assert "Train with: " in capsys.readouterr().out
