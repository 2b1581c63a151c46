"""Studies at their smallest size, from the command line."""

import pandas as pd
import pytest

import eigenclock as ec
from eigenclock import cli
from eigenclock.jobs.studies import study_names
from eigenclock_studies import run_study


def test_options_of_a_preset_as_flags(tmp_path, capsys):
    out = str(tmp_path / "out")
    cli.main(
        [
            "study",
            "innovation_window",
            "--preset",
            "tiny",
            "--part",
            "exact",
            "--out",
            out,
            "--set.ledger",
            "[3]",
            "--set.window.D",
            "15",
        ]
    )
    assert "not assessed" in capsys.readouterr().out
    assert pd.read_csv(tmp_path / "out" / "exact_ledger.csv")["G"].tolist() == [3]
    for change, message in (
        ("--set.window.groups 3", "set.window must name one of D, G, complexities"),
        ("--set.window.G x", "set.window.G must be like 3, got 'x'"),
        ("--set.window.seeds [0,a]", "set.window.seeds must be like 0, got 'a'"),
        ("--set.ledger []", "set.ledger must not be empty, got []"),
        ("--set.window 3", "set.window must be an option inside InnovationConfig, got 3"),
        ("--set.sizes [1]", "set must name one of window, ledger, got 'sizes'"),
        ("--set.window.G 5", "complexities must hold G"),
    ):
        with pytest.raises(SystemExit) as stopped:
            cli.main(["study", "innovation_window", "--preset", "tiny", "--out", out, *change.split()])
        assert stopped.value.code == 2
        assert message in capsys.readouterr().err


def test_errors(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ec.InputError, match="out must be a folder"):
        run_study("spectral_bias", preset="tiny", out=tmp_path / "file")
    with pytest.raises(
        ec.InputError,
        match=f"study must be one of {', '.join(study_names())}, got 'x'",
    ):
        run_study("x", preset="tiny", out=tmp_path / "out")
