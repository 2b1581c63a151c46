"""Part: a trained network on mixtures. When imbalance reverses the order of classes; it takes separated centroids."""

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
from ..claims import OURS, above, below, contains_zero, factor, row, signs, verdict
from ..study import Part, Say
from .mixtures import Mixture, class_wiener_loss, noised_variance
from .network import SmallNetwork, class_losses

TARGETS = (0.5, 0.2)
"""Normalised excess loss, fixed in advance: the order depends on it."""

SWEEP = (0.5, 0.4, 0.3, 0.2, 0.1)
"""Targets at which the sensitivity of the order is printed."""

HIGH, LOW = (1.5, 0.5)
FEWEST = 8


@dataclass(frozen=True)
class Options:
    """`shares`: proportions of the high-variance class, falling from balanced. `d`: dimension."""

    replicates: int
    network: SmallNetwork = field(default_factory=SmallNetwork)
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


PRESETS = {
    "tiny": Options(2, SmallNetwork(hidden=64, steps=150, checkpoints=40), (0.5, 0.05)),
    "cpu": Options(8),
    "paper": Options(32, SmallNetwork(steps=20_000)),
}


def measure(options: Options, folder: Path, say: Say, seed: int = 0) -> xr.Dataset:
    """Test losses: dims cell, replicate, class, step; kept in the folder."""
    file = folder / "runs" / "mlp.nc"
    if file.exists():
        found = read_netcdf(file, "results")
        if found.attrs["setting"] == repr(options):
            return found
    cells = options.cells()
    say(f"{len(cells)} cells × {options.replicates} replicates, side by side")
    steps, losses = class_losses(list(cells.values()), options.network, options.replicates, seed)
    dataset = xr.Dataset(
        {"loss": (("cell", "replicate", "class", "step"), losses)},
        coords={"cell": list(cells), "step": steps.astype(float)},
        attrs={"setting": repr(options), "seed": seed},
    )
    write_netcdf(file, dataset)
    return dataset


def clocks(dataset: xr.Dataset, options: Options, cell: str, target: float) -> list[Passages]:
    """Learning clock of both classes of a cell, over replicates."""
    found = []
    for k, variance in enumerate(options.cells()[cell].variance):
        best = class_wiener_loss(variance, options.network.t)
        loss = dataset["loss"].sel(cell=cell).isel({"class": k}).transpose("replicate", "step").values
        excess = (loss - best) / (1 - best)
        found.append(Clock(f"excess of class {k}", target, "falling").of(dataset["step"].values, excess))
    return found


def log_ratio(dataset: xr.Dataset, options: Options, cell: str, target: float) -> LogRatio:
    """ln(time of class 0/time of class 1): class 0 has the high variance, or is the rare one."""
    return LogRatio.of(*clocks(dataset, options, cell, target))


def claims(dataset: xr.Dataset, options: Options) -> list[dict[str, str]]:
    """C1, C3 and C4 in a trained network."""
    balanced, rare = options.shares[0], options.shares[-1]
    enough = options.replicates >= FEWEST
    ratio = {(cell, t): log_ratio(dataset, options, cell, t) for cell in options.cells() for t in SWEEP}
    first = {t: _inverse(ratio[f"high {balanced:g}", t]) for t in TARGETS}
    alike = {t: ratio[f"equal variance {balanced:g}", t] for t in TARGETS}
    most = [bool(one.positive.value * one.positive.n >= options.replicates - 1) for one in first.values()]
    rows = [
        row(
            "C1 (trained network): higher variance first",
            "low over high: " + "; ".join(f"e ≤ {t:g}: {factor(one)}" for t, one in first.items()),
            "; ".join(f"e ≤ {t:g}: {signs(one)}" for t, one in first.items()),
            "equal variance: " + "; ".join(f"e ≤ {t:g}: {factor(one)}" for t, one in alike.items()),
            verdict(
                *(_larger(one, 1.3) for one in first.values()),
                *(above(one.mean, 0) for one in first.values()),
                *most,
                control=_both([contains_zero(one) for one in alike.values()]),
                enough=enough,
            ),
        )
    ]
    by_share = [ratio[f"high {share:g}", 0.2] for share in options.shares]
    rising = _both([_rises(a, b) for a, b in pairwise(by_share)])
    same = {s: ratio[f"one centroid {s:g}", 0.2] for s in (balanced, rare)}
    late = by_share[-1]
    reversed_in = int((late.low > 0).sum())
    sizes = [p * noised_variance(v, options.network.t) for p, v in ((1.0, HIGH), (1.0, LOW))]
    flips = float(sizes[1] / (sizes[0] + sizes[1]))
    rows.append(
        row(
            "C3: imbalance modulates the order and can reverse it",
            "high over low at e ≤ 0.2: "
            + "; ".join(f"share {s:g}: {factor(r)}" for s, r in zip(options.shares, by_share, strict=True)),
            f"reversed at share {rare:g} in {reversed_in} of {options.replicates} replicates; balanced: {signs(by_share[0])}; "
            f"toy rule 1/(pi G) flips at share {flips:.2f}",
            "all centroids at 0: "
            + "; ".join(f"share {s:g}: {factor(r)}" for s, r in same.items())
            + " must stay below 1",
            verdict(
                rising,
                below(by_share[0].mean, 0),
                True if reversed_in >= options.replicates - 1 else False if (late.high < 0).sum() > 1 else None,
                control=_both([below(one.mean, 0) for one in same.values()]),
                enough=enough,
            ),
        )
    )
    minor, same_share = ratio[f"equal variance {rare:g}", 0.5], ratio[f"equal variance {balanced:g}", 0.5]
    rows.append(
        row(
            "C4: imbalance alone delays a class",
            f"minority over majority at e ≤ 0.5, equal variance, share {rare:g}: {factor(minor)}",
            signs(minor),
            f"equal shares: {factor(same_share)}",
            verdict(_larger(minor, 1.3), above(minor.mean, 0), control=contains_zero(same_share), enough=enough),
            paper=OURS,
        )
    )
    words = "; ".join(
        f"e ≤ {t:g}: balanced {factor(ratio[f'high {balanced:g}', t])}, share {rare:g} {factor(ratio[f'high {rare:g}', t])}"
        for t in SWEEP
    )
    at = [ratio[f"high {balanced:g}", t] for t in SWEEP]
    flipped = any(one.low.mean() > 0 for one in at) and any(one.high.mean() < 0 for one in at)
    rows.append(
        row(
            "known negative: the order depends on the target",
            f"high over low: {words}",
            "over replicates, in brackets; ≥ and ≤ are bounds of censored times",
            "targets 0.5 and 0.2 were fixed in advance",
            verdict(flipped, enough=enough),
            paper=OURS,
        )
    )
    return rows


def _inverse(ratio: LogRatio) -> LogRatio:
    return LogRatio(-ratio.high, -ratio.low)


def _larger(ratio: LogRatio, bound: float) -> bool | None:
    """Whether the mean ratio exceeds a bound, from bounds where censored."""
    if np.exp(ratio.low).mean() > bound:
        return True
    return False if np.exp(ratio.high).mean() <= bound else None


def _rises(a: LogRatio, b: LogRatio) -> bool | None:
    """Whether the mean ratio does not fall from a to b: bounds are compared as bounds, and decide False only where they must."""
    if np.isfinite(a.low).all() and np.isfinite(b.low).all() and b.low.mean() >= a.low.mean():
        return True
    return False if b.high.mean() < a.low.mean() else None


def _both(answers: list[bool | None]) -> bool | None:
    return False if False in answers else None if None in answers else True


def table(dataset: xr.Dataset, options: Options) -> pd.DataFrame:
    """Time of both classes in every cell, at both targets, over replicates, with censoring."""
    rows = []
    for cell, mixture in options.cells().items():
        for target in TARGETS:
            for k, passages in enumerate(clocks(dataset, options, cell, target)):
                words = {"variance": mixture.variance[k], "share": mixture.proportions[k], "steps": str(passages)}
                rows.append({"cell": cell, "target": target, "class": k, **words})
    return pd.DataFrame(rows)


def figure(dataset: xr.Dataset, options: Options) -> Figure:
    """Excess of both classes over training, balanced and rare; and the order against the share."""
    picture = Figure(figsize=(11, 3.6), layout="constrained")
    axes = picture.subplots(1, 3)
    for ax, share in zip(axes[:2], (options.shares[0], options.shares[-1]), strict=True):
        cell = f"high {share:g}"
        for k, (variance, colour) in enumerate(((HIGH, "#D55E00"), (LOW, "#0072B2"))):
            best = class_wiener_loss(variance, options.network.t)
            loss = dataset["loss"].sel(cell=cell).isel({"class": k}).transpose("step", "replicate").values
            ax.plot(dataset["step"], (loss - best) / (1 - best), color=colour, lw=0.9, alpha=0.6)
            ax.plot(
                [], [], color=colour, lw=2, label=f"variance {variance:g}, share {share if k == 0 else 1 - share:g}"
            )
        ax.axhline(0.2, color="0.6", lw=0.8, ls=":")
        ax.set(xscale="log", ylim=(-0.05, 1.1), xlabel="training step")
        ax.legend(frameon=False, fontsize=8)
    axes[0].set_ylabel("excess loss, normalised per class")
    ax = axes[2]
    for name, shares, colour in (
        ("high", options.shares, "#CC79A7"),
        ("one centroid", (options.shares[0], options.shares[-1]), "0.45"),
    ):
        for share in shares:
            found = log_ratio(dataset, options, f"{name} {share:g}", 0.2)
            seen = found.low == found.high
            ax.plot(np.full(seen.sum(), share), found.low[seen], "o", color=colour, ms=4, alpha=0.7)
            bound = np.isfinite(found.low) & ~seen
            ax.plot(np.full(bound.sum(), share), found.low[bound], "^", color=colour, mfc="none")
        ax.plot(
            [], [], "o", color=colour, label={"high": "separated centroids", "one centroid": "all centroids at 0"}[name]
        )
    ax.plot([], [], "^", color="0.3", mfc="none", label="lower bound (censored)")
    ax.axhline(0, color="0.6", lw=0.8)
    ax.set(xscale="log", xlabel="share of the high-variance class", ylabel="ln(high/low) time, e ≤ 0.2")
    ax.set_xlim(1.3 * options.shares[0], options.shares[-1] / 1.3)
    ax.set_xticks(options.shares, [f"{s:g}" for s in options.shares])
    ax.minorticks_off()
    ax.legend(frameon=False, fontsize=8)
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, judge, draw."""
    dataset = measure(options, folder, say)
    return Part(
        claims(dataset, options),
        {"clocks": table(dataset, options)},
        {"order": figure(dataset, options)},
        dataset,
        (),
        ("clocks",),
    )
