"""Tests of `eigenclock.cli.report`."""

from support.commands import SMALL

from eigenclock import cli


def test_report_command(tmp_path):
    out = tmp_path / "run"
    cli.main(["predict", *SMALL, "--out", str(out)])
    before = (out / "report.html").read_text()
    (out / "report.html").unlink()
    cli.main(["report", "--run", str(out)])
    assert (out / "report.html").read_text() == before
