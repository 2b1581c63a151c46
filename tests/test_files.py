"""Tests of `eigenclock.files`: full disks, limits, locks, plain YAML."""

import os
import subprocess
import sys

import numpy as np
import pytest

import eigenclock as ec
from eigenclock import files


@pytest.mark.parametrize("what", ["spectrum", "curve", "text", "checkpoint"])
def test_a_file_size_limit_is_one_line_and_leaves_nothing(tmp_path, what):
    """In a process of its own, where HDF5 met a full disk it died with SIGSEGV at its end."""
    script = f"""
import resource, numpy as np, torch, eigenclock as ec
from eigenclock import files
from eigenclock.training.checkpoints import save_checkpoint
net = torch.nn.Linear(200, 200)
calls = {{
    "spectrum": lambda p: ec.Spectrum(np.ones(50_000)).save(p + ".nc"),
    "curve": lambda p: ec.predict(ec.Spectrum(np.ones(500))).save(p + ".nc"),
    "text": lambda p: files.write_text(p + ".txt", "x" * 100_000),
    "checkpoint": lambda p: save_checkpoint(p + ".safetensors", {{"net": net}}, torch.optim.SGD(net.parameters()), {{}}),
}}
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    calls[{what!r}]({str(tmp_path / "x")!r})
except ec.InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cannot write ")
    assert "File too large" in done.stdout
    assert os.listdir(tmp_path) == []


def test_devices_are_never_written_over():
    before = os.stat("/dev/full")
    with pytest.raises(ec.InputError, match=r"^cannot write /dev/full: it is a device or a pipe$"):
        files.write_text("/dev/full", "x")
    assert os.path.samestat(before, os.stat("/dev/full"))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "an empty one"),
        ("null", "null"),
        ("[]", r"\[\]"),
        ("a" * 300, "File name too long"),
        ("a\0b", "null byte"),
        (3.0, "3.0"),
        (None, "None"),
    ],
)
def test_paths_that_are_none(value, message):
    with pytest.raises(ec.InputError, match=f"^out must be a path, got .*{message}"):
        files.path_of("out", value)


def test_one_process_has_a_folder_at_a_time(tmp_path):
    script = "import sys; from eigenclock import files\nwith files.locked(sys.argv[1]):\n print('in', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "r")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        first.stdout.readline()
        with pytest.raises(ec.InputError, match=r"/r is in use by another process"), files.locked(tmp_path / "r"):
            pass
        first.kill()
        first.wait()
        with files.locked(tmp_path / "r"):  # a lock ends with its process, however that ends
            (tmp_path / "r" / "x").write_text("")
    with pytest.raises(ZeroDivisionError), files.locked(tmp_path / "deep" / "empty"):
        1 / 0  # noqa: B018
    assert sorted(os.listdir(tmp_path)) == ["r"], "a folder in which nothing was written is taken away"


BOMB = "a: &a [1, 1, 1]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, r"aliases \(\*name\) are not read"),
        ("&a [*a]", r"aliases \(\*name\) are not read"),
        ("network: &a {class_path: MLP, init_args: *a}", r"aliases"),
        ("data: x\ndata: y", "a key must be given once, got 'data' twice"),
        ("[" * 5000, "nested too deeply|must be YAML"),
        ("n: " + "9" * 5001, "must be YAML"),
        ("!!python/object/apply:os.system [ls]", "must be YAML"),
        ("x" * (2**20 + 1), "at most 1,048,576 characters"),
        ("a: [1, 2", "must be YAML"),
    ],
)
def test_yaml_that_is_not_read(text, message):
    with pytest.raises(ec.InputError, match=message):
        files.load_yaml(text, "config")


def test_plain_yaml():
    found = files.load_yaml("steps: 1e3\nlr: 1e-3\nwhen: 2020-01-01\nhalf: .5\nmany: [1, 2.0]\nyes: true", "config")
    assert found == {"steps": 1000, "lr": 0.001, "when": "2020-01-01", "half": 0.5, "many": [1, 2.0], True: True}
    assert type(found["steps"]) is int


def test_temporaries_of_killed_writes_are_found(tmp_path):
    for name in (".measured.nc.oamyecke.nc", ".results.md.abcd1234.md", ".hidden", ".gitignore", "x.nc"):
        (tmp_path / name).write_text("")
    files.remove_temporaries(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".gitignore", ".hidden", "x.nc"]


def test_netcdf_of_other_programs(tmp_path):
    spectrum = ec.Spectrum.from_samples(np.random.default_rng(0).standard_normal((9, 2, 3)))
    spectrum.save(tmp_path / "s.nc")
    again = ec.Spectrum.load(tmp_path / "s.nc")
    assert np.array_equal(again.variance, spectrum.variance)
    assert np.array_equal(again.mean, spectrum.mean)
    assert np.array_equal(again.basis.components, spectrum.basis.components)
    assert again.n_samples == 9
    ec.predict(spectrum, time=[1.0]).save(tmp_path / "c.nc")
    assert np.array_equal(ec.Spectrum.load(tmp_path / "c.nc").variance, spectrum.variance), (
        "the spectrum behind a curve"
    )
    damaged = bytearray((tmp_path / "s.nc").read_bytes())
    damaged[1000] ^= 1
    (tmp_path / "damaged.nc").write_bytes(damaged)
    with pytest.raises(ec.InputError, match=r"damaged\.nc \(damaged: its bytes are not those that were written\)$"):
        ec.Spectrum.load(tmp_path / "damaged.nc")
    plain = (tmp_path / "s.nc").read_bytes()
    (tmp_path / "old.nc").write_bytes(plain[: plain.rindex(files.TRAILER)])  # as version 0.1.0 wrote it
    assert np.array_equal(ec.Spectrum.load(tmp_path / "old.nc").variance, spectrum.variance)
    (tmp_path / "text.nc").write_text("hello")
    with pytest.raises(ec.InputError, match=r"^not a readable spectrum: .*text\.nc \("):
        ec.Spectrum.load(tmp_path / "text.nc")
    with pytest.raises(ec.InputError, match=r"^spectrum not found: "):
        ec.Spectrum.load(tmp_path / "none.nc")
