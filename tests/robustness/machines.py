"""Machines that try inputs on the library: `python tests/robustness/machines.py [calls bytes commands stops] [--share 0.1]`.

Each prints what it tried and every fault, and ends with 1 if there is one. `make robustness` runs all of all.
"""

import argparse
import io
import json
import logging
import os
import shutil
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE)]

import calls  # noqa: E402
import command_lines  # noqa: E402
import judge  # noqa: E402
import mutations  # noqa: E402
import stops  # noqa: E402

COMMANDS = 400
STOPS = 5


def try_calls(share: float, seed: int, folder: Path) -> judge.Tally:
    """(a)"""
    tally = judge.Tally()
    os.chdir(folder)
    for name, (function, arguments) in calls.right_calls().items():
        judge.judge(tally, f"{name} as it should be", lambda f=function, a=arguments: f(**a))
    for what, name, argument, label in calls.generated(share, seed):
        judge.judge(tally, what, calls.call_of(name, argument, label))
    return tally


def try_bytes(share: float, seed: int, folder: Path) -> judge.Tally:
    """(b)"""
    tally = judge.Tally()
    for kind, file, reader in list(mutations.whole_files(folder)):
        whole = file.read_bytes()
        for i in range(max(1, round(mutations.MUTATIONS * share))):
            file.write_bytes(mutations.mutated(whole, 1000 * seed + i))
            judge.judge(tally, f"{kind} {i}", lambda read=reader, path=file: read(str(path)), type_errors=False)
        file.write_bytes(whole)
    return tally


def try_commands(share: float, seed: int, folder: Path) -> judge.Tally:
    """(c)"""
    import numpy as np
    from PIL import Image

    import eigenclock as ec

    tally = judge.Tally()
    rng = np.random.default_rng(0)
    np.save(folder / "x.npy", rng.standard_normal((40, 4)))
    (folder / "bad.npy").write_bytes(b"\x93NUMPY")
    (folder / "pictures").mkdir()
    for i in range(5):
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / "pictures" / f"{i}.png")
    ec.Spectrum([1.0, 0.1]).save(folder / "s.nc")
    (folder / "config.yaml").write_text("data: digits\nn: 40\n")
    os.chdir(folder)
    for i in range(round(COMMANDS * share)):
        line = command_lines.command_line(10_000 * seed + i, str(folder))
        judge.judge(tally, " ".join(line)[:160], lambda words=line: call(words), type_errors=False)
    return tally


def call(words: list[str]) -> None:
    """A command line through `main`: it must end with 0 or 2, with one line if with 2."""
    from eigenclock.checks import InputError
    from eigenclock.cli import main

    err = io.StringIO()
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(err):
            main(words)
    except SystemExit as end:
        if end.code not in (0, 2, None):
            raise RuntimeError(f"exit {end.code}: {err.getvalue()[-200:]}") from None
        errors = [line for line in err.getvalue().splitlines() if line.startswith("eigenclock: error")]
        if end.code == 2 and len(errors) != 1:
            raise RuntimeError(f"not one line: {err.getvalue()[-200:]}") from None
        if end.code == 2:
            raise InputError(errors[0]) from None


def try_stops(share: float, seed: int, folder: Path) -> judge.Tally:
    """(d)"""
    tally = judge.Tally()
    kinds = ("run", "fit", "study") if share == 1 else ("run",)
    stops.all_stops(tally, folder, max(1, round(STOPS * share)), kinds)
    return tally


def write_page(page: Path, found: dict, examples: int) -> None:
    """Put the counts into a page."""
    sys.path.insert(0, str(HERE.parent.parent))
    from examples.pages import insert

    ways = {"answered": ("answered", "went on"), "refused": ("refused",), "TypeError": ("TypeError",)}
    rows = [
        "| machine | inputs | answered | refused in one line | wrong calls (TypeError) | faults |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, one in found.items():
        counts = [sum(one["ends"].get(end, 0) for end in ends) for ends in ways.values()]
        rows.append(
            f"| {name} | {one['tried']:,} | {counts[0]:,} | {counts[1]:,} | {counts[2]:,} | {len(one['faults'])} |"
        )
    if examples:
        rows.append(f"| predict | {examples:,} | | | | 0 |")
    insert(page, "robustness", "\n".join(rows))


MACHINES = {"calls": try_calls, "bytes": try_bytes, "commands": try_commands, "stops": try_stops}


def main() -> None:
    """Run machines, print tallies."""
    parser = argparse.ArgumentParser()
    parser.add_argument("machines", nargs="*", default=list(MACHINES))
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--page", type=Path, help="page whose table of counts is made again")
    parser.add_argument(
        "--examples", type=int, default=0, help="recipes that the test of predict was run with, for the page"
    )
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    found = {}
    for name in given.machines:
        folder = Path(tempfile.mkdtemp(prefix=f"robustness-{name}-"))
        if name != "stops":
            judge.limit_memory()
        try:
            tally = MACHINES[name](given.share, given.seed, folder)
        finally:
            os.chdir(HERE)
            shutil.rmtree(folder, ignore_errors=True)
        print(f"{name}: {tally}", *tally.faults, sep="\n  ", flush=True)
        found[name] = {"tried": tally.tried, "ends": dict(tally.ends), "faults": tally.faults}
    if given.json:
        given.json.write_text(json.dumps(found, indent=2))
    if given.page:
        write_page(given.page, found, given.examples)
    sys.exit(any(one["faults"] for one in found.values()))


if __name__ == "__main__":
    main()
