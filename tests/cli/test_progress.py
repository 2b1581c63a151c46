"""Tests of `eigenclock.cli.progress`: how far a command is, in a log and on a terminal."""

import io
import re

from rich.console import Console

from eigenclock.cli import progress


def test_a_line_a_minute_in_a_log(monkeypatch, capsys):
    """Per cent and time left: a tenth done after two minutes leaves eighteen."""
    now = [0.0]
    monkeypatch.setattr(progress.clock, "monotonic", lambda: now[0])
    report = progress.in_a_log("train")
    for step in range(1, 201):
        now[0] += 1.2
        report(step, 1000, "loss 3.2")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[1] == "eigenclock: train: 10 % (100 of 1,000), 18 min 00 s left · loss 3.2"


def test_per_cent_and_time_left_come_first_on_a_terminal(monkeypatch):
    """At 60 columns too, where the words are cut."""
    screen = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda **_: Console(file=screen, force_terminal=True, width=60))
    with progress.stage("train") as report:
        report(500, 1000, "loss 68.33 · next probe 13 · no mode has emerged by step 12: no forecast yet")
    bar = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    line = next(part for part in re.split(r"[\r\n]", bar) if "100%" in part)
    assert re.match(r"^train +100% +[-\d:]+ left loss 68\.33", line), line
    assert len(line.rstrip()) <= 60
