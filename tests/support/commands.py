"""A small run of the theory, and a call of the command line in a process of its own."""

import subprocess
import sys

SMALL = [
    "--data", "digits", "--sampler", "Heun", "--sampler.steps", "20", "--steps", "40", "--simulation.records", "8",
    "--simulation.particles", "64", "--simulation.batch_size", "16", "--simulation.enabled", "true",
]  # fmt: skip


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "eigenclock", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )
