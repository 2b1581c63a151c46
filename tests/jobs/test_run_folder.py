"""Tests of `eigenclock.jobs.run_folder`."""

from support.commands import SMALL, command


def test_foreign_folder_is_not_touched(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    for flag in ("--overwrite", "--resume"):
        result = command("predict", *SMALL, "--out", tmp_path, flag)
        assert result.returncode == 2
        assert "which has no config.yaml" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
