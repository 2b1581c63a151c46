"""Writing files so that a reader, or a crash, never sees half of one; tables as Markdown."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from .checks import InputError


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; rename it to `path` on success, remove it on failure."""
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=target.suffix)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror or error}") from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        if target.is_dir():
            raise InputError(f"cannot write {target}: it is a folder")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def write_text(path: str | Path, text: str) -> None:
    """Write a text file atomically, UTF-8."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def flat(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted names."""
    parts = (flat(v, f"{prefix}{k}.") if isinstance(v, Mapping) else {f"{prefix}{k}": v} for k, v in nested.items())
    return {key: value for part in parts for key, value in part.items()}


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Which settings differ, and how: "steps was 10, now 20"; empty if none does."""
    first, second = flat(old), flat(new)
    keys = sorted(key for key in first.keys() | second.keys() if first.get(key) != second.get(key))
    return ", ".join(f"{key} was {first.get(key)}, now {second.get(key)}" for key in keys)


def markdown(table: pd.DataFrame) -> str:
    """A GitHub-flavoured Markdown table; numbers to three digits, vertical bars escaped."""
    header = "| " + " | ".join(str(name).replace("_", " ") for name in table.columns) + " |"
    rule = (
        "|" + "|".join("---:" if pd.api.types.is_numeric_dtype(table[name]) else "---" for name in table.columns) + "|"
    )
    rows = ["| " + " | ".join(_cell(value) for value in row) + " |" for row in table.itertuples(index=False)]
    return "\n".join([header, rule, *rows])


def _cell(value: object) -> str:
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
