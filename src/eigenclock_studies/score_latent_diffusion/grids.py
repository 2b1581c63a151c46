"""Runs of many settings over seeds in the study's folder: one that another part has done already is only read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from eigenclock.clocks.passage import Clock, Passages
from ..study import Say
from ..sweep import Case, sweep
from .runs import case


@dataclass(frozen=True, eq=False)
class Grid:
    """Results by name of their setting, in the order of seeds."""

    runs: Mapping[str, list[xr.Dataset]]

    def __getitem__(self, name: str) -> list[xr.Dataset]:
        return self.runs[name]

    def dataset(self) -> xr.Dataset:
        """Every scalar that any run has: dims setting, seed."""
        names = sorted(
            {str(k) for runs in self.runs.values() for one in runs for k, v in one.data_vars.items() if v.ndim == 0}
        )
        width = max(len(runs) for runs in self.runs.values())
        table = {
            name: np.array(
                [
                    [float(one[name]) if name in one else np.nan for one in runs] + [np.nan] * (width - len(runs))
                    for runs in self.runs.values()
                ]
            )
            for name in names
        }
        return xr.Dataset(
            {name: (("setting", "seed"), found) for name, found in table.items()}, coords={"setting": list(self.runs)}
        )


def run_grid(
    settings: Mapping[str, Any],
    seeds: tuple[int, ...],
    folder: Path,
    say: Say,
    workers: int | None,
    of: Case = case,
    under: str = "runs",
) -> Grid:
    """Train what is not trained yet. Cases are kept by their setting, so that parts share them."""
    named = {_name(setting): setting for setting in settings.values()}
    found = sweep(of, named, seeds=seeds, folder=folder / under, workers=workers, say=say)
    return Grid({name: found.seeds_of(_name(setting)) for name, setting in settings.items()})


def _name(setting: Any) -> str:
    """A name that tells settings apart and is short enough for a file: its values that are not the default ones."""
    default = type(setting)()
    changed = [
        f"{key}={value}" for key, value in vars(setting).items() if getattr(default, key) != value and key != "arm"
    ]
    return " ".join([str(getattr(setting, "arm", type(setting).__name__)), *changed])


def passages(runs: list[xr.Dataset], read: Callable[[xr.Dataset], Passages]) -> Passages:
    """A clock over seeds, each on its own record."""
    several = [read(run) for run in runs]
    low, high = (np.concatenate([getattr(one, side) for one in several]) for side in ("low", "high"))
    return Passages(low, high, several[0].target, several[0].observable)


def collapse_clock(k: int, delta: float) -> Callable[[xr.Dataset], Passages]:
    """First of two successive records with ρ <= (1 + delta)·k."""
    clock = Clock("risk", (1 + delta) * k, "falling", smooth="twice")
    return lambda run: clock.of(run["collapse_step"].values, run["risk"].values)
