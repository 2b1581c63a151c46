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
            "--set.exact.groups",
            "[3]",
            "--set.exact.D",
            "15",
        ]
    )
    assert "not run (the preset tiny judges" in " ".join(capsys.readouterr().out.split())
    assert pd.read_csv(tmp_path / "out" / "exact_ledger.csv")["G"].tolist() == [3]
    for change, message in (
        ("--set.window.groups 3", "set.window has no option groups"),
        ("--set.window.G x", "set.window.G must be a whole number, got x"),
        ("--set.window.seeds [0,a]", "set.window.seeds must be a whole number, got a"),
        ("--set.window.seeds []", "seeds must be different whole numbers >= 0, got ()"),
        ("--set.window 3", "set.window must be options inside Options by name, got 3"),
        ("--set.sizes [1]", "set must name one of exact, authors, window, got 'sizes'"),
        ("--set.window.G 7", "G must lie between simpler and harder, got 3, 7, 6"),
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
