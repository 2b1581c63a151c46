"""Tests of `eigenclock.jobs.run_folder`."""

import pytest
from support.commands import SMALL, command


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
