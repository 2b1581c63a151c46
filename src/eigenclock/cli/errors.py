"""What is wrong with the command line, in one line and in the user's terms.

It reads the messages of jsonargparse 4, which pyproject.toml pins; `tests/cli/test_errors.py` holds them to the letter.
"""

import re
from typing import Any

from ..recipe.architectures import Architecture
from ..recipe.objectives import Objective
from ..recipe.optimizers import Optimizer
from ..recipe.recipe import concrete
from ..recipe.samplers import Sampler
from ..training.network_options import Network

PARTS: dict[str, type[Any]] = {
    kind.__name__.lower(): kind for kind in (Objective, Architecture, Optimizer, Sampler, Network)
}


def _of_an_option(option: str, value: str, line: str) -> str:
    """What is wrong with an option of a part, in the user's terms."""
    part, name = option.split(".", 1)
    if "is abstract" in line:
        return f"{part} must be named before its options: --{part} NAME --{option} {value}"
    if "is not accepted" in line:
        return f"{part} has no option {name}, got --{option} {value}"
    expected = re.search(r"Expected (?:a |an )?<class '(\w+)'>", line)
    kinds = {
        "int": "a whole number",
        "float": "a number",
        "bool": "true or false",
        "tuple": "a list like [0.3,0.1]",
        "NoneType": "a name that --help lists",
    }
    allowed = kinds.get(expected[1], f"a {expected[1]}") if expected else "one that --help lists"
    return f"{option} must be {allowed}, got {value}"


def one_line(message: str) -> str:
    """jsonargparse explains itself over several lines and in Python's terms; keep the words, in the user's terms."""
    line = " ".join(part.strip(" -") for part in message.splitlines() if part.strip(" -"))
    nested = re.match(r"Parser key \"(\w+)\": .*NestedArg\(key='([\w.]+)', val=(.*)\)", line)
    if nested:
        return _of_an_option(f"{nested[1]}.{nested[2]}", nested[3].strip("'"), line)
    unknown = re.match(r'Parser key "(\w+)": .*(?:dot import path string|accessible or invalid)\W*(\w*)', line)
    if unknown and unknown[1] in PARTS:
        names = ", ".join(kind.__name__ for kind in concrete(PARTS[unknown[1]]))
        return f"{unknown[1]} must be one of {names}, got {unknown[2]}"
    deep = re.match(r'Parser key "(\w+)": Parser key "([\w.]+)": (Expected .*?)\. Got value: (.*)', line)
    if deep:
        return _of_an_option(f"{deep[1]}.{deep[2]}", deep[4], line)
    refused = re.match(r"Parser key \"(\w+)\": Option '(\w+)' is not accepted", line)
    if refused and refused[1] in PARTS:
        return f"{refused[1]} has no option {refused[2]}"
    listed = re.match(r'Parser key "([\w.]+)": Expected a typing.Literal\[(.*)\]. Got value: (.*)', line)
    if listed:
        return f"{listed[1]} must be one of {listed[2].replace(chr(39), '')}, got {listed[3]}"
    missing = re.match(r"the following arguments are required: (.*)", line)
    if missing:
        return "these options are required: " + ", ".join(
            f"--{name.strip().split('.', 1)[-1]}" for name in missing[1].split(",")
        )
    return line
