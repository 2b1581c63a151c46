"""The command line: parses, calls, prints. User errors are one line on stderr and exit code 2."""

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, NoReturn

import jsonargparse
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from eigenclock_studies.study import STUDIES

from .. import __version__
from ..checks import InputError
from ..comparison.compare import compare
from ..curve.learning_curve import LearningCurve
from ..curve.palette import spread_modes
from ..files import atomic
from ..jobs.config import DataOptions, PredictConfig, RunConfig, TheoryOptions
from ..jobs.predict_job import DEFAULT_ARCHITECTURE, FRACTIONS, Report, Stages, predict_and_check, read
from ..jobs.report_job import write_report
from ..jobs.run_folder import REPORT
from ..jobs.run_job import MainResult, compare_stages, open_run, run, train_stages
from ..recipe.optimizers import GradientFlow
from ..recipe.recipe import Recipe
from ..report.citation import citations
from ..report.html import steps_text
from ..training.network_options import need_torch
from .errors import one_line
from .latents import DiagnoseConfig, ScoreLatentConfig, diagnose, score_latent


@dataclass(frozen=True, kw_only=True)
class SpectrumConfig(DataOptions):
    """The spectrum of a data set, as a table and optionally a NetCDF file.

    Attributes:
        data: bundled name or path, as for `run`
        out: NetCDF file (.nc) to write
        seed: of the choice of samples
        overwrite: replace an existing file
    """

    data: str
    out: str | None = None
    seed: int = 0
    overwrite: bool = False


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """Make report.html, figures and samples of a finished run again.

    Attributes:
        run: folder of the run
    """

    run: str


@dataclass(frozen=True, kw_only=True)
class CompareConfig:
    """Set a trained run, or any two learning curves, side by side.

    Attributes:
        run: folder of a trained run: compared at every level of theory, its report made again
        curve: instead of a run, NetCDF file of a predicted curve
        measured: and of a measured one
    """

    run: str | None = None
    curve: str | None = None
    measured: str | None = None

    def __post_init__(self) -> None:
        files = self.curve is not None and self.measured is not None
        if (self.run is None) != files or (self.curve is None) != (self.measured is None):
            raise InputError("compare needs either --run DIR or both --curve FILE and --measured FILE")


@dataclass(frozen=True, kw_only=True)
class StudyConfig:
    """A study: networks trained at one of its sizes, claims against measurements.

    Attributes:
        study: its name
        preset: tiny (seconds), cpu (minutes on two cores) or paper (for a GPU)
        out: folder of the results; networks trained there already are not trained again
        part: only this part
        data: data sets in place of the preset's, bundled names or paths
        set: options of the preset to change, by dotted name: --set.window.seeds [0,1]
    """

    study: str
    out: str
    preset: Literal["tiny", "cpu", "paper"] = "cpu"
    part: str | None = None
    data: tuple[str, ...] | str = ()
    set: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CiteConfig(TheoryOptions):
    """BibTeX of exactly the methods that a recipe uses."""


@dataclass(frozen=True)
class Call:
    """How a command was called: the whole config as YAML, and the command as typed."""

    yaml: str
    command: str


@contextmanager
def _stage(name: str) -> Iterator[Report]:
    """A progress line on stderr; silent where stderr is not a terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:>10}"),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[words]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None, words="")
        yield lambda done, total, words="": bar.update(task, completed=done, total=total, words=words)
        bar.update(task, completed=1, total=1)


def _run(config: RunConfig, call: Call) -> None:
    result = run(config, call.yaml, call.command, _stage)
    _print_trained(result)


def _print_trained(result: MainResult) -> None:
    training = result.metrics["training"]
    learned = result.metrics["measured"]["variance_learned"]
    moments = ", ".join(f"{100 * f:g} % of the variance {_by_step(learned[f'{f:g}'])}" for f in FRACTIONS)
    print(f"measured emergence in {training['steps']:,} steps: {moments}")
    print(result.levels)
    share = 100 * training["probe_share"]
    print(f"probe: {training['probe_samples']} samples each time, {share:.1f} % of the training time")
    print(f"report: {(result.folder.path / REPORT).resolve()}")


def _train(config: RunConfig, call: Call) -> None:
    folder = train_stages(config, call.yaml, call.command, Stages(_stage))
    print(f"trained: {folder.path.resolve()} (compare it with theory: eigenclock compare --run {config.out})")


def _compare(config: CompareConfig, _: Call) -> None:
    if config.run is not None:
        _print_trained(compare_stages(open_run(config.run), Stages(_stage)))
        return
    predicted, measured = (LearningCurve.load(str(path)) for path in (config.curve, config.measured))
    comparison = compare(predicted, measured)
    print(comparison)
    for direction, laws in comparison.laws().items():
        for name, law in zip(("predicted", "measured"), laws, strict=True):
            print(f"{name}, {direction}: {law}")


def _predict(config: PredictConfig, call: Call) -> None:
    result = predict_and_check(config, call.yaml, call.command, _stage)
    learned, close = (result.metrics["predicted"][key] for key in ("variance_learned", "close"))
    moments = ", ".join(f"{100 * f:g} % of the variance {_by_step(learned[f'{f:g}'])}" for f in FRACTIONS)
    print(f"predicted emergence in {result.metrics['steps']:,} steps: {moments}")
    data = "the data" if not result.predicted.stationary else "stationary data of the same power spectrum"
    print(f"predicted samples close to {data} (W₂ below a tenth of their norm): {_by_step(close)}")
    if result.comparison is not None:
        print(f"prediction against brute force: {result.comparison}")
    print(f"report: {(result.folder.path / REPORT).resolve()}")


def _by_step(step: float) -> str:
    return f"by step {steps_text(step)}" if np.isfinite(step) else "not reached"


def _study(config: StudyConfig, call: Call) -> None:
    need_torch()
    from eigenclock_studies import run_study

    with _stage(config.study) as report:
        result = run_study(
            config.study,
            preset=config.preset,
            out=config.out,
            part=config.part,
            data=(config.data,) if isinstance(config.data, str) else config.data,
            options=config.set,
            command=call.command,
            say=lambda words: report(0, None, words),
        )
    table = Table("claim", "verdict", title=f"{config.study}, preset {config.preset}")
    for claim, verdict in zip(result.claims["claim"], result.claims["verdict"], strict=True):
        table.add_row(claim, verdict)
    Console().print(table)
    print(f"what was measured, with intervals and controls: {(result.folder / 'results.md').resolve()}")
    print(f"report: {(result.folder / REPORT).resolve()}")


def _spectrum(config: SpectrumConfig, _: Call) -> None:
    if config.out is not None and not config.out.endswith(".nc"):
        raise InputError(f"out must be a NetCDF file name ending in .nc, got {config.out}")
    if config.out is not None and Path(config.out).exists() and not config.overwrite:
        raise InputError(f"out must not exist yet, got {config.out}: use --overwrite")
    dataset, spectrum = read(config.data, config, config.seed)
    shown = spread_modes(spectrum.n_modes, 16)
    share = spectrum.variance.cumsum() / spectrum.variance.sum()
    columns = {
        "mode": [str(k + 1) for k in shown],
        "variance": [f"{spectrum.variance[k]:.4g}" for k in shown],
        "cumulative share": [f"{100 * share[k]:.2f} %" for k in shown],
    }
    if spectrum.test_variance is not None:
        columns["held-out variance"] = [f"{spectrum.test_variance[k]:.4g}" for k in shown]
    title = f"{dataset.name}: {len(dataset.samples):,} samples, rank {spectrum.rank}; {len(shown)} of {spectrum.n_modes} modes"
    table = Table(title=title)
    for column in columns:
        table.add_column(column, justify="right")
    for row in zip(*columns.values(), strict=True):
        table.add_row(*row)
    Console().print(table)
    if config.out is not None:
        with atomic(config.out) as temporary:
            spectrum.to_dataset().to_netcdf(temporary, engine="h5netcdf")
        print(f"saved: {Path(config.out).resolve()}")


def _report(config: ReportConfig, _: Call) -> None:
    folder = open_run(config.run)
    write_report(folder)
    print(f"report: {(folder.path / REPORT).resolve()}")


def _cite(config: CiteConfig, _: Call) -> None:
    recipe = Recipe(
        config.objective,
        config.architecture or DEFAULT_ARCHITECTURE,
        config.optimizer or GradientFlow(),
        config.sampler,
    )
    print("\n\n".join(citations(recipe)))


def _diagnose(config: DiagnoseConfig, _: Call) -> None:
    diagnose(config)


def _score_latent(config: ScoreLatentConfig, _: Call) -> None:
    score_latent(config)


POSITIONAL = {
    "study": ("study", f"one of {', '.join(STUDIES)}"),
    "score-latent": ("action", "fit or sample"),
    "diagnose-latents": ("latents", ".npz file with latents, and optionally labels and masks; or a .npy file"),
}
"""Options of a command that are given by their place."""

COMMANDS: dict[str, tuple[type, Callable[[Any, Call], None], str]] = {
    "run": (RunConfig, _run, "the main job: spectrum, prediction, training under the probe, comparison, report"),
    "predict": (PredictConfig, _predict, "spectrum, prediction and report, checked by brute force if asked for"),
    "train": (RunConfig, _train, "spectrum, prediction and training under the probe"),
    "compare": (CompareConfig, _compare, "set a trained run, or two learning curves, side by side"),
    "spectrum": (SpectrumConfig, _spectrum, "the spectrum of a data set"),
    "report": (ReportConfig, _report, "make the report of a finished run again"),
    "study": (StudyConfig, _study, "train the networks of a study and set its claims against measurements"),
    "diagnose-latents": (
        DiagnoseConfig,
        _diagnose,
        "which latent space will a diffusion model learn fast: structure, continuity, semantics, predicted clocks",
    ),
    "score-latent": (
        ScoreLatentConfig,
        _score_latent,
        "score latent diffusion on an array of your own: fit, then sample",
    ),
    "cite": (CiteConfig, _cite, "BibTeX of exactly the methods that a recipe uses"),
}


SWITCHES = {
    "overwrite": "replace what is in out",
    "resume": "continue the run in out after its last finished stage",
}
"""Options that are given without a value."""


class _Parser(jsonargparse.ArgumentParser):
    """Errors become an InputError, to be printed in one line."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        raise InputError(message)


def parser() -> tuple[_Parser, dict[str, _Parser]]:
    """The parser, and the parser of each command."""
    top = _Parser(prog="eigenclock", description="When will a diffusion model have learned each feature of your data?")
    top.add_argument("--version", action="version", version=__version__)
    subcommands, parsers = top.add_subcommands(required=True), {}
    for name, (config, _, summary) in COMMANDS.items():
        command = _Parser(
            allow_abbrev=False, description=summary[0].upper() + summary[1:] + ".", print_config="--print-config"
        )
        command.add_argument("--config", action="config", help="YAML file with any of these options")
        place, words = POSITIONAL.get(name, ("", ""))
        if place:
            command.add_argument(place, help=words)
        command.add_class_arguments(config, as_group=False, skip={*SWITCHES, place} - {""})
        for switch in SWITCHES.keys() & {one.name for one in fields(config)}:
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
        print(f"eigenclock: error: {one_line(str(error))}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("eigenclock: interrupted; a run continues with --resume", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
