"""The two clocks and their window, read from the study's dataset, over seeds."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Bool, Float

from eigenclock.clocks.passage import Clock, Passages, Smoothing
from eigenclock.clocks.replicates import LogRatio
from .basins import CLASSES, LEVELS
from .cases import GROUP_LEVEL, MEMORY_LEVELS, PRIMARY, RULE_LEVELS


@dataclass(frozen=True)
class View:
    """How clocks are read: targets, which observable says that the rule is learned, and how records are smoothed."""

    rule: float = PRIMARY
    memory: float = PRIMARY
    novel: str = "q"
    smooth: Smoothing = "isotonic"


VIEWS = [View(rule, memory) for rule, memory in product(RULE_LEVELS, MEMORY_LEVELS)]
"""Every pair of targets."""

OTHER_READINGS = {
    "far samples only": View(novel="q_far"),
    "raw": View(smooth="none"),
    "two in a row": View(smooth="twice"),
}


def assemble(results: Mapping[tuple[str, int], xr.Dataset]) -> xr.Dataset:
    """Cases and seeds of a sweep as one dataset: dims case, seed, checkpoint (padded with NaN), corner, sigma."""
    names = list(dict.fromkeys(case for case, _ in results))
    seeds = sorted({seed for _, seed in results})
    length = max(found.sizes["checkpoint"] for found in results.values())
    variables = list(dict.fromkeys(str(name) for found in results.values() for name in found.data_vars))
    blank = np.full((len(names), len(seeds), length), np.nan)
    columns = {name: blank.copy() for name in variables}
    status = np.full((len(names), len(seeds)), "not run", dtype=object)
    for (case, seed), found in results.items():
        at = names.index(case), seeds.index(seed)
        status[at] = found.attrs["status"]
        for name in found.data_vars:
            columns[str(name)][at][: found.sizes["checkpoint"]] = found[name].values
    dims = ("case", "seed", "checkpoint")
    plain = {name: (dims, values) for name, values in columns.items() if not name.startswith("basin_r_")}
    basins = [[columns.get(f"basin_r_{c}_{s:g}", blank) for s in LEVELS] for c in CLASSES]
    return xr.Dataset(
        plain | {"status": (dims[:2], status.astype(str)), "r": (("corner", "sigma", *dims), np.array(basins))},
        coords={"case": names, "seed": seeds, "corner": list(CLASSES), "sigma": list(LEVELS)},
    )


class NotRunError(LookupError):
    """A case that was not run, by name."""


@dataclass(frozen=True, eq=False)
class Runs:
    """The dataset as clocks."""

    dataset: xr.Dataset

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each case that was run stands in the tables."""
        return {str(case): i for i, case in enumerate(self.dataset["case"].values)}

    @cached_property
    def tables(self) -> dict[str, np.ndarray]:
        """Every variable, dims case, seed and its others: read thousands of times, and so taken from the dataset once."""
        every = self.dataset.data_vars.items()
        return {str(name): values.transpose("case", "seed", ...).values for name, values in every}

    def has(self, *cases: str) -> bool:
        """Whether every one of these cases was run."""
        return set(cases) <= set(self.places)

    def ran(self, case: str) -> Bool[np.ndarray, " seed"]:
        """Which seeds a case was run with."""
        return np.asarray(self.tables["status"][self.places[case]] != "not run")

    def record(self, case: str, name: str) -> tuple[Float[np.ndarray, " time"], Float[np.ndarray, "seed time"]]:
        """Steps > 0 of a case, and an observable there for every seed that it was run with. NotRunError of one that was not."""
        if not self.has(case):
            raise NotRunError(case)
        step, values = (self.tables[which][self.places[case]][self.ran(case)] for which in ("step", name))
        steps = np.nanmax(step, axis=0)
        known = steps > 0
        return steps[known], values[:, known]

    def passages(self, case: str, name: str, level: float, smooth: Smoothing = "isotonic") -> Passages:
        """First passage of an observable of a case; unknown, never censored, where training diverged or was not run."""
        time, value = self.record(case, name)
        found = Clock(name, level, smooth=smooth).of(time, value)
        known = self.tables["status"][self.places[case]][self.ran(case)] == "done"
        return Passages(np.where(known, found.low, 0.0), np.where(known, found.high, np.inf), level, name)

    def rule(self, case: str, view: View = View()) -> Passages:
        """The rule clock: normalised validity of novel samples."""
        return self.passages(case, view.novel, view.rule, view.smooth)

    def group(self, case: str, view: View = View()) -> Passages:
        """The group clock: as the rule clock, group by group, at a target of its own."""
        return self.passages(case, "a", GROUP_LEVEL, view.smooth)

    def memory(self, case: str, view: View = View()) -> Passages:
        """The memory clock: excess exact copies."""
        return self.passages(case, "M_ex", view.memory, view.smooth)

    def window(self, case: str, view: View = View()) -> LogRatio:
        """W = ln(memory/rule) of every seed: positive where the rule is learned before copies appear."""
        return LogRatio.of(self.memory(case, view), self.rule(case, view))

    def counting(self, case: str, which: str, seed: int, view: View = View()) -> tuple[float, float]:
        """Interval of a clock of one seed from the noise of counting samples alone."""
        name, number, chance = ("Q", "n_novel", "chance") if which == "rule" else ("M", "", "expected")
        time, share = self.record(case, name)
        offset = self.record(case, chance)[1][seed]
        n = self.record(case, number)[1][seed] if number else np.full(time.size, self.samples(case))
        clock = Clock(which, view.rule if which == "rule" else view.memory, smooth=view.smooth)
        beyond = lambda s: (s - offset) / (1 - offset)  # noqa: E731
        return clock.sampling_interval(time, share[seed], n, transform=beyond, seed=seed)

    def samples(self, case: str) -> int:
        """Number of samples at every checkpoint: novel ones where no copy was seen."""
        return int(np.nanmax(self.record(case, "n_novel")[1]))


def opening(width: LogRatio) -> str:
    """open, closed or undetermined, in every seed alike; "mixed" where seeds differ."""
    kinds = np.select([width.low > 0, width.high <= 0], ["open", "closed"], "undetermined")
    return str(kinds[0]) if (kinds == kinds[0]).all() else "mixed"


def point(width: LogRatio) -> Float[np.ndarray, " seed"]:
    """A window's width, or the bound it enters a slope with: the finite end where only one is known."""
    return np.where(np.isfinite(width.low), width.low, np.where(np.isfinite(width.high), width.high, np.nan))


def clock_table(runs: Runs) -> pd.DataFrame:
    """A row per case, clock, target and seed: time or bounds, status, the other readings, and the interval from counting."""
    rows = []
    for case, (which, levels) in product(
        runs.dataset["case"].values.tolist(), (("rule", RULE_LEVELS), ("memory", MEMORY_LEVELS))
    ):
        for level in levels:
            view = View(rule=level, memory=level)
            read = getattr(runs, which)
            found, raw, twice = (read(case, View(level, level, smooth=s)) for s in ("isotonic", "none", "twice"))
            for i, seed in enumerate(runs.dataset["seed"].values[runs.ran(case)].tolist()):
                low, high = runs.counting(case, which, i, view) if level == PRIMARY else (np.nan, np.nan)
                row: dict[str, Any] = {"case": case, "clock": which, "target": level, "seed": seed}
                row |= {"steps": found.time[i], "at_least": found.low[i], "at_most": found.high[i]}
                row |= {"status": found.status[i], "raw": raw.time[i], "two_in_a_row": twice.time[i]}
                rows.append(row | {"counting_low": low, "counting_high": high})
    return pd.DataFrame(rows)


def summary_table(runs: Runs) -> pd.DataFrame:
    """A row per case: both clocks with their intervals over seeds and censoring, the window, and what it is."""
    rows = []
    for case in runs.dataset["case"].values.tolist():
        width = runs.window(case)
        rows.append(
            {
                "case": case,
                "rule clock": str(runs.rule(case)),
                "memory clock": str(runs.memory(case)),
                "ln(memory/rule)": str(width).split(" (")[0],
                "window": opening(width),
            }
        )
    return pd.DataFrame(rows)
