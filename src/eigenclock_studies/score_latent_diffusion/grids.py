"""Runs of many settings over seeds in the study's folder: one that another part has done already is only read."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from eigenclock.clocks.passage import Clock, Passages
from ..study import Say
from ..sweep import Case, sweep
from .runs import case

Grid = Mapping[str, list[xr.Dataset]]
"""Results by name of their setting, in the order of seeds."""


def run_grid(
    settings: Mapping[str, Any],
    seeds: tuple[int, ...],
    folder: Path,
    say: Say,
    workers: int | None,
    of: Case = case,
    under: str = "trained",
) -> Grid:
    """Train what is not trained yet. Cases are kept by their setting, so that parts share them."""
    named = {_name(setting): setting for setting in settings.values()}
    found = sweep(of, named, seeds=seeds, folder=folder / "runs" / under, workers=workers, say=say)
    return {name: found.seeds_of(_name(setting)) for name, setting in settings.items()}


def _name(setting: Any) -> str:
    """A name that tells settings apart and is short enough for a file: its values that are not the default ones."""
    default = type(setting)()
    changed = [f"{key}={value}" for key, value in vars(setting).items() if getattr(default, key) != value]
    return " ".join([type(setting).__name__, *changed])


def values(runs: Sequence[xr.Dataset], metric: str) -> np.ndarray:
    """A scalar over seeds; NaN where a run has none."""
    return np.array([float(run[metric]) if metric in run else np.nan for run in runs])


def risks_at(runs: Sequence[xr.Dataset], sigma: float) -> np.ndarray:
    """ρ at a noise level of evaluation, over seeds."""
    return np.array([float(run["risk_at"].sel(sigma=sigma)) for run in runs])


def dataset(grid: Grid) -> xr.Dataset:
    """Every scalar that any run has: dims setting, seed."""
    names = sorted({str(k) for runs in grid.values() for one in runs for k, v in one.data_vars.items() if v.ndim == 0})
    table = {name: (("setting", "seed"), np.array([values(runs, name) for runs in grid.values()])) for name in names}
    return xr.Dataset(table, coords={"setting": list(grid)})


def passages(runs: Sequence[xr.Dataset], read: Callable[[xr.Dataset], Passages]) -> Passages:
    """A clock over seeds, each on its own record."""
    several = [read(run) for run in runs]
    low, high = (np.concatenate([getattr(one, side) for one in several]) for side in ("low", "high"))
    return Passages(low, high, several[0].target, several[0].observable)


def collapse_clock(k: int, delta: float) -> Callable[[xr.Dataset], Passages]:
    """First of two successive records with ρ <= (1 + delta)·k."""
    clock = Clock("risk", (1 + delta) * k, "falling", smooth="twice")
    return lambda run: clock.of(run["collapse_step"].values, run["risk"].values)
