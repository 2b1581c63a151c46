"""A sampler, an architecture, a network and a study that the library does not know work wherever its own do."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from eigenclock import cli

HERE = Path(__file__).parent
TREE = ast.parse((HERE / "support" / "additions.py").read_text(encoding="utf-8"))
CHECKS = [node.name for node in TREE.body if isinstance(node, ast.FunctionDef) and node.name.startswith("check_")]


SCRIPT = """
import sys, traceback
from pathlib import Path
from support import additions

for check in sys.argv[2:]:
    folder = Path(sys.argv[1]) / check
    folder.mkdir()
    try:
        getattr(additions, check)(folder)
    except BaseException:
        (folder / "failed.txt").write_text(traceback.format_exc())
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """All checks in a process of their own: a class of one's own stays in every list for as long as Python runs."""
    folder = tmp_path_factory.mktemp("additions")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    command = [sys.executable, "-c", SCRIPT, str(folder), *CHECKS]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("check", CHECKS)
def test_additions(check, checked):
    failed = checked / check / "failed.txt"
    assert (checked / check).is_dir()
    assert not failed.exists(), failed.read_text()


def test_a_study_of_another_package(tmp_path, monkeypatch, capsys):
    """Found by its entry point alone; the library never imports it."""
    (tmp_path / "ours.py").write_text(
        "from dataclasses import dataclass\n"
        "from pathlib import Path\n"
        "from eigenclock_studies import Claim, Part, Plan, Study, exact\n"
        "@dataclass(frozen=True)\n"
        "class Options:\n"
        "    size: int = 3\n"
        "def only(options, folder, say):\n"
        "    return Part([Claim(f'size {options.size}', (exact('size', options.size, above=5),))])\n"
        "class Ours(Study):\n"
        "    name, title = 'ours', 'A study of ours'\n"
        "    plans = {'only': Plan(dict.fromkeys(('tiny', 'cpu', 'paper'), Options()), only)}\n"
    )
    info = tmp_path / "ours-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ours\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[eigenclock.studies]\nours = ours:Ours\ngone = nowhere_to_be_found:Study\nnone = ours:Path\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    cli.main(["study", "ours", "--preset", "cpu", "--out", str(tmp_path / "out"), "--set.only.size", "7"])
    assert "size 7" in capsys.readouterr().out
    assert pd.read_csv(tmp_path / "out" / "only_claims.csv")["verdict"].tolist() == ["shown"]
    for name, message in (
        ("theirs", "study must be one of class_imbalance, gone, innovation_window, none, ours, "),
        ("gone", "study gone must be importable, got nowhere_to_be_found:Study, of a package that is not there"),
        ("none", "study none must be a Study, got ours:Path, which has no run"),
    ):
        with pytest.raises(SystemExit):
            cli.main(["study", name, "--out", str(tmp_path / "other")])
        assert message in capsys.readouterr().err
