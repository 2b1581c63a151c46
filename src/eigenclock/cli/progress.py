"""How far a command is: a line that moves on a terminal, a line a minute in a log."""

import sys
import time as clock
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Column

from ..jobs.stages import Report

EVERY_SECONDS = 60.0
"""Time between lines where stderr is no terminal."""


@contextmanager
def stage(name: str) -> Iterator[Report]:
    """Progress of a stage on stderr."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield in_a_log(name)
        return
    columns = (
        TextColumn("{task.description}", table_column=Column(no_wrap=True, min_width=len(name))),
        TaskProgressColumn(table_column=Column(no_wrap=True, min_width=4)),
        TimeRemainingColumn(table_column=Column(no_wrap=True, min_width=7)),
        TextColumn("left", table_column=Column(no_wrap=True, min_width=4)),
        TextColumn("{task.fields[words]}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
    )
    with Progress(*columns, console=console, expand=True) as bar:
        task = bar.add_task(name, total=None, words="")
        yield lambda done, total, words="": bar.update(task, completed=done, total=total, words=words)
        bar.update(task, completed=1, total=1)


def in_a_log(name: str) -> Report:
    """A report that prints a line a minute: per cent, time left, words."""
    begun = last = clock.monotonic()

    def report(done: int, total: int | None, words: str = "") -> None:
        nonlocal last
        now = clock.monotonic()
        if now - last < EVERY_SECONDS:
            return
        last = now
        if total:
            left = (now - begun) * (total - done) / max(done, 1)
            far = f"{100 * done / total:.0f} % ({done:,} of {total:,}), {_duration(left)} left"
        else:
            far = f"{_duration(now - begun)} so far"
        print(f"eigenclock: {name}: {far}{' · ' if words else ''}{words}", file=sys.stderr, flush=True)

    return report


def _duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s"
