"""How a command was called."""

from dataclasses import dataclass
from typing import Any

from ..jobs.run_folder import lasting


@dataclass(frozen=True)
class Call:
    """How a command was called: the config that is kept of it, as YAML, and the command as typed."""

    yaml: str
    command: str


def kept_config(parser: Any, parsed: Any) -> str:
    """The options as YAML that repeats them from any folder: data by where they lie, without how this one call was to write."""
    kept = parsed.clone()
    for name in ("overwrite", "resume"):
        kept.pop(name, None)
    if isinstance(kept.get("data"), str):
        kept["data"] = lasting(kept["data"])
    return str(parser.dump(kept))
