"""What every study is: parts that run by themselves, tables as CSV, figures as PNG, one page of results."""

import json
import time as clock
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import pandas as pd
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from eigenclock.checks import InputError, choice, shown
from eigenclock.files import (
    YamlRefused,
    atomic,
    check_writable,
    load_yaml,
    locked,
    markdown,
    path_of,
    remove_temporaries,
    write_netcdf,
    write_text,
)
from eigenclock.jobs.run_folder import manifest
from eigenclock.jobs.studies import find_study
from eigenclock.report.study_page import COLUMNS, PIXELS_PER_INCH, RUN, write_study_page

Preset: TypeAlias = Literal["tiny", "cpu", "paper"]
PRESETS: tuple[Preset, ...] = get_args(Preset)

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Part:
    """What one part of a study found.

    `tables` and `figures` by name; `claims`: a row per claim, with the columns claim, paper, here, interval, control, verdict;
    `dataset`: everything measured, kept as NetCDF; `notes`: sentences for the report (what is known not to show, what was
    not run, limits); `shown`: names of the tables that the report shows too.
    """

    claims: list[dict[str, str]]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    figures: Mapping[str, Figure] = field(default_factory=dict)
    dataset: xr.Dataset | None = None
    notes: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for claim in self.claims:
            if claim.keys() != set(COLUMNS):
                raise InputError(f"claims must have the columns {', '.join(COLUMNS)}, got {', '.join(claim)}")


@dataclass(frozen=True, eq=False)
class StudyResult:
    """Where a study's results lie, its claims, and the seconds that each part took in this call."""

    folder: Path
    claims: pd.DataFrame
    seconds: dict[str, float]


class Study(ABC):
    """A study of a preset. Subclasses are frozen dataclasses made by `preset(name)`."""

    name: str
    title: str
    status: str = ""
    """What the reader must know before the first number, such as that it is a reconstruction."""

    @classmethod
    @abstractmethod
    def preset(cls, name: Preset) -> "Study":
        """The study at one of its sizes."""

    def with_options(self, options: Mapping[str, Any]) -> "Study":
        """The study with some options of its preset changed: values, or YAML of them, by dotted or nested names.

        InputError for an option that is not there, or of another kind.
        """
        return _changed(self, options, "set")

    def with_data(self, data: tuple[str, ...]) -> "Study":
        """The study of other data; InputError where it has data of its own."""
        raise InputError(f"the study {self.name} has data of its own, got {', '.join(data)}")

    @abstractmethod
    def parts(self) -> dict[str, Callable[[Path, Say], Part]]:
        """Its parts by name, each a function of the study's folder."""

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

        - `preset`: its size. - `out`: folder: runs/, a CSV per table, a PNG per figure, results.md, report.html.
        - `part`: only this part. - `command`: what repeats the study, kept in the manifest. - `say`: told what is going on.
        - `data`: bundled names or paths in place of the preset's. - `options`: changes, as `{"window.seeds": (0, 1)}`.

        Raises InputError for a preset, part or option that is not there, or a folder that is a file.
        """
        choice("preset", preset, PRESETS)
        study, folder = cls.preset(preset), path_of("out", out)
        if data:
            study = study.with_data(data)
        study = study.with_options(options or {})
        if part is not None:
            choice("part", part, tuple(study.parts()))
        with locked(folder):
            check_writable(folder / "results.md")
            remove_temporaries(folder)
            return study._in_folder(folder, preset, part, command, say)

    def _in_folder(self, folder: Path, preset: Preset, part: str | None, command: str, say: Say) -> StudyResult:
        parts = self.parts()
        seconds: dict[str, float] = {}
        for key, do in parts.items():
            if part not in (None, key):
                continue
            begun = clock.perf_counter()
            found = do(folder, lambda words, key=key: say(f"{key}: {words}"))  # type: ignore[misc]
            seconds[key] = clock.perf_counter() - begun
            kept = {"preset": preset, "command": command, "seconds": round(seconds[key], 2), "shown": found.shown}
            _write(folder, key, found, kept)
        tables = {key: _claims(folder, key, preset) for key in parts}
        claims = pd.concat([table for table in tables.values() if table is not None])
        status = f"{self.status}\n\n" if self.status else ""
        write_text(folder / "results.md", f"# {self.title}\n\n{status}Preset `{preset}`.\n\n{markdown(claims)}\n")
        details = manifest(command, 0, seconds)
        write_text(folder / f"manifest_{part or 'all'}.json", json.dumps(details, indent=2))
        write_study_page(folder, self.title, self.status, preset, tables, details)
        return StudyResult(folder, claims, seconds)


def run_study(name: str, **options: Any) -> StudyResult:
    """Run the study of a name: `find_study(name).run(**options)`, see `Study.run`."""
    found: type[Study] = find_study(name)
    return found.run(**options)


def _changed(part: Any, options: Mapping[str, Any], where: str) -> Any:
    """A frozen dataclass with some of its fields, maybe some inside them, replaced."""
    for name, value in options.items():
        first, _, rest = name.partition(".")
        known = {one.name: getattr(part, one.name) for one in fields(part)}
        if first not in known:
            raise InputError(f"{where} must name one of {', '.join(known)}, got {shown(first)}")
        old, inner = known[first], {rest: value} if rest else value
        if is_dataclass(old) and isinstance(inner, Mapping):
            part = replace(part, **{first: _changed(old, inner, f"{where}.{first}")})
        else:
            part = replace(part, **{first: _alike(old, value, f"{where}.{name}")})
    return part


def _alike(old: Any, value: Any, name: str) -> Any:
    """A new value of the kind of the old one, read as YAML if it is text and the old one is not."""
    try:
        new = load_yaml(value, name) if isinstance(value, str) and not isinstance(old, str) else value
    except YamlRefused:
        raise
    except InputError:
        new = value
    if isinstance(old, tuple):
        new = tuple(
            _alike(old[0], one, name) if old else one for one in (new if isinstance(new, list | tuple) else [new])
        )
        if old and not new:
            raise InputError(f"{name} must not be empty, got {shown(value)}")
    kinds = (int, float) if isinstance(old, int | float) and not isinstance(old, bool) else type(old)
    if is_dataclass(old) or (old is not None and not isinstance(new, kinds)):
        kind = f"an option inside {type(old).__name__}" if is_dataclass(old) else f"like {old!r}"
        raise InputError(f"{name} must be {kind}, got {shown(new)}")
    return new


def _claims(folder: Path, key: str, preset: Preset) -> pd.DataFrame | None:
    """Claims of a part, of this call or an earlier one; None if it never ran here at this preset."""
    file, run = folder / f"{key}_claims.csv", folder / f"{key}{RUN}"
    if not file.exists() or not run.exists() or json.loads(run.read_text(encoding="utf-8"))["preset"] != preset:
        return None
    return pd.read_csv(file, dtype=str, keep_default_na=False)


def _write(folder: Path, key: str, found: Part, kept: Mapping[str, Any]) -> None:
    write_text(folder / f"{key}{RUN}", json.dumps(kept))
    tables = {"claims": pd.DataFrame(found.claims, columns=list(COLUMNS)), **found.tables}
    for name, table in tables.items():
        with atomic(folder / f"{key}_{name}.csv") as temporary:
            table.to_csv(temporary, index=False, float_format="%.5g")
    write_text(folder / f"{key}_notes.txt", "".join(note + "\n" for note in found.notes))
    if found.dataset is not None:
        write_netcdf(folder / f"{key}.nc", found.dataset)
    for name, figure in found.figures.items():
        FigureCanvasAgg(figure)
        with atomic(folder / f"{key}_{name}.png") as temporary:
            figure.savefig(temporary, format="png", dpi=PIXELS_PER_INCH)
