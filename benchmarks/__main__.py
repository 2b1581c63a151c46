"""Run every benchmark, print the table, and write it for the documentation. Exit code 1 if a promise is broken.

With names of modules, `python -m benchmarks preconditioning`, only theirs: their rows alone are written anew.
"""

import platform
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from examples import pages
from . import (
    advising,
    beyond_memory,
    convolutions,
    copies,
    forecasting,
    latents,
    preconditioning,
    prediction,
    spectra,
    start,
    training,
)

BENCHMARKS = (
    start.starting,
    prediction.against_brute_force,
    prediction.against_quad,
    prediction.against_special_functions,
    prediction.large,
    spectra.against_eigh,
    beyond_memory.against_blas,
    beyond_memory.costs,
    beyond_memory.accuracy,
    convolutions.against_dense,
    convolutions.large_grids,
    convolutions.matrices,
    convolutions.wide_kernels,
    convolutions.layers,
    advising.speed,
    copies.against_peers,
    copies.memory,
    copies.copies,
    forecasting.speed,
    forecasting.memory,
    latents.throughput,
    latents.against_descent,
    latents.memory,
    training.throughput,
    training.probe_share,
    training.memory,
    training.compiling,
    preconditioning.share,
)
PAGE = Path("docs/expect.md")


def main() -> None:
    """All rows, or those of the modules named."""
    named = sys.argv[1:]
    chosen = [one for one in BENCHMARKS if not named or one.__module__.rpartition(".")[2] in named]
    rows = [row for benchmark in chosen for row in benchmark()]
    table = Table("comparison", "ours", "peer", "ratio", "promise", "holds")
    new = {}
    for row in rows:
        cells = (row.what, f"{row.ours:.4g}", f"{row.peer:.4g}", f"{row.ratio:.3g}", row.promise)
        table.add_row(*cells, "yes" if row.holds else "NO")
        new[row.what] = "| " + " | ".join(cells) + " |"
    Console().print(table)
    before = pages.extract(PAGE, "benchmarks").splitlines() if named else []
    kept = {line.split(" | ")[0].removeprefix("| "): line for line in before[2:] if line.startswith("| ")}
    lines = ["| comparison | ours | peer | ratio | promise |", "|---|---:|---:|---:|---|", *(kept | new).values(), ""]
    lines += [
        f"Seconds (memory: GiB), medians, `make benchmark` on {platform.machine()}, Python {platform.python_version()}."
    ]
    pages.insert(PAGE, "benchmarks", "\n".join(lines))
    sys.exit(0 if all(row.holds for row in rows) else 1)


if __name__ == "__main__":
    main()
