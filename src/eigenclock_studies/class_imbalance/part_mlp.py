"""Part: a trained network on mixtures. When imbalance reverses the order of classes; whether a rare class is late or stalls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from eigenclock.clocks.passage import Clock, Passages
from eigenclock.clocks.replicates import LogRatio
from eigenclock.files import read_netcdf, write_netcdf
from ..claims import Claim, in_words, mean, ratio, share, unlike
from ..figures import BLUE, GRAY, PURPLE, VERMILION, key, legend, level, not_reached, panels, seeds, ticks
from ..study import Part, Say
from .mixtures import Mixture, class_wiener_loss
from .network import SmallNetwork, class_losses

TARGETS = (0.5, 0.2)
"""Normalised excess loss, fixed in advance: the order depends on it."""

SWEEP = (0.5, 0.4, 0.3, 0.2, 0.1)
"""Targets at which the sensitivity of the order is tabled."""

LATE, LAST = TARGETS[1], 0.1
"""Targets of the long run: one that is passed while the rate is constant, and one that needs it to fall."""

HIGH, LOW = (1.5, 0.5)


@dataclass(frozen=True)
class Options:
    """`shares`: proportions of the high-variance class, falling from balanced. `d`: dimension.

    `network`: plain descent. `long`: wider, with momentum and a rate that falls to 0, on the mixtures of two variances.
    """

    replicates: int
    network: SmallNetwork = field(default_factory=SmallNetwork)
    long: SmallNetwork = field(
        default_factory=lambda: SmallNetwork(hidden=256, steps=20_000, lr=0.002, momentum=0.9, decay=0.5)
    )
    shares: tuple[float, ...] = (0.5, 0.35, 0.2, 0.05)
    d: int = 16

    def cells(self) -> dict[str, Mixture]:
        """Every cell by name."""
        rare, apart = self.shares[-1], (float(self.d), float(self.d))
        found = {f"high {s:g}": Mixture((HIGH, LOW), (s, 1 - s), self.d, apart, "ones") for s in self.shares}
        for s in (self.shares[0], rare):
            found[f"equal variance {s:g}"] = Mixture((1.0, 1.0), (s, 1 - s), self.d, apart, "ones")
        for s in (self.shares[0], rare):
            found[f"one centroid {s:g}"] = Mixture((HIGH, LOW), (s, 1 - s), self.d, (0.0, 0.0), "ones")
        return found

    def long_cells(self) -> dict[str, Mixture]:
        """The cells of the long run."""
        return {name: mixture for name, mixture in self.cells().items() if name.startswith("high")}


PRESETS = {
    "tiny": Options(2, *(SmallNetwork(hidden=32, steps=60, checkpoints=20),) * 2, (0.5, 0.05)),
    "cpu": Options(8),
    "paper": Options(32, SmallNetwork(steps=20_000), SmallNetwork(hidden=1024, steps=100_000, lr=0.002, momentum=0.9, decay=0.5)),
}  # fmt: skip


def measure(
    cells: Mapping[str, Mixture], network: SmallNetwork, replicates: int, file: Path, seed: int = 0
) -> xr.Dataset:
    """Test losses: dims cell, replicate, class, step; kept in the file."""
    setting = repr((dict(cells), network, replicates, seed))
    if file.exists():
        found = read_netcdf(file, "results")
        if found.attrs["setting"] == setting:
            return found
    steps, losses = class_losses(list(cells.values()), network, replicates, seed)
    dataset = xr.Dataset(
        {"loss": (("cell", "replicate", "class", "step"), losses)},
        coords={"cell": list(cells), "step": steps.astype(float)},
        attrs={"setting": setting, "seed": seed, "t": network.t},
    )
    write_netcdf(file, dataset)
    return dataset


def excess_of(dataset: xr.Dataset, mixture: Mixture, cell: str, k: int) -> np.ndarray:
    """Normalised excess loss of a class of a cell: (replicate, step)."""
    best = class_wiener_loss(mixture.variance[k], dataset.attrs["t"])
    loss = dataset["loss"].sel(cell=cell).isel({"class": k}).transpose("replicate", "step").values
    return np.asarray((loss - best) / (1 - best))


def clocks(dataset: xr.Dataset, options: Options, cell: str, target: float) -> list[Passages]:
    """Learning clock of both classes of a cell, over replicates."""
    clock = Clock("excess", target, "falling")
    steps, mixture = dataset["step"].values, options.cells()[cell]
    return [clock.of(steps, excess_of(dataset, mixture, cell, k)) for k in range(2)]


def log_ratio(dataset: xr.Dataset, options: Options, cell: str, target: float) -> LogRatio:
    """ln(time of class 0/time of class 1): class 0 has the high variance, or is the rare one."""
    return LogRatio.of(*clocks(dataset, options, cell, target))


def claims(dataset: xr.Dataset, options: Options) -> list[Claim]:
    """C1, C3 and C4 in a trained network, a row for each target."""
    balanced, rare = options.shares[0], options.shares[-1]
    of = {(cell, t): log_ratio(dataset, options, cell, t) for cell in options.cells() for t in TARGETS}
    alike = {t: of[f"equal variance {balanced:g}", t] for t in TARGETS}
    rows = []
    for t in TARGETS:
        first = of[f"high {balanced:g}", t]
        control = unlike("equal variance", alike[t], first)
        name = f"C1 (trained network): the class of higher variance is first, e ≤ {t:g}"
        rows.append(Claim(name, (ratio("low over high variance", _inverse(first), above=1),), (control,)))
    one = [ratio(f"all centroids at 0, share {s:g}", of[f"one centroid {s:g}", 0.2], below=1) for s in (balanced, rare)]
    for t in TARGETS:
        name = f"C3: imbalance reverses the order (share {rare:g}, short run), e ≤ {t:g}"
        before = ratio(f"share {balanced:g}: high over low variance", of[f"high {balanced:g}", t], below=1)
        reversed_ = ratio("high over low variance", of[f"high {rare:g}", t], above=1)
        rows.append(Claim(name, (reversed_,), (before, *one)))
    minor, same = of[f"equal variance {rare:g}", 0.5], alike[0.5]
    words = f"C4 (ours): imbalance alone delays a class, equal variance, share {rare:g}, e ≤ 0.5"
    rows.append(
        Claim(words, (ratio("minority over majority", minor, above=1.3),), (unlike("equal shares", same, minor),))
    )
    return rows


def long_claims(dataset: xr.Dataset, options: Options) -> list[Claim]:
    """Whether the rare class of the short run is late, or never comes: the long run, to a target below the stall."""
    balanced, rare = f"high {options.shares[0]:g}", f"high {options.shares[-1]:g}"
    end = clocks(dataset, options, rare, LAST)[0]
    floor = excess_of(dataset, options.cells()[rare], rare, 0)[:, -1]
    times = {cell: clocks(dataset, options, cell, LATE) for cell in (balanced, rare)}
    falls = options.long.steps * (1 - options.long.decay)
    slowest = times[rare][0]
    constant = ratio("its time over that at which the rate begins to fall",
                     LogRatio(np.log(slowest.low / falls), np.log(slowest.high / falls)), below=1)  # fmt: skip
    by_share = [log_ratio(dataset, options, f"high {s:g}", LATE) for s in options.shares]
    steps = [ratio(f"share {b:g} over {a:g}", LogRatio(y.low - x.high, y.high - x.low), above=1)
             for (a, x), (b, y) in pairwise(zip(options.shares, by_share, strict=True))]  # fmt: skip
    delay = LogRatio.of(slowest, times[balanced][0])
    other = unlike("the other class", LogRatio.of(times[rare][1], times[balanced][1]), delay)
    before = ratio("equal shares: high over low variance", LogRatio.of(*times[balanced]), below=1)
    of = f"of the class of high variance, share {options.shares[-1]:g}"
    return [
        Claim(
            f"C3 (long run): the class comes once the rate falls, e ≤ {LAST:g}, {of}",
            (share("replicates that reach it", int(end.hit.sum()), len(end), above=0.5),),
            here=f"its excess at the end {in_words(mean('', floor).found)}",
        ),
        Claim(f"C3 (long run): it is late, e ≤ {LATE:g}, {of}",
              (ratio("over its time at equal shares", delay, above=1),), (other, constant)),
        Claim(f"C3 (long run): the rarer it is, the later against the other class, e ≤ {LATE:g}",
              tuple(steps), (constant,)),
        Claim(f"C3 (long run): imbalance reverses the order, e ≤ {LATE:g}, {of}",
              (ratio("high over low variance", LogRatio.of(*times[rare]), above=1),), (before, constant)),
    ]  # fmt: skip


def _inverse(one: LogRatio) -> LogRatio:
    return LogRatio(-one.high, -one.low)


def table(dataset: xr.Dataset, options: Options, targets: tuple[float, ...]) -> pd.DataFrame:
    """Time of both classes in every cell, at every target, over replicates, with censoring, and their ratio."""
    rows = []
    for cell in dataset["cell"].values.tolist():
        for target in targets:
            both = clocks(dataset, options, cell, target)
            rows.append(
                {
                    "cell": cell,
                    "target": target,
                    "class 0 (high variance, or rare)": str(both[0]),
                    "class 1": str(both[1]),
                    "class 0 over class 1": in_words(ratio("", LogRatio.of(*both)).found),
                }
            )
    return pd.DataFrame(rows)


def figure(dataset: xr.Dataset, long: xr.Dataset, options: Options) -> Figure:
    """Excess of both classes, balanced and rare, short and long; and the order against the share."""
    picture, grid = panels(2, 2, width=4.2, share="")
    axes = grid.ravel()
    balanced, rare = options.shares[0], options.shares[-1]
    for ax, kept, s, words in zip(
        axes, (dataset, dataset, long), (balanced, rare, rare), ("short run", "short run", "long run"), strict=False
    ):
        cell = f"high {s:g}"
        for k, (variance, colour) in enumerate(((HIGH, VERMILION), (LOW, BLUE))):
            label = f"variance {variance:g}, share {s if k == 0 else 1 - s:g}"
            seeds(ax, kept["step"], excess_of(kept, options.cells()[cell], cell, k), colour, label, lw=0.9)
        level(ax, 0.2)
        level(ax, LAST)
        ax.set(xscale="log", ylim=(-0.05, 1.1), xlabel="training step", title=words)
        legend(ax)
    for ax in axes[:3:2]:
        ax.set_ylabel("excess loss, normalised per class")
    ax = axes[3]
    named = (
        ("high", options.shares, PURPLE, "separated centroids"),
        ("one centroid", (balanced, rare), GRAY, "all centroids at 0"),
    )
    for name, shares, colour, label in named:
        for s in shares:
            found = log_ratio(dataset, options, f"{name} {s:g}", 0.2)
            seen = found.low == found.high
            ax.plot(np.full(seen.sum(), s), found.low[seen], "o", color=colour, ms=4, alpha=0.7)
            bound = np.isfinite(found.low) & ~seen
            ax.plot(np.full(bound.sum(), s), found.low[bound], "^", color=colour, mfc="none")
        key(ax, colour, label)
    not_reached(ax, "lower bound (censored)")
    ax.axhline(0, color="0.6", lw=0.8)
    ax.set(
        xscale="log", xlabel="share of the high-variance class", ylabel="ln(high/low) time, e ≤ 0.2", title="short run"
    )
    ax.set_xlim(1.3 * balanced, rare / 1.3)
    ticks(ax, options.shares)
    legend(ax)
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, judge, draw."""
    place = folder / "runs"
    say(f"{len(options.cells())} cells × {options.replicates} replicates, side by side")
    dataset = measure(options.cells(), options.network, options.replicates, place / "mlp.nc")
    say(f"the long run: {options.long.steps:,} steps")
    long = measure(options.long_cells(), options.long, options.replicates, place / "mlp_long.nc")
    tables = {"clocks": table(dataset, options, SWEEP), "long": table(long, options, SWEEP)}
    notes = (
        "The order depends on the target: the tables have it from 0.5 to 0.1. In the short run the rare class stalls above 0.2, "
        "and a time that was not reached is only a bound; the long run (wider, momentum, a rate that falls to 0) goes below.",
    )
    found = claims(dataset, options) + long_claims(long, options)
    return Part(found, tables, {"order": figure(dataset, long, options)}, dataset, notes, ("clocks", "long"))
