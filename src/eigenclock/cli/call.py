"""How a command was called, and the line that shows how far it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ..jobs.stages import Report


@dataclass(frozen=True)
class Call:
    """How a command was called: the whole config as YAML, and the command as typed."""

    yaml: str
    command: str


@contextmanager
def stage(name: str) -> Iterator[Report]:
    """A progress line on stderr; silent where stderr is not a terminal."""
    console = Console(stderr=True)
    times = TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()
    columns = TextColumn("{task.description:>10}"), BarColumn(bar_width=20), *times, TextColumn("{task.fields[words]}")
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None, words="")
        yield lambda done, total, words="": bar.update(task, completed=done, total=total, words=words)
        bar.update(task, completed=1, total=1)
