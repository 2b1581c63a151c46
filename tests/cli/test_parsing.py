"""Tests of `eigenclock.cli.parsing`."""

import pytest
import yaml
from support.commands import SMALL, command

import eigenclock as ec
from eigenclock import cli
from eigenclock.cli.parsing import normalised, parser


def test_config_file_repeats_a_run(tmp_path):
    assert command("predict", *SMALL, "--out", tmp_path / "one").returncode == 0
    again = command("predict", "--config", tmp_path / "one" / "config.yaml", "--out", tmp_path / "two")
    assert again.returncode == 0, again.stderr
    one, two = (ec.LearningCurve.load(tmp_path / name / "curve.nc") for name in ("one", "two"))
    assert one.dataset.identical(two.dataset)


def test_print_config_is_a_config(tmp_path):
    printed = command(
        "predict",
        *SMALL,
        "--out",
        tmp_path / "run",
        "--optimizer",
        "HeavyBall",
        "--optimizer.lr",
        "0.01",
        "--print-config",
    )
    assert printed.returncode == 0, printed.stderr
    config = yaml.safe_load(printed.stdout)
    assert config["optimizer"] == {"class_path": "eigenclock.HeavyBall", "init_args": {"lr": 0.01, "momentum": 0.9}}
    assert config["sampler"]["init_args"]["steps"] == 20
    assert not (tmp_path / "run").exists()


def test_architecture_keeps_its_own_default(capsys):
    """Naming another class must not carry over the default start of the first."""
    with pytest.raises(SystemExit):
        cli.main(["predict", "--data", "digits", "--out", "never", "--architecture", "TiedTwoLayer", "--print-config"])
    assert yaml.safe_load(capsys.readouterr().out)["architecture"]["init_args"] == {"init": 0.1}


def test_several_options_of_a_study():
    """All of them count, however they are nested or spelt."""
    words = ["study", "spectral_bias", "--set.gaussian.dimensions", "[8]", "--out", "x", "--set.gaussian.recipe.probe-samples=8",
             "--set.images.data", "[digits]"]  # fmt: skip
    top, _ = parser(["study"])
    parsed = top.parse_args(normalised(words)).study
    assert parsed.set == {"gaussian.dimensions": [8], "gaussian.recipe.probe_samples": 8, "images.data": ["digits"]}
    assert parsed.out == "x"
    assert normalised(["study", "spectral_bias", "--out", "x"]) == ["study", "spectral_bias", "--out", "x"]
