"""Part: two clocks under the authors' own definitions, their tables beside ours, and both readings of the rule clock."""

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from eigenclock.clocks.passage import Clock, Passages
from eigenclock.clocks.replicates import LogRatio, slope_bounds
from eigenclock.exact.rules import GroupParity
from ..claims import Claim, bounded, exact, ratio
from ..figures import BLUE, CYCLE, GREEN, VERMILION, key, legend, level, not_reached, panels, seeds, ticks, times
from ..study import Part, Say
from ..sweep import sweep
from .authors_runs import DEVIATION, Options, cell_of, measure
from .authors_tables import LARGEST_OVER_SMALLEST, MEMORY, MEMORY_SLOPE, RULE, SETTINGS, D, theirs

ACCURATE, COPIED, IN_A_ROW = 0.9, 0.1, 5
"""Their levels, and how many evaluations in a row must lie above."""


def sustained(step: Any, value: Any, target: float, *, count: int = IN_A_ROW, spans: bool = False) -> Passages:
    """First of `count` evaluations in a row above a target; not reached by the last at which such a row could begin.

    `spans`: not the evaluation, but all that is known of the time: the span between it and the one before.
    """
    above, at = np.asarray(value) > target, np.r_[0.0, np.asarray(step, dtype=float)]
    rows = np.lib.stride_tricks.sliding_window_view(above, min(count, above.size)).all(axis=1)
    if above.size < count or not rows.any():
        return Passages(at[[max(1, above.size - count + 1)]], np.array([np.inf]), target, "in a row")
    first = int(rows.argmax())
    return Passages(at[[first if spans or first == 0 else first + 1]], at[[first + 1]], target, "in a row")


@dataclass(frozen=True, eq=False)
class Found:
    """Runs by cell, seeds in order, and their clocks; with `spans`, what is known of a time between two evaluations."""

    runs: dict[str, list[xr.Dataset]]
    options: Options
    spans: bool = False

    def _joined(self, cell: str, read: Any) -> Passages:
        several = [read(run["step"].values, run) for run in self.runs[cell]]
        low, high = (np.concatenate([getattr(one, side) for one in several]) for side in ("low", "high"))
        return Passages(low, high, several[0].target, several[0].observable)

    def rule(self, cell: str) -> Passages:
        """Their rule clock: accuracy, copies counted."""
        return self._joined(cell, lambda step, run: sustained(step, run["accuracy"].values, ACCURATE, spans=self.spans))

    def novel(self, cell: str, target: float = 0.1) -> Passages:
        """Ours: validity of novel samples, beyond chance."""
        clock_ = Clock("novel", target, smooth="isotonic")
        return self._joined(cell, lambda step, run: clock_.of(step, run["novel"].values))

    def memory(self, cell: str) -> Passages:
        """Their memory clock: exact copies beyond a level that chance is added to."""
        n, g = (int(part.split("=")[1]) for part in cell.split()[1:])
        target = COPIED + n / GroupParity(D, g).size
        return self._joined(cell, lambda step, run: sustained(step, run["copies"].values, target, spans=self.spans))

    def copied(self, cell: str) -> Passages:
        """When nearly all samples are copies."""
        return self._joined(cell, lambda step, run: sustained(step, run["copies"].values, ACCURATE, spans=self.spans))

    def dataset(self) -> xr.Dataset:
        """All runs, dims cell, seed, evaluation, padded with NaN where a run has fewer."""
        longest = max(run.sizes["evaluation"] for runs in self.runs.values() for run in runs)
        padded = {
            cell: xr.concat(
                [run.pad(evaluation=(0, longest - run.sizes["evaluation"])) for run in runs],
                "seed",
                combine_attrs="drop",
            )
            for cell, runs in self.runs.items()
        }
        return xr.concat(list(padded.values()), pd.Index(list(padded), name="cell"), combine_attrs="drop")

    def cells(self, family: str) -> list[tuple[int, int]]:
        """Training samples and bits per group of a family's cells."""
        wanted = self.options.cells if family == "denoiser" else self.options.gpt_cells
        return [(n, g) for n, g, _ in wanted if cell_of(family, n, g) in self.runs]


FAMILIES = ("denoiser", "gpt")


def _label(found: Found, family: str) -> str:
    name = found.options.names[FAMILIES.index(family)]
    return f"{type(getattr(found.options, family)).__name__} ({name} there)"


def claims(found: Found) -> list[Claim]:
    """What their tables say, put to the runs here."""
    rows, found = [], replace(found, spans=True)
    for family, name in zip(FAMILIES, found.options.names, strict=True):
        cells = found.cells(family)
        by_rule: dict[int, list[int]] = {}
        by_size: dict[int, list[int]] = {}
        for n, g in cells:
            by_rule.setdefault(n, []).append(g)
            by_size.setdefault(g, []).append(n)
        size = max(by_rule, key=lambda n: len(by_rule[n]))
        groups = sorted(by_rule[size])
        group = max(by_size, key=lambda g: len(by_size[g]))
        at, label = {g: cell_of(family, size, g) for g in groups}, _label(found, family)
        rows += _order(found, label, size, at)
        sizes = sorted(by_size[group])
        if len(sizes) > 1:
            clocks = [found.memory(cell_of(family, n, group)) for n in sizes]
            with np.errstate(divide="ignore"):
                bounds = [(np.log(c.low), np.log(c.high)) for c in clocks]
            slope = bounded("slope of ln time on ln N", *slope_bounds(np.log(sizes), bounds), above=0.8, below=1.4)
            span = f"G = {group}, N = {sizes[0]} to {sizes[-1]}; theirs N^{MEMORY_SLOPE.get(name, 1.0):g}"
            words = f"{label}: the memory clock is nearly linear in N ({span})"
            rows.append(Claim(words, (slope,)))
    return rows


def _order(found: Found, label: str, size: int, at: dict[int, str]) -> list[Claim]:
    """Order of the rule clocks, likeness of the memory clocks, and what plain accuracy is where no rule is learned."""
    groups = sorted(at)
    if len(groups) < 2:
        return []
    rows = []
    for a, b in pairwise(groups):
        both = LogRatio.of(found.rule(at[b]), found.rule(at[a]))
        novel = LogRatio.of(found.novel(at[b]), found.novel(at[a]))
        rows.append(
            Claim(
                f"{label}: the rule clock of G = {b} is later than of G = {a} (N = {size})",
                (ratio("accuracy > .90", both, above=1), ratio("novel samples only", novel, above=1)),
            )
        )
    memory = [found.memory(cell) for cell in at.values()]
    low, high = (np.log([getattr(one, side) for one in memory]) for side in ("low", "high"))
    spread = LogRatio(np.maximum(0, low.max(axis=0) - high.min(axis=0)), high.max(axis=0) - low.min(axis=0))
    least = f"N = {size}; theirs {LARGEST_OVER_SMALLEST:g} at N = 4,096"
    words = f"{label}: the memory clock is nearly the same for all rules ({least})"
    rows.append(Claim(words, (ratio("largest over smallest", spread, below=2),)))
    hardest, easiest = at[groups[-1]], at[groups[0]]
    never = float((found.novel(hardest, 0.5).high == np.inf).sum())
    copier = LogRatio.of(found.rule(hardest), found.copied(hardest))
    rows.append(
        Claim(
            f"{label}: where the rule is not learned, accuracy > .90 is the clock of copying (G = {groups[-1]})",
            (ratio("accuracy > .90 over copies > .90", copier, above=0.5, below=2),),
            (exact("seeds whose novel samples never pass .5", never, above=len(found.runs[hardest]) - 0.5),),
        )
    )
    late = LogRatio.of(found.memory(easiest), found.memory(hardest))
    rows.append(
        Claim(
            f"{label}: once a rule is learned copies still come, within twice the time (G = {groups[0]}, {groups[-1]})",
            (ratio("memory clocks", late, above=0.5, below=2),),
            (
                exact(
                    "seeds that learn the rule",
                    float(found.novel(easiest, 0.5).hit.sum()),
                    above=len(found.runs[easiest]) - 0.5,
                ),
            ),
        )
    )
    return rows  # fmt: skip


def clock_table(found: Found) -> pd.DataFrame:
    """A row per cell: their rule clock and memory clock, here and there, and the novel-only reading."""
    rows = []
    for family, name in zip(FAMILIES, found.options.names, strict=True):
        for n, g in found.cells(family):
            cell = cell_of(family, n, g)
            model = getattr(found.options, family)
            rows.append(
                {
                    "network": type(model).__name__,
                    "N": n,
                    "G": g,
                    "accuracy > .90": str(found.rule(cell)),
                    "theirs (same N and G)": theirs(RULE, name, n, g),
                    "novel only > .1": str(found.novel(cell)),
                    "novel only > .9": str(found.novel(cell, 0.9)),
                    "copies > .10": str(found.memory(cell)),
                    "theirs, copies": theirs(MEMORY, name, n, g),
                }
            )
    table = pd.DataFrame(rows)
    return table.drop(
        columns=[name for name in table.columns.astype(str) if name.startswith("theirs") and (table[name] == "–").all()]
    )


def tables_of_theirs() -> pd.DataFrame:
    """Their clocks, a row per model and N."""
    rows = []
    for title, clocks in (("rule", RULE), ("memory", MEMORY)):
        for (model, n), by_group in clocks.items():
            rows.append(
                {
                    "clock": title,
                    "model": model,
                    "N": n,
                    **{f"G = {g}": theirs(clocks, model, n, g) for g in (2, 3, 4, 6)},
                }
            )
            assert set(by_group) <= {2, 3, 4, 6}
    return pd.DataFrame(rows)


def figure(found: Found) -> Figure:
    """Accuracy, novel validity and copies over training, a panel for every cell of one size, and clocks against N."""
    shown = [cell_of(family, n, g) for family in FAMILIES for n, g in found.cells(family)]
    picture, axes = panels(min(4, len(shown)), -(-len(shown) // min(4, len(shown))), width=2.9, height=2.5, share="y")
    flat = np.atleast_1d(axes).ravel()
    for ax, cell in zip(flat, shown, strict=False):
        for run in found.runs[cell]:
            for name, colour in (("accuracy", BLUE), ("novel", GREEN), ("copies", VERMILION)):
                seeds(ax, run["step"].values, run[name].values, colour)
        level(ax, ACCURATE)
        level(ax, COPIED)
        ax.set(xscale="log", title=cell.replace("=", " = "), ylim=(-0.05, 1.05))
        ax.title.set_fontsize(9)
    for ax in flat[len(shown) :]:
        ax.set_axis_off()
    for colour, label in (
        (BLUE, "valid samples, copies counted"),
        (GREEN, "valid among novel samples, beyond chance"),
        (VERMILION, "exact copies"),
    ):
        flat[0].plot([], [], color=colour, lw=2, label=label)
    picture.legend(*flat[0].get_legend_handles_labels(), loc="outside upper center", frameon=False, ncols=3, fontsize=9)
    picture.supxlabel("training step", fontsize=10)
    picture.supylabel("share of samples", fontsize=10)
    return picture


def scaling_figure(found: Found) -> Figure:
    """Memory clocks against N, here and in their tables."""
    picture, ax = panels(width=6, height=4.2)
    places: set[int] = set()
    for family, name, colour in zip(FAMILIES, found.options.names, CYCLE, strict=False):
        for n, g in found.cells(family):
            times(ax, n, found.memory(cell_of(family, n, g)), colour)
            places.add(n)
        key(ax, colour, f"here: {type(getattr(found.options, family)).__name__}")
        known = [(n, t) for (model, n), by in MEMORY.items() if model == name for t in by.values()]
        if known:
            ax.plot(*zip(*known, strict=True), "x", color=colour, ms=5, label=f"theirs: {name}")
            places |= {n for n, _ in known}
    not_reached(ax)
    ax.set(xscale="log", yscale="log", xlabel="training samples N", ylabel="memory clock (training step)")
    ticks(ax, sorted(places))
    ax.tick_params(axis="x", labelrotation=45)
    legend(ax)
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, read the clocks by both definitions, set beside theirs."""
    settings = options.settings()
    done = sweep(
        measure, settings, seeds=options.seeds, folder=folder / "runs" / "authors", workers=options.workers, say=say
    )
    found = Found({name: done.seeds_of(name) for name in settings}, options)
    batch = f"Here: {options.denoiser}, {options.gpt}, Adam {options.lr:g} and AdamW {options.gpt_lr:g}, batches "
    batch += f"of {options.batch}"
    notes = (
        SETTINGS,
        f"{batch}, {options.samples:,} samples at {options.evaluations} evaluations, near together early on. Five in a row "
        "are a third of the run at its end: a clock must begin before that.",
        *(() if options.tolerance < 1 else (DEVIATION,)),
        "Accuracy counts copies: a memoriser is accurate. The novel-only clock is ours, and stricter.",
    )
    tables = {"clocks": clock_table(found), "theirs": tables_of_theirs()}
    pictures = {"curves": figure(found), "scaling": scaling_figure(found)}
    whole = found.dataset()
    return Part(claims(found), tables, pictures, whole, notes, ("clocks", "theirs"))
