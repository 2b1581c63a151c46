"""The command line: parses, calls, prints. User errors are one line on stderr and exit code 2."""

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any, NoReturn

import jsonargparse
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from . import __version__
from .checks import InputError
from .citation import citations
from .config import DataOptions, RunConfig, TrainingOptions
from .files import atomic
from .optimizers import GradientFlow
from .pipeline import FRACTIONS, read, run, write_report
from .recipe import Recipe
from .report.palette import spread_modes
from .runs import CONFIG, REPORT, RunFolder


@dataclass(frozen=True, kw_only=True)
class SpectrumConfig(DataOptions):
    """The spectrum of a data set, as a table and optionally a NetCDF file.

    Attributes:
        data: bundled name or path, as for `run`
        out: NetCDF file to write
        seed: of the choice of samples
    """

    data: str
    out: str | None = None
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """Make report.html, figures and samples of a finished run again.

    Attributes:
        run: folder of the run
    """

    run: str


@dataclass(frozen=True, kw_only=True)
class CiteConfig(TrainingOptions):
    """BibTeX of exactly the methods that a recipe uses."""


@dataclass(frozen=True)
class Call:
    """How a command was called: the whole config as YAML, and the command as typed."""

    yaml: str
    command: str


@contextmanager
def _stage(name: str) -> Iterator[Callable[[int, int], None]]:
    """A progress line on stderr; silent where stderr is not a terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:>10}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
        bar.update(task, completed=1, total=1)


def _run(config: RunConfig, call: Call, *, brute_force: bool = True) -> None:
    result = run(config, call.yaml, call.command, _stage, brute_force=brute_force)
    learned = result.metrics["predicted"]["variance_learned"]
    moments = ", ".join(f"{100 * f:g} % {_by_step(learned[f'{f:g}'])}" for f in FRACTIONS)
    print(f"variance learned in {result.metrics['steps']:,} steps, predicted: {moments}")
    if result.comparison is not None:
        print(f"prediction against brute force: {result.comparison}")
    print(f"report: {(result.folder.path / REPORT).resolve()}")


def _by_step(step: float) -> str:
    return "not reached" if np.isnan(step) else f"by step {step:,.0f}"


def _predict(config: RunConfig, call: Call) -> None:
    _run(config, call, brute_force=False)


def _spectrum(config: SpectrumConfig, _: Call) -> None:
    dataset, spectrum = read(config.data, config, config.seed)
    if config.out is not None:
        with atomic(config.out) as temporary:
            spectrum.to_dataset().to_netcdf(temporary, engine="h5netcdf")
    table = Table(
        title=f"{dataset.name}: {len(dataset.samples):,} samples, {spectrum.n_modes} modes, rank {spectrum.rank}"
    )
    for column in ("mode", "variance", "held-out variance", "cumulative share"):
        table.add_column(column, justify="right")
    share = spectrum.variance.cumsum() / spectrum.variance.sum()
    for k in spread_modes(spectrum.n_modes, 16):
        held_out = "" if spectrum.test_variance is None else f"{spectrum.test_variance[k]:.4g}"
        table.add_row(str(k + 1), f"{spectrum.variance[k]:.4g}", held_out, f"{100 * share[k]:.2f} %")
    Console().print(table)


def _report(config: ReportConfig, _: Call) -> None:
    folder = RunFolder(config.run)
    if not (folder.path / CONFIG).is_file():
        raise InputError(f"run must be the folder of a run, got {config.run}, which has no {CONFIG}")
    write_report(folder)
    print(f"report: {(folder.path / REPORT).resolve()}")


def _cite(config: CiteConfig, _: Call) -> None:
    recipe = Recipe(config.objective, config.architecture, config.optimizer or GradientFlow(), config.sampler)
    print("\n\n".join(citations(recipe)))


COMMANDS: dict[str, tuple[type, Callable[[Any, Call], None], str]] = {
    "run": (RunConfig, _run, "the main job: spectrum, prediction, brute-force check, comparison, report"),
    "predict": (RunConfig, _predict, "spectrum, prediction and report, without the brute-force check"),
    "spectrum": (SpectrumConfig, _spectrum, "the spectrum of a data set"),
    "report": (ReportConfig, _report, "make the report of a finished run again"),
    "cite": (CiteConfig, _cite, "BibTeX of exactly the methods that a recipe uses"),
}


SWITCHES = {
    "overwrite": "replace an earlier run in out",
    "resume": "continue the run in out after its last finished stage",
}
"""Options that are given without a value."""


class _Parser(jsonargparse.ArgumentParser):
    """Errors become an InputError, to be printed in one line."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        raise InputError(message)


def _one_line(message: str) -> str:
    """jsonargparse explains itself over several lines; keep the words."""
    return " ".join(part.strip(" -") for part in message.splitlines() if part.strip(" -"))


def parser() -> tuple[_Parser, dict[str, _Parser]]:
    """The parser, and the parser of each command."""
    top = _Parser(prog="eigenclock", description="When will a diffusion model have learned each feature of your data?")
    top.add_argument("--version", action="version", version=__version__)
    subcommands, parsers = top.add_subcommands(required=True), {}
    for name, (config, _, summary) in COMMANDS.items():
        command = _Parser(description=(config.__doc__ or "").split("\n\n")[0], print_config="--print-config")
        command.add_argument("--config", action="config", help="YAML file with any of these options")
        command.add_class_arguments(config, as_group=False, skip=set(SWITCHES))
        for switch in SWITCHES.keys() & {field.name for field in fields(config)}:
            command.add_argument(f"--{switch}", action="store_true", help=SWITCHES[switch])
        subcommands.add_subcommand(name, command, help=summary)
        parsers[name] = command
    return top, parsers


def _instantiate(top: _Parser, parsed: Any) -> Any:
    """The parsed options as objects; an InputError that jsonargparse has wrapped in its own comes out again."""
    try:
        return top.instantiate(parsed)
    except (ValueError, TypeError) as error:
        found: BaseException | None = error
        while found is not None and not isinstance(found, InputError):
            found = found.__cause__ or found.__context__
        if found is None:
            raise
        raise found from None


def main(arguments: list[str] | None = None) -> None:
    """Entry point of `eigenclock`."""
    top, parsers = parser()
    try:
        parsed = top.parse_args(arguments)
        name = parsed.subcommand
        config_class, command, _ = COMMANDS[name]
        options = dict(vars(_instantiate(top, parsed)[name]))
        options.pop("config", None)
        typed = shlex.join(["eigenclock", *(sys.argv[1:] if arguments is None else arguments)])
        command(config_class(**options), Call(parsers[name].dump(parsed[name]), typed))
    except InputError as error:
        print(f"eigenclock: error: {_one_line(str(error))}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("eigenclock: interrupted; a run continues with --resume", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
