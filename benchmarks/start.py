"""What it costs to start: CPU seconds of importing the package and of the command line's shortest answers."""

import resource
import subprocess
import sys
from collections.abc import Iterator

import numpy as np

from .measure import Row

EVERYTHING = """
import sys

class WithoutTorch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ImportError(name)

sys.meta_path.insert(0, WithoutTorch())
import eigenclock
for name in eigenclock.__all__:
    try:
        getattr(eigenclock, name)
    except eigenclock.InputError:
        pass
"""
"""What version 0.1.0 did on import: load every public name that needs no PyTorch."""

PROBE = """
import torch
import eigenclock as ec
probe = ec.Probe(ec.Spectrum([1.0, 0.1]), steps=[1, 2], n_samples=64)
for step in range(3):
    probe(step, lambda x, sigma: x / (1 + sigma**2))
probe.curve()
"""

PROBE_SECONDS = 1.0
"""Limit of CPU seconds that a probe takes beyond importing PyTorch: imports, three probed steps, the curve."""

MOST_SECONDS = 0.5
"""Limit of CPU seconds of `eigenclock --version` and `eigenclock --help`."""


def starting() -> Iterator[Row]:
    """Import against an eager one of the same names; answers that need no theory against their limit."""
    bare = cpu_seconds("pass")
    eager = cpu_seconds(EVERYTHING)
    lazy = cpu_seconds("import eigenclock")
    yield Row("import eigenclock / all names at once, CPU", lazy, eager, "≤ 0.6", lazy <= 0.6 * eager)
    yield Row("import eigenclock / an empty Python, CPU", lazy, bare, "", True)
    ours = cpu_seconds(PROBE) - cpu_seconds("import torch")
    yield Row("import and run ec.Probe, beyond PyTorch / limit, CPU", ours, PROBE_SECONDS, "≤ 1", ours <= PROBE_SECONDS)
    for option in ("--version", "--help"):
        call = f"import sys; sys.argv[1:] = ['{option}']; from eigenclock.cli import main; main()"
        ours = cpu_seconds(call)
        yield Row(f"eigenclock {option} / limit, CPU", ours, MOST_SECONDS, "≤ 1", ours <= MOST_SECONDS)


def cpu_seconds(script: str, repeats: int = 5) -> float:
    """Median user and system seconds of a Python process, after one that is not counted."""
    spent = []
    for _ in range(repeats + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return float(np.median(spent[1:]))
