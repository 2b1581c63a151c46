"""Studies by name: found through the entry-point group "eigenclock.studies", to which any package can add its own."""

from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any

from ..checks import InputError, shown

GROUP = "eigenclock.studies"


def study_names() -> tuple[str, ...]:
    """Names of all studies that are installed, in alphabetical order."""
    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)}))


def find_study(name: str) -> Any:
    """The study of a name, a class with `run(preset=, out=, ...)`; InputError if there is none, or it is not importable."""
    if name not in study_names():
        raise InputError(
            f"study must be one of {', '.join(study_names()) or 'none that is installed'}, got {shown(name)}"
        )
    entry = next(iter(entry_points(group=GROUP, name=name)))
    if find_spec(entry.module.partition(".")[0]) is None:
        raise InputError(f"study {name} must be importable, got {entry.value}, of a package that is not there")
    study = entry.load()
    if not hasattr(study, "run"):
        raise InputError(f"study {name} must be a Study, got {entry.value}, which has no run")
    return study
