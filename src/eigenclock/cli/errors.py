"""What is wrong with the command line, in one line and in the user's terms.

It reads the messages of jsonargparse 4, which pyproject.toml pins; `tests/cli/test_errors.py` holds them to the letter.
"""

import difflib
import re
from typing import Any

from ..recipe.architectures import Architecture
from ..recipe.densities import Density
from ..recipe.objectives import Objective
from ..recipe.optimizers import Optimizer
from ..recipe.recipe import concrete
from ..recipe.samplers import Sampler
from ..recipe.weighting import NoiseWeight
from ..training.network_options import Network
from ..training.optimizers import Descent
from .parsing import COMMANDS, command_file

PARTS: dict[str, tuple[type[Any], ...]] = {
    "objective": (Objective,),
    "architecture": (Architecture,),
    "optimizer": (Optimizer, Descent),
    "sampler": (Sampler,),
    "network": (Network,),
}
"""What the parts of a recipe are made of; `run` trains with the optimizers of networks."""

KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "tuple": "a list like [0.3,0.1]",
    "list": "a list like [0.3,0.1]",
    "dict": "options by name",
    "str": "text",
}
"""Python's kinds in the user's terms."""


def one_line(message: str) -> str:
    """jsonargparse explains itself over several lines and in Python's terms; keep what is meant, in the user's terms."""
    line = " ".join(part.strip(" -") for part in message.splitlines() if part.strip(" -"))
    line = line.replace('use Spectrum.from_samples(x, basis="fourier")', "use --basis fourier")
    for read in (_command, _missing, _option):
        found = read(line)
        if found:
            return found
    return line


def _command(line: str) -> str:
    """No command, or one that is not known."""
    if "to be one of {run" in line and "was not provided" in line:
        return f"a command is needed, one of {', '.join(COMMANDS)}: eigenclock --help says what they do"
    unknown = re.match(r"argument subcommand: invalid choice: '(.*)' \(choose from", line)
    if not unknown:
        return ""
    near = difflib.get_close_matches(unknown[1], COMMANDS, 1)
    return f"command must be one of {', '.join(COMMANDS)}, got {unknown[1]}" + (
        f"; did you mean {near[0]}?" if near else ""
    )


def _missing(line: str) -> str:
    """Options that are not there, and what is given by its place."""
    missing = re.match(r"the following arguments are required: (.*)", line)
    if not missing:
        return ""
    names = [name.strip().split(".", 1)[-1] for name in missing[1].split(",")]
    places = {
        place: f"eigenclock {command} {place.upper()} …, {words}"
        for command in ("study", "score-latent", "diagnose-latents")
        for place, words in (command_file(command).POSITIONAL,)
    }
    parts = [f"{name} must come first: {places[name]}" for name in names if name in places]
    options = [f"--{name}" for name in names if name not in places]
    return "; ".join(parts + ([f"these options are required: {', '.join(options)}"] if options else []))


def _option(line: str) -> str:
    """An option with a value that it cannot have."""
    keys = re.findall(r'Parser key "([\w.]+)": ', line)
    if not keys:
        return ""
    key, rest = ".".join(keys), line.rsplit(f'Parser key "{keys[-1]}": ', 1)[1]
    nested = re.search(r"NestedArg\(key='([\w.]+)', val=(.*)\)", rest)
    got = re.search(r"(?:Got value|Given value): (.*)$", rest)
    value = nested[2].strip("'") if nested else got[1].strip() if got else ""
    refused = re.search(r"Option '(\w+)' is not accepted", rest) or re.search(r"does not accept option '(\w+)'", rest)
    if nested:
        key = key if key.endswith(f".{nested[1]}") else f"{key}.{nested[1]}"
        if "is abstract" in rest and key.split(".")[0] in PARTS:
            part = key.split(".")[0]
            return f"{part} must be named before its options: --{part} NAME --{key} {value}"
    if refused or "is not accepted" in rest:
        name = refused[1] if refused else key.split(".", 1)[-1]
        where = key.removesuffix(f".{name}")
        return f"{where} has no option {name}" + (f", got --{key} {value}" if nested else "")
    part = key.split(".")[-1]
    unknown = re.search(r"(?:dot import path string|accessible or invalid)\W*(\w*)", rest)
    abstract = re.search(r"instantiatable class, but (\w*) ?is abstract", rest)
    if part in PARTS and (unknown or abstract) and not nested:
        wanted = [one for one in PARTS[part] if one.__name__ in rest] or [PARTS[part][0]]
        names = ", ".join(kind.__name__ for base in wanted for kind in concrete(base))
        given = value or (unknown[1] if unknown else abstract[1] if abstract else "")
        return f"{key} must be one of {names}, got {given}"
    if part == "density" and value:
        return f"{key} must be one of {', '.join(kind.__name__ for kind in concrete(Density))}, got {value}"
    listed = re.search(r"Expected a typing.Literal\[(.*?)\]", rest)
    if listed:
        classes = [kind.__name__ for kind in concrete(NoiseWeight)] if NoiseWeight.__name__ in rest else []
        flags = ["true", "false"] if "<class 'bool'>" in rest else []
        return f"{key} must be one of {', '.join([*flags, listed[1].replace(chr(39), ''), *classes])}, got {value}"
    kinds = [kind for kind in re.findall(r"<class '(\w+)'>", rest.split("Given value type")[0]) if kind in KINDS]
    if kinds and value:
        return f"{key} must be {' or '.join(dict.fromkeys(KINDS[kind] for kind in kinds))}, got {value}"
    if "NoneType" in rest and value:
        return f"{key} must be a name that --help lists, got {value}"
    return f"{key}: {rest}"
