"""Tests of `eigenclock.jobs.run_folder`."""

import pytest
import torch
import yaml
from support.commands import SMALL, command

import eigenclock as ec
from eigenclock import cli
from eigenclock.files import flat
from eigenclock.jobs.config import defaults
from eigenclock.training.checkpoints import read_checkpoint
from eigenclock.training.probing.records import FACTS

TRAINED = [
    "train", "--data", "digits", "--n", "60", "--network.width", "16", "--network.layers", "2", "--sampler.steps", "4",
    "--probe.count", "4", "--training.device", "cpu",
]  # fmt: skip


def test_foreign_folder_is_not_touched(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    for flag in ("--overwrite", "--resume"):
        result = command("predict", *SMALL, "--out", tmp_path, flag)
        assert result.returncode == 2
        assert "which has no config.yaml" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("content", ["", "# nothing\n", "[1, 2]\n", "just words\n"])
def test_a_config_that_holds_no_options(tmp_path, content):
    (tmp_path / "config.yaml").write_text(content)
    result = command("predict", *SMALL, "--out", tmp_path, "--resume")
    assert result.returncode == 2
    assert result.stderr.startswith("eigenclock: error: config.yaml must hold options by name, got ")
    assert result.stderr.count("\n") == 1


def stopped_run_of_the_version_before(folder):
    """A run of 30 steps that stopped after 20, as the version had left it that knew neither probe.budget nor probe.test."""
    cli.main([*TRAINED, "--steps", "20", "--out", str(folder)])
    config = yaml.safe_load((folder / "config.yaml").read_text())
    del config["probe"]["budget"], config["probe"]["test"]
    (folder / "config.yaml").write_text(yaml.safe_dump(config | {"steps": 30}))
    dataset = ec.LearningCurve.load(folder / "measured.nc").dataset
    added = ["log_variance_error", "kurtosis", "marginal_distance", "filter_kurtosis", *FACTS]
    measured = ec.LearningCurve(dataset.drop_vars([*added, "filter"]), recipe=None, source="measurement")
    measured.save(folder / "measured.nc")


def test_a_run_of_the_version_before_goes_on(tmp_path):
    """A setting that its config does not know counts as its default; what its records lack is NaN, not made up."""
    stopped_run_of_the_version_before(tmp_path / "old")
    kept = (tmp_path / "old" / "config.yaml").read_text()
    words = [*TRAINED, "--steps", "30", "--out"]
    cli.main([*words, str(tmp_path / "old"), "--resume"])
    cli.main([*words, str(tmp_path / "whole")])
    resumed, whole = (read_checkpoint(tmp_path / name / "checkpoints/last.safetensors") for name in ("old", "whole"))
    assert (resumed[1]["step"], whole[1]["step"]) == (30, 30)
    assert all(torch.equal(tensor, whole[0][name]) for name, tensor in resumed[0].items()), "the same run"
    assert (tmp_path / "old" / "config.yaml").read_text() == kept
    measured = ec.LearningCurve.load(tmp_path / "old" / "measured.nc")
    error = measured.dataset["log_variance_error"]
    assert error.sel(time=slice(0, 20)).isnull().all()
    assert error.sel(time=30).notnull().all()
    assert measured.settling().target.shape == measured.target.shape


def test_a_new_setting_that_is_not_its_default_is_named(tmp_path, capsys):
    stopped_run_of_the_version_before(tmp_path)
    for words, said in (
        (["--probe.budget", "0.05"], "probe.budget was None, now 0.05"),
        (["--probe.count", "5"], "probe.count was 4, now 5"),
    ):
        with pytest.raises(SystemExit) as stop:
            cli.main([*TRAINED, "--steps", "30", "--out", str(tmp_path), "--resume", *words])
        assert stop.value.code == 2
        assert f"config differs from the run in {tmp_path}: {said}\n" in capsys.readouterr().err


def test_defaults_are_those_of_a_written_config(tmp_path):
    """By their dotted names, as YAML has them: what is left out of an old config meets what is in a new one."""
    cli.main(
        [
            "train",
            "--data",
            "digits",
            "--n",
            "60",
            "--network.width",
            "16",
            "--steps",
            "2",
            "--out",
            str(tmp_path / "r"),
        ]
    )
    written = flat(yaml.safe_load((tmp_path / "r" / "config.yaml").read_text()))
    known = {key: value for key, value in defaults().items() if not key.startswith("simulation.") and value is not None}
    assert known == {key: value for key, value in written.items() if key.startswith(("training.", "probe."))}
