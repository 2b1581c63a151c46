"""A seeded tenth of what `make robustness` tries: odd arguments, changed bytes, command lines, stops."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MACHINES = Path(__file__).with_name("machines.py")

LEAST = {"calls": 3500, "bytes": 500, "commands": 40, "stops": 4}
"""Fewer inputs than this were not the machine that is meant."""


@pytest.mark.parametrize("machine", LEAST)
def test_no_input_ends_otherwise_than_in_an_answer_or_one_line(machine, tmp_path):
    """In a process of its own: memory is limited, and the tests' type checker would refuse calls before the library does."""
    report = tmp_path / "report.json"
    result = subprocess.run(
        [sys.executable, str(MACHINES), machine, "--share", "0.1", "--seed", "1", "--json", str(report)],
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert report.exists(), result.stderr[-2000:]
    found = json.loads(report.read_text())[machine]
    assert found["faults"] == [], result.stdout[-4000:]
    assert found["tried"] >= LEAST[machine]
    assert result.returncode == 0


def test_every_public_callable_is_tried():
    """An addition to the public names joins the machine of odd arguments."""
    sys.path.insert(0, str(MACHINES.parent))
    try:
        import calls
    finally:
        sys.path.pop(0)
    assert calls.public() <= set(calls.right_calls())
