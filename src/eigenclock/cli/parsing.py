"""The parser: a subcommand for each file of this folder, its options typed by the config of its function.

A command's file has `command(config, call)`, config a dataclass of its options, and `POSITIONAL`, the name and words of an
option that is given by its place, if it has one.
"""

import difflib
import re
from collections.abc import Collection
from dataclasses import fields
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn, get_type_hints

import jsonargparse

from .. import __version__
from .yaml_values import MODE

COMMANDS = {
    "run": "the main job: spectrum, prediction, training under the probe, comparison, report",
    "predict": "spectrum, prediction and report, checked by brute force if asked for",
    "choose": "which recipe for the data: ranked by the training it needs, before anything is trained",
    "train": "spectrum, prediction and training under the probe",
    "compare": "set a trained run, or two learning curves, side by side",
    "spectrum": "the spectrum of a data set",
    "report": "make the report of a finished run again",
    "study": "train the networks of a study and set its claims against measurements",
    "diagnose-latents": "which latent space will a diffusion model learn fast: structure, continuity, semantics, "
    "predicted clocks",
    "score-latent": "score latent diffusion on an array of your own: fit, then sample",
    "cite": "BibTeX of exactly the methods that a recipe uses",
}
"""Every command, and what it does in a line; its file is imported when it is called."""

SWITCHES = {"overwrite": "replace what is in out", "resume": "go on from where an earlier call stopped"}
"""Options that are given without a value."""


DASHED = {"--print-config"}
"""Options that are spelt with a dash; all others with underscores."""

NEAR = 0.75
"""Likeness of an option that is not known to one that was probably meant."""


class CommandParser(jsonargparse.ArgumentParser):
    """Errors become an InputError, to be printed in one line; near misses are told."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        from ..checks import InputError
        from .yaml_values import refused

        raise refused(ex) or InputError(f"{message}{self._nearest(message)}")

    def _nearest(self, message: str) -> str:
        """The option that was probably meant, of one that is not known."""
        unknown = re.match(r"[Uu]nrecognized arguments: (--[\w.\-]+)", message)
        if not unknown:
            return ""
        known = {option for action in self._actions for option in action.option_strings if option.startswith("--")}
        near = difflib.get_close_matches(unknown[1], sorted(known), 1, NEAR)
        return f"; did you mean {near[0]}?" if near else ""


def normalised(given: list[str]) -> list[str]:
    """The words of a call with every option spelt with underscores."""
    words = []
    for word in given:
        name, equals, value = word.partition("=")
        if name.startswith("--") and len(name) > 2 and name.replace("_", "-") not in DASHED:
            name = "--" + name[2:].replace("-", "_")
        elif name.replace("_", "-") in DASHED:
            name = name.replace("_", "-")
        words.append(f"{name}{equals}{value}")
    if any(word.startswith("--network.") for word in words):
        from ..training.renamed import renamed_words

        return renamed_words(words)
    return _gathered(_named(words))


DENSITY = "--objective.density"


def _named(words: list[str]) -> list[str]:
    """The words with LogNormal named before its options, where no other density is: there was none but it once."""
    options = [i for i, word in enumerate(words) if word.startswith(f"{DENSITY}.")]
    elsewhere = any(word.partition("=")[0] in (DENSITY, "--config") for word in words)
    if not options or elsewhere:
        return words
    return [*words[: options[0]], f"{DENSITY}=LogNormal", *words[options[0] :]]


def _gathered(words: list[str]) -> list[str]:
    """The words with all flags --set.name value as one --set: of names inside one another the parser keeps the last alone."""
    found, values, i = [], [], 0
    while i < len(words):
        name, equals, value = words[i].partition("=")
        if name.startswith("--set.") and (equals or i + 1 < len(words)):
            i += not equals
            values.append(f"{name.removeprefix('--set.')}: {value if equals else words[i]}")
        else:
            found.append(words[i])
        i += 1
    return [*found, "--set", f"{{{', '.join(values)}}}"] if values else words


def command_file(name: str) -> ModuleType:
    """The file of a command."""
    return import_module(f".{name.replace('-', '_')}", __package__)


def config_of(file: ModuleType) -> Any:
    """The dataclass of a command's options."""
    return get_type_hints(file.command)["config"]


def parser(names: Collection[str] = tuple(COMMANDS)) -> tuple[CommandParser, dict[str, CommandParser]]:
    """The parser, and the parser of each command; only those of `names` know their options."""
    top = CommandParser(
        parser_mode=MODE,
        allow_abbrev=False,
        prog="eigenclock",
        description="When will a diffusion model have learned each feature of your data?",
    )
    top.add_argument("--version", action="version", version=__version__)
    subcommands, parsers = top.add_subcommands(required=True), {}
    for name, summary in COMMANDS.items():
        command = CommandParser(
            parser_mode=MODE,
            allow_abbrev=False,
            description=summary[0].upper() + summary[1:] + ".",
            print_config="--print-config",
        )
        if name in names:
            _add_options(command, command_file(name))
        subcommands.add_subcommand(name, command, help=summary)
        parsers[name] = command
    return top, parsers


def _add_options(command: CommandParser, file: ModuleType) -> None:
    config = config_of(file)
    command.add_argument("--config", action="config", help="YAML file with any of these options")
    place, words = getattr(file, "POSITIONAL", ("", ""))
    if place:
        command.add_argument(place, help=words)
    command.add_class_arguments(config, as_group=False, skip={*SWITCHES, place} - {""})
    known = {one.name for one in fields(config)}
    for switch, meaning in SWITCHES.items():
        if switch in known:
            command.add_argument(f"--{switch}", action="store_true", help=meaning)
