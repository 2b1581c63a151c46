"""Studies by name: found through the entry-point group "eigenclock.studies", to which any package can add its own."""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from ..checks import InputError

GROUP = "eigenclock.studies"


def _found() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP))}


def study_names() -> tuple[str, ...]:
    """Names of all studies that are installed, in alphabetical order."""
    return tuple(_found())


def find_study(name: str) -> Any:
    """The study of a name, a class with `run(preset=, out=, ...)`; InputError if there is none, or it cannot be imported."""
    found = _found()
    if name not in found:
        raise InputError(f"study must be one of {', '.join(found)}, got {name!r}")
    try:
        return found[name].load()
    except (ImportError, AttributeError) as error:
        raise InputError(f"study {name} cannot be imported from {found[name].value}: {error}") from None
