"""Options of a study's parts, changed by name: typed by their own dataclasses, as every option of the command line."""

import re
from collections.abc import Mapping
from typing import Any

import jsonargparse

from eigenclock.checks import InputError, shown
from eigenclock.cli.errors import one_line
from eigenclock.cli.parsing import CommandParser
from eigenclock.cli.yaml_values import MODE

PREFIX = "set"
"""What an option's name starts with on the command line and in errors."""


def changed(options: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Options (frozen dataclasses) by part, some of their fields replaced.

    `changes`: values, or YAML of them, by nested or dotted names: {"window.seeds": (0, 1)}, {"window": {"model": {"width": 64}}}.
    Raises InputError for a name that is not there, a value of another kind, a combination that a dataclass refuses.
    """
    if not changes:
        return dict(options)
    parser = CommandParser(exit_on_error=False, parser_mode=MODE)
    for part, one in options.items():
        parser.add_argument(f"--{PREFIX}.{part}", type=type(one), default=one)
    wanted = _nested(changes)
    for part, change in wanted.items():
        if part not in options:
            raise InputError(f"{PREFIX} must name one of {', '.join(options)}, got {shown(part)}")
        if not isinstance(change, Mapping):
            kind = type(options[part]).__name__
            raise InputError(f"{PREFIX}.{part} must be options inside {kind} by name, got {shown(change)}")
    try:
        found = parser.instantiate(parser.parse_object({PREFIX: wanted}))
    except (jsonargparse.ArgumentError, InputError) as error:
        raise InputError(_words(str(error))) from None
    return dict(vars(found[PREFIX]))


def _words(message: str) -> str:
    """jsonargparse's words in one line, in the user's terms."""
    unknown = re.match(r"Group '([\w.]+)' does not accept option '([\w.]+)'", message)
    return f"{unknown[1]} has no option {unknown[2]}" if unknown else one_line(message)


def _nested(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted names as mappings in mappings."""
    found: dict[str, Any] = {}
    for name, value in changes.items():
        first, _, rest = name.partition(".")
        inner = {rest: value} if rest else value
        inner = _nested(inner) if isinstance(inner, Mapping) else inner
        if isinstance(inner, dict) and isinstance(found.get(first), dict):
            inner = _merged(found[first], inner)
        found[first] = inner
    return found


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = {key: _merged(one[key], other[key]) for key in one.keys() & other.keys() if isinstance(one[key], dict)}
    return one | other | both
