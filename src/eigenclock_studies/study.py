"""What every study is: parts that run by themselves, tables as CSV, figures as PNG, one page of results."""

import json
import time as clock
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from eigenclock.checks import InputError, choice
from eigenclock.files import (
    atomic,
    check_writable,
    locked,
    markdown,
    path_of,
    remove_temporaries,
    write_netcdf,
    write_text,
)
from eigenclock.jobs.run_folder import manifest
from eigenclock.jobs.studies import find_study
from eigenclock.report.study_page import PIXELS_PER_INCH, RUN, write_study_page
from .claims import COLUMNS, Claim, numbers_of, table_of
from .figures import pixels
from .options import changed

Preset: TypeAlias = Literal["tiny", "cpu", "paper"]
PRESETS: tuple[Preset, ...] = get_args(Preset)

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Part:
    """What one part of a study found.

    `claims`, with the numbers that decide them; `tables` and `figures` by name; `dataset`: everything measured, kept as NetCDF;
    `notes`: sentences for the report (what is known not to show, what was not run, limits); `shown`: names of the tables that
    the report shows too.
    """

    claims: list[Claim] = field(default_factory=list)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    figures: Mapping[str, Figure] = field(default_factory=dict)
    dataset: xr.Dataset | None = None
    notes: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for claim in self.claims:
            if not isinstance(claim, Claim):
                raise InputError(f"claims must be Claim objects, got {type(claim).__name__}")


@dataclass(frozen=True)
class Plan:
    """One part of a study: its options (a frozen dataclass) at every size, what runs them, and its heading on the page."""

    presets: Mapping[Any, Any]
    run: Callable[[Any, Path, Say], Part]
    heading: str = ""


@dataclass(frozen=True, eq=False)
class StudyResult:
    """Where a study's results lie, its claims, and the seconds that each part took in this call."""

    folder: Path
    claims: pd.DataFrame
    seconds: dict[str, float]


class Study:
    """A study at one of its sizes. A subclass says `name`, `title`, `status` and the `plans` of its parts, and no more.

    ```python
    >>> from dataclasses import dataclass
    >>> import tempfile
    >>> from eigenclock_studies import Claim, Part, Plan, Study, exact
    >>> @dataclass(frozen=True)
    ... class Options:
    ...     sides: int = 6
    >>> def dice(options, folder, say):
    ...     mean = (options.sides + 1) / 2
    ...     return Part([Claim("a die throws more than three on average", (exact("mean", mean, above=3),))])
    >>> class Dice(Study):
    ...     name, title = "dice", "What a die throws"
    ...     plans = {"throws": Plan({"tiny": Options(4), "cpu": Options(), "paper": Options(20)}, dice)}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(Dice.run(preset="cpu", out=folder, options={"throws.sides": 8}).claims["verdict"][0])
    shown

    ```
    """

    name: ClassVar[str]
    title: ClassVar[str]
    status: ClassVar[str] = ""
    """What the reader must know before the first number, such as that it is a reconstruction."""

    plans: ClassVar[Mapping[str, Plan]]
    """Its parts by name."""

    def __init__(self, preset: Preset) -> None:
        choice("preset", preset, PRESETS)
        self.preset: Preset = preset
        self.options: dict[str, Any] = {part: plan.presets[preset] for part, plan in self.plans.items()}

    def take_data(self, data: tuple[str, ...]) -> None:
        """Take other data, bundled names or paths; InputError where the study has data of its own."""
        raise InputError(f"the study {self.name} has data of its own, got {', '.join(data)}")

    @classmethod
    def run(
        cls,
        *,
        preset: Preset,
        out: str | Path,
        part: str | None = None,
        command: str = "",
        say: Say = lambda words: None,
        data: tuple[str, ...] = (),
        options: Mapping[str, Any] | None = None,
    ) -> StudyResult:
        """Run the study, or one part of it, into a folder; networks that are trained already are not trained again.

        **Parameters**

        - `preset`: its size; tiny runs everything in seconds and gives no verdicts.
        - `out`: folder: runs/, a CSV per table, a PNG per figure, results.md, report.html.
        - `part`: only this part. - `command`: what repeats the study, kept in the manifest. - `say`: told what is going on.
        - `data`: bundled names or paths in place of the preset's. - `options`: changes, as `{"window.seeds": (0, 1)}`.

        Raises InputError for a preset, part or option that is not there, or a folder that is a file.
        """
        study, folder = cls(preset), path_of("out", out)
        if data:
            study.take_data(data)
        study.options = changed(study.options, options or {})
        if part is not None:
            choice("part", part, tuple(cls.plans))
        with locked(folder):
            check_writable(folder / "results.md")
            remove_temporaries(folder)
            return study._in_folder(folder, part, command, say)

    def _in_folder(self, folder: Path, part: str | None, command: str, say: Say) -> StudyResult:
        seconds: dict[str, float] = {}
        for key, plan in self.plans.items():
            if part not in (None, key):
                continue
            begun = clock.perf_counter()
            found = plan.run(self.options[key], folder, lambda words, key=key: say(f"{key}: {words}"))  # type: ignore[misc]
            seconds[key] = clock.perf_counter() - begun
            kept = {"preset": self.preset, "command": command, "seconds": round(seconds[key], 2), "shown": found.shown}
            _write(folder, key, found, kept, judged=self.preset != "tiny")
        tables = {key: _claims(folder, key, self.preset) for key in self.plans}
        claims = pd.concat([table for table in tables.values() if table is not None], ignore_index=True)
        status = f"{self.status}\n\n" if self.status else ""
        write_text(folder / "results.md", f"# {self.title}\n\n{status}Preset `{self.preset}`.\n\n{markdown(claims)}\n")
        details = manifest(command, 0, seconds)
        write_text(folder / f"manifest_{part or 'all'}.json", json.dumps(details, indent=2))
        headings = {key: plan.heading for key, plan in self.plans.items()}
        write_study_page(folder, self.title, self.status, self.preset, tables, details, headings)
        return StudyResult(folder, claims, seconds)


def run_study(name: str, **options: Any) -> StudyResult:
    """Run the study of a name: `find_study(name).run(**options)`, see `Study.run`."""
    found: type[Study] = find_study(name)
    return found.run(**options)


def _claims(folder: Path, key: str, preset: Preset) -> pd.DataFrame | None:
    """Claims of a part, of this call or an earlier one; None if it never ran here at this preset."""
    file, run = folder / f"{key}_claims.csv", folder / f"{key}{RUN}"
    if not file.exists() or not run.exists() or json.loads(run.read_text(encoding="utf-8"))["preset"] != preset:
        return None
    found = pd.read_csv(file, dtype=str, keep_default_na=False)
    return found if tuple(found.columns) == COLUMNS else None  # else written by an earlier version


def _write(folder: Path, key: str, found: Part, kept: Mapping[str, Any], *, judged: bool) -> None:
    write_text(folder / f"{key}{RUN}", json.dumps(kept))
    of_claims = {"claims": table_of(found.claims, judged=judged), "numbers": numbers_of(found.claims)}
    for name, table in {**of_claims, **found.tables}.items():
        with atomic(folder / f"{key}_{name}.csv") as temporary:
            table.to_csv(temporary, index=False, float_format="%.5g")
    write_text(folder / f"{key}_notes.txt", "".join(note + "\n" for note in found.notes))
    if found.dataset is not None:
        write_netcdf(folder / f"{key}.nc", found.dataset)
    for name, figure in found.figures.items():
        with atomic(folder / f"{key}_{name}.png") as temporary:
            pixels(figure, PIXELS_PER_INCH).save(temporary, format="png")
