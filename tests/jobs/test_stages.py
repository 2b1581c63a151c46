"""Tests of runs on real machines: locks, signals, folders that move, outputs that a terminal cannot show."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from support.commands import command

import eigenclock as ec
from eigenclock import cli
from eigenclock.jobs.stages import with_spectrum

RUN = [
    "--data", "digits", "--n", "60", "--network.width", "16", "--network.layers", "2", "--probe.count", "4", "--probe.samples", "16",
    "--sampler", "Heun", "--sampler.steps", "4", "--training.device", "cpu",
]  # fmt: skip


def start(*words, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "eigenclock", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        **options,
    )


def until(file, text, process, seconds=100):
    """Wait until a file holds a text."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds and process.poll() is None:
        if file.exists() and text in file.read_text():
            return
        time.sleep(0.02)
    raise AssertionError(f"{file} never held {text!r}: {process.communicate()[1]}")


@pytest.mark.parametrize("steps", [1, 2, 3, 9])
def test_short_runs_end_in_a_report(tmp_path, steps):
    cli.main(["run", *RUN, "--steps", str(steps), "--out", str(tmp_path / "r")])
    assert (tmp_path / "r" / "report.html").exists()
    records = [json.loads(line) for line in (tmp_path / "r" / "metrics.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records] == [steps]


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_signals_leave_a_checkpoint_and_name_its_step(tmp_path, number, code, word):
    """Stopped after 300 steps at the earliest, far from the checkpoint at 1000; gone on with, the run is the same to the bit."""
    words = ["run", *RUN, "--steps", "900"]
    process = start(*words, "--out", tmp_path / "r")
    until(tmp_path / "r" / "metrics.jsonl", '"step": 300,', process)
    process.send_signal(number)
    _, err = process.communicate(timeout=100)
    assert process.returncode == code, err
    step = int(err.split(f"{word} at step ")[1].split(";")[0].replace(",", ""))
    assert 300 <= step < 900
    assert err.strip().endswith("--resume continues from there")
    cli.main([*words, "--out", str(tmp_path / "r"), "--resume"])
    cli.main([*words, "--out", str(tmp_path / "whole")])
    first, second = (ec.LearningCurve.load(tmp_path / name / "measured.nc").variance.values for name in ("r", "whole"))
    assert np.array_equal(first, second)
    assert (tmp_path / "r" / "metrics.jsonl").read_bytes() == (tmp_path / "whole" / "metrics.jsonl").read_bytes()


def test_checkpoints_by_time(tmp_path):
    """Every step is later than a thousandth of a second: each leaves a checkpoint, of 1000 steps apart by default."""
    process = start("run", *RUN, "--steps", "5000", "--out", tmp_path / "r", "--training.checkpoint_minutes", "0.0001")
    until(tmp_path / "r" / "metrics.jsonl", '"step": 60,', process)
    process.kill()
    process.communicate()
    from eigenclock.training.checkpoints import read_checkpoint

    assert 0 < read_checkpoint(next((tmp_path / "r").rglob("*.safetensors")))[1]["step"] < 1000


def test_a_second_process_in_the_folder_is_refused(tmp_path):
    first = start("run", *RUN, "--steps", "100000", "--out", tmp_path / "r")
    until(tmp_path / "r" / "metrics.jsonl", '"step": 20,', first)
    before = (tmp_path / "r" / "config.yaml").read_bytes()
    second = command("run", *RUN, "--steps", "30", "--seed", "1", "--out", tmp_path / "r", "--overwrite")
    first.kill()
    first.communicate()
    assert (second.returncode, second.stderr.count("\n")) == (2, 1)
    assert second.stderr.endswith("/r is in use by another process: wait for it, or take another folder\n")
    assert (tmp_path / "r" / "config.yaml").read_bytes() == before


def test_config_works_from_any_folder_and_holds_no_switch(tmp_path, monkeypatch):
    """What --overwrite started, the documented command goes on with, wherever it is called."""
    np.save(tmp_path / "x.npy", np.random.default_rng(0).standard_normal((40, 6)))
    (tmp_path / "r").mkdir()
    monkeypatch.chdir(tmp_path)
    words = [*RUN[2:], "--data", "x.npy", "--steps", "12"]
    cli.main(["run", *words, "--out", "r", "--overwrite"])
    kept = yaml.safe_load((tmp_path / "r" / "config.yaml").read_text())
    assert kept["data"] == str(tmp_path / "x.npy")
    assert not {"overwrite", "resume"} & kept.keys()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    before = (tmp_path / "r" / "measured.nc").read_bytes()
    cli.main(["run", "--config", str(tmp_path / "r" / "config.yaml"), "--out", str(tmp_path / "r"), "--resume"])
    assert (tmp_path / "r" / "measured.nc").read_bytes() == before
    kept["overwrite"] = True  # as version 0.1.0 kept it
    (tmp_path / "old.yaml").write_text(yaml.safe_dump(kept))
    cli.main(["run", "--config", str(tmp_path / "old.yaml"), "--out", str(tmp_path / "r"), "--resume"])


def test_leftovers_of_killed_writes_go_with_the_next_claim(tmp_path):
    cli.main(["run", *RUN, "--steps", "12", "--out", str(tmp_path / "r")])
    (tmp_path / "r" / ".measured.nc.oamyecke.nc").write_text("")
    cli.main(["run", *RUN, "--steps", "12", "--out", str(tmp_path / "r"), "--resume"])
    assert not (tmp_path / "r" / ".measured.nc.oamyecke.nc").exists()


def damaged(content, place):
    changed = bytearray(content)
    changed[place] ^= 0x10
    return bytes(changed)


@pytest.mark.parametrize("place", [-3, 0.5, 20])
def test_damaged_checkpoints_are_named(tmp_path, place, capsys):
    words = ["run", *RUN, "--steps", "12", "--out", str(tmp_path / "r")]
    cli.main(words)
    file = next((tmp_path / "r").rglob("*.safetensors"))
    whole = file.read_bytes()
    file.write_bytes(damaged(whole, int(place * len(whole)) if isinstance(place, float) else place))
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        cli.main([*words, "--resume"])
    assert stop.value.code == 2
    assert f"checkpoint must be a safetensors file, got {file}" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp932"])
def test_what_a_terminal_cannot_show_is_replaced(tmp_path, encoding):
    environment = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": encoding}
    predicted = command(
        "predict",
        "--data",
        "digits",
        "--n",
        "50",
        "--steps",
        "20",
        "--out",
        tmp_path / "r",
        env=environment,
        encoding=encoding,
    )
    assert predicted.returncode == 0, predicted.stderr
    assert predicted.stdout.rstrip().endswith("report.html")
    curve = tmp_path / "r" / "curve.nc"
    assert command("compare", "--curve", curve, "--measured", curve, env=environment, encoding=encoding).returncode == 0


def test_a_reader_that_leaves_is_no_traceback():
    with start("cite") as process:
        process.stdout.close()
        err = process.stderr.read()
    assert "Traceback" not in err


def test_ctrl_c_while_it_is_loading():
    """Raised by the import of a library of ours, as the signal would be."""
    script = (
        "import builtins, eigenclock.cli as cli\n"
        "real = builtins.__import__\n"
        "def interrupted(name, *rest, **more):\n"
        "    if name == 'jsonargparse': raise KeyboardInterrupt\n"
        "    return real(name, *rest, **more)\n"
        "builtins.__import__ = interrupted\n"
        "cli.main(['spectrum', '--data', 'digits'])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, "eigenclock: interrupted\n")


def test_a_spectrum_is_enough_for_a_prediction(tmp_path):
    spectrum = ec.Spectrum.from_samples(np.random.default_rng(0).standard_normal((40, 6)))
    spectrum.save(tmp_path / "s.nc")
    cli.main(["predict", "--data", str(tmp_path / "s.nc"), "--steps", "20", "--out", str(tmp_path / "r")])
    assert np.array_equal(ec.LearningCurve.load(tmp_path / "r" / "curve.nc").target.values, spectrum.variance)
    cli.main(["spectrum", "--data", str(tmp_path / "s.nc"), "--out", str(tmp_path / "again.nc")])
    assert np.array_equal(ec.Spectrum.load(tmp_path / "again.nc").variance, spectrum.variance)
    with pytest.raises(SystemExit):
        cli.main(["run", *RUN[2:], "--data", str(tmp_path / "s.nc"), "--out", str(tmp_path / "q")])
    assert not Path(tmp_path / "q").exists()
    shutil.rmtree(tmp_path / "r")


def test_what_is_assumed_of_the_data_is_cross_validated(rng):
    """In every job alike: `predict` and `run` must not assume different spectra."""
    x = rng.standard_normal((12, 25))
    spectrum = ec.Spectrum.from_samples(x)
    with pytest.warns(ec.InputWarning, match="off by a factor"):
        found = with_spectrum(ec.SpectralEDM(), spectrum, x)
    assert found.spectrum is not None
    assert found.spectrum.null_variance > 0
    assert with_spectrum(found, spectrum, x) is found
    assert with_spectrum(ec.EDM(), spectrum, x) == ec.EDM()
