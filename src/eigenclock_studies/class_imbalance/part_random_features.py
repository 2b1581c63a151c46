"""Part: random features. Order of the classes by variance, by centroids and by frequency; when each overfits."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from eigenclock.checks import InputError, choice
from eigenclock.clocks.passage import Clock, Passages
from eigenclock.clocks.replicates import LogRatio, student_interval
from ..claims import OURS, above, contains_zero, factor, row, signs, verdict, within
from ..study import Part, Say
from ..sweep import sweep
from .mixtures import Mixture, class_wiener_loss
from .random_features import SPLITS, TAU, RandomFeatures, class_losses
from .spectrum_equations import SharedPhase

CLOCKS = ("half", "95", "e 0.5", "e 0.2", "overfit", "memory")
"""Half and 95 % of the class's own drop of test loss; normalised excess at 0.5 and 0.2; the two overfitting clocks."""

OVERFIT = 0.1
"""Gap that counts as overfitting: of 1 − L*, or of the gap's own maximum."""

VARIANCE, EQUAL, CENTROIDS, EQUAL_NORMS = "variance", "equal variance", "centroids", "equal norms"
FEWEST = 5


@dataclass(frozen=True)
class Options:
    """Sizes of the random-feature part; `shares`: proportions of the high-variance class, the first of them balanced."""

    d: int
    psi_p: float
    psi_n: float
    draws: int
    replicates: int
    shares: tuple[float, ...] = (0.5, 0.1, 0.9)
    other_psi_n: tuple[float, ...] = (4.0,)
    controls: bool = True
    test: int = 6000
    limit_seconds: float = 200.0
    workers: int | None = None

    def cells(self) -> dict[str, RandomFeatures]:
        """Every experiment by name."""
        sizes = {"psi_p": self.psi_p, "psi_n": self.psi_n, "draws": self.draws, "test": self.test}
        d = self.d
        found = {
            f"{VARIANCE} {share:g}": RandomFeatures(Mixture((1.5, 0.5), (share, 1 - share), d), **sizes)  # type: ignore[arg-type]
            for share in self.shares
        }
        balanced = found[f"{VARIANCE} {self.shares[0]:g}"]
        equal = replace(balanced, mixture=Mixture((1.0, 1.0), (0.5, 0.5), d))
        found[EQUAL] = equal
        if self.controls:
            apart = Mixture((1.0, 1.0), (0.5, 0.5), d, (float(d), d / 4), "orthogonal")
            found[CENTROIDS] = replace(equal, mixture=apart)
            found[EQUAL_NORMS] = replace(equal, mixture=replace(apart, norm2=(float(d), float(d))))
            found["twice the draws"] = replace(balanced, draws=2 * self.draws)
        for size in self.other_psi_n:
            found[f"psi_n {size:g}"] = replace(balanced, psi_n=size)
        return found


PRESETS = {
    "tiny": Options(16, 8, 4, 32, 2, (0.5,), (), False, 500, workers=1),
    "cpu": Options(24, 16, 8, 64, 10),
    "paper": Options(100, 64, 8, 100, 10, (0.5, 0.1, 0.9), (4.0, 16.0, 32.0), limit_seconds=7200),
}


def case(setting: RandomFeatures, seed: int) -> xr.Dataset:
    """Losses (split, class, tau) of one draw."""
    return xr.Dataset(
        {"loss": (("split", "class", "tau"), class_losses(setting, seed))}, coords={"split": list(SPLITS), "tau": TAU}
    )


def measure(options: Options, folder: Path, say: Say) -> xr.Dataset:
    """Losses of every cell and replicate: dims cell, replicate, split, class, tau."""
    found = sweep(
        case,
        options.cells(),
        seeds=range(options.replicates),
        folder=folder / "runs" / "random_features",
        workers=options.workers,
        limit_seconds=options.limit_seconds,
        say=say,
    )
    cells = [name for name in options.cells() if len(found.seeds_of(name)) == options.replicates]
    if not {f"{VARIANCE} {options.shares[0]:g}", EQUAL} <= set(cells):
        raise InputError(
            f"limit_seconds must leave time for the balanced and the equal cell, got {options.limit_seconds:g}"
        )
    parts = [xr.concat(found.seeds_of(name), "replicate", combine_attrs="drop") for name in cells]
    return xr.concat(parts, pd.Index(cells, name="cell")).assign_attrs(truncated=int(bool(found.dropped)))


def clocks(dataset: xr.Dataset, cell: str, setting: RandomFeatures) -> dict[str, list[Passages]]:
    """Every clock of every class of a cell, over replicates."""
    here = dataset["loss"].sel(cell=cell).dropna("replicate").transpose("replicate", "split", "class", "tau")
    found: dict[str, list[Passages]] = {name: [] for name in CLOCKS}
    for k, variance in enumerate(setting.mixture.variance):
        _, train, test = (here.sel(split=split).isel({"class": k}).values for split in SPLITS)
        best = class_wiener_loss(variance, setting.t)
        excess, gap = (test - best) / (1 - best), test - train
        drop = (1 - test) / (1 - test.min(axis=1, keepdims=True))
        for name, value, target, falling in (
            ("half", drop, 0.5, False),
            ("95", drop, 0.95, False),
            ("e 0.5", excess, 0.5, True),
            ("e 0.2", excess, 0.2, True),
            ("overfit", gap, OVERFIT * (1 - best), False),
            ("memory", gap / gap.max(axis=1, keepdims=True), OVERFIT, False),
        ):
            clock = Clock(name, target, "falling" if falling else "rising")
            found[name].append(clock.of(TAU, value))
    return found


def log_ratio(found: dict[str, list[Passages]], clock: str, a: int, b: int) -> LogRatio:
    """ln(time of class a/time of class b)."""
    choice("clock", clock, CLOCKS)
    return LogRatio.of(found[clock][a], found[clock][b])


def window(found: dict[str, list[Passages]], i: int, j: int, clock: str) -> Any:
    """W_ij of every replicate: decades between class i passing `clock` and class j being learned to 0.2; 0 if j comes first.

    A lower bound where class j is not reached.
    """
    return np.maximum(0.0, LogRatio.of(found["e 0.2"][j], found[clock][i]).low / np.log(10))


def clock_table(dataset: xr.Dataset, options: Options) -> pd.DataFrame:
    """Geometric mean and interval of every clock, by cell and class."""
    rows = []
    for cell, setting in options.cells().items():
        if cell not in dataset["cell"].values:
            continue
        for name, both in clocks(dataset, cell, setting).items():
            for k, passages in enumerate(both):
                low, high = passages.interval()
                rows.append(
                    {
                        "cell": cell,
                        "clock": name,
                        "class": k,
                        "variance": setting.mixture.variance[k],
                        "proportion": setting.mixture.proportions[k],
                        "time": passages.geometric_mean,
                        "low": low,
                        "high": high,
                        "hit": int(passages.hit.sum()),
                        "replicates": len(passages),
                    }
                )
    return pd.DataFrame(rows)


def claims(dataset: xr.Dataset, options: Options) -> list[dict[str, str]]:
    """C1, C2 and C6 in random features, and what is known not to show."""
    cells = options.cells()
    enough = options.replicates >= FEWEST and not dataset.attrs["truncated"]
    known = {name: clocks(dataset, name, setting) for name, setting in cells.items() if name in dataset["cell"].values}
    balanced, equal = known[f"{VARIANCE} {options.shares[0]:g}"], known[EQUAL]
    by = {name: log_ratio(balanced, name, 1, 0) for name in CLOCKS}
    control = {name: log_ratio(equal, name, 1, 0) for name in ("half", "95")}
    phase = SharedPhase.of((1.5, 0.5), (0.5, 0.5), 0.1)
    rows = [
        row(
            "C1 (random features): higher variance first",
            "low over high: " + "; ".join(f"{name} {factor(by[name])}" for name in ("half", "95", "overfit", "memory")),
            "; ".join(f"{name}: {signs(by[name])}" for name in ("half", "95", "overfit", "memory")),
            "equal variance: " + "; ".join(f"{name} {factor(one)}" for name, one in control.items()),
            verdict(
                within(by["half"], 1.6, 2.4),
                within(by["95"], 2.0, 3.5),
                within(by["overfit"], 3, np.inf),
                above(by["memory"].mean, 0),
                control=_all(contains_zero(one) for one in control.values()),
                enough=enough,
            ),
        )
    ]
    if CENTROIDS in known:
        moved = {name: log_ratio(known[CENTROIDS], name, 0, 1) for name in ("half", "95")}
        same = {name: log_ratio(known[EQUAL_NORMS], name, 0, 1) for name in ("half", "95")}
        smaller = [abs(moved[name].mean.value) <= 0.5 * abs(by[name].mean.value) for name in moved]
        rows.append(
            row(
                "C2: centroid geometry is secondary",
                "larger norm over smaller: " + "; ".join(f"{name} {factor(one)}" for name, one in moved.items()),
                "against variance: " + "; ".join(f"{name} {factor(by[name])}" for name in moved),
                "equal norms: " + "; ".join(f"{name} {factor(one)}" for name, one in same.items()),
                verdict(*smaller, control=_all(contains_zero(one) for one in same.values()), enough=enough),
            )
        )
    over, mem = window(balanced, 0, 1, "overfit"), window(balanced, 0, 1, "memory")
    crossed = [student_interval(window(equal, i, 1 - i, "overfit")) for i in (0, 1)]
    agree = crossed[0].low <= crossed[1].high and crossed[1].low <= crossed[0].high
    rows.append(
        row(
            "C6 (random features): one class overfits while another is not learned",
            f"decades between the high class overfitting and the low one learned: {student_interval(over)} by the gap of 0.1 "
            f"(1 − L*); {student_interval(mem)} by a tenth of the largest gap",
            f"high overfits {balanced['overfit'][0]}, low learned to 0.2 {balanced['e 0.2'][1]}, "
            f"high memory {balanced['memory'][0]}",
            f"equal variance: {crossed[0]} and {crossed[1]} must agree",
            verdict(_positive(over), bool((mem == 0).all()), control=agree, enough=enough),
        )
    )
    rare = [name for name in known if name.startswith(VARIANCE) and name != f"{VARIANCE} {options.shares[0]:g}"]
    if rare:
        swayed = {name: log_ratio(known[name], "half", 1, 0) for name in rare}
        rows.append(
            row(
                "known negative: imbalance does not reverse the order in isotropic random features",
                "low over high, half: "
                + "; ".join(f"{n.removeprefix(VARIANCE).strip()} high: {factor(r)}" for n, r in swayed.items()),
                "; ".join(signs(r) for r in swayed.values()),
                f"shared phase predicts the high class best at tau = {phase.best_time(0):.2f} and the low class not in it",
                verdict(*(above(r.mean, 0) for r in swayed.values()), enough=enough),
                paper=OURS,
            )
        )
    if "twice the draws" in known:
        again = {name: log_ratio(known["twice the draws"], name, 1, 0) for name in CLOCKS if name != "e 0.2"}
        rows.append(
            row(
                "check: twice the noise draws per point leave the order",
                "; ".join(f"{name} {factor(r)}" for name, r in again.items()),
                "; ".join(signs(r) for r in again.values()),
                "once: " + "; ".join(f"{name} {factor(by[name])}" for name in again),
                verdict(*(_same_sign(r, by[name]) for name, r in again.items()), enough=enough),
                paper=OURS,
            )
        )
    return rows


def _all(answers: Any) -> bool | None:
    found = list(answers)
    return False if False in found else None if None in found else True


def _positive(values: Any) -> bool | None:
    interval = student_interval(values)
    return True if interval.low > 0 else False if interval.high == 0 else None


def _same_sign(a: LogRatio, b: LogRatio) -> bool | None:
    if np.isnan(a.mean.value) or np.isnan(b.mean.value):
        return None
    return bool(np.sign(a.mean.value) == np.sign(b.mean.value))


def figure(dataset: xr.Dataset, options: Options) -> Figure:
    """Normalised excess of both classes over training, test and train, in the balanced and the equal cell."""
    wanted = dict.fromkeys((f"{VARIANCE} {options.shares[0]:g}", f"{VARIANCE} {options.shares[-1]:g}", EQUAL))
    shown = [name for name in wanted if name in dataset["cell"].values]
    picture = Figure(figsize=(3.6 * len(shown) + 0.6, 3.6), layout="constrained")
    axes = picture.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for ax, name in zip(axes, shown, strict=True):
        mixture = options.cells()[name].mixture
        for k, colour in zip(range(2), ("#D55E00", "#0072B2"), strict=True):
            best = class_wiener_loss(mixture.variance[k], options.cells()[name].t)
            for split, style in (("test", "-"), ("train", "--")):
                loss = dataset["loss"].sel(cell=name, split=split).isel({"class": k}).transpose("tau", "replicate")
                ax.plot(TAU, (loss - best) / (1 - best), style, color=colour, lw=1, alpha=0.6)
            label = f"variance {mixture.variance[k]:g}, share {mixture.proportions[k]:g}"
            ax.plot([], [], color=colour, lw=2, label=label)
        ax.axhline(0.2, color="0.6", lw=0.8, ls=":")
        ax.set(xscale="log", ylim=(-0.6, 1.1), xlabel="training time tau")
        ax.plot([], [], "--", color="0.3", label="on training points")
        ax.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    axes[0].set_ylabel("excess loss, normalised per class")
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Measure, judge, draw."""
    dataset = measure(options, folder, say)
    tables = {"clocks": clock_table(dataset, options)}
    return Part(claims(dataset, options), tables, {"losses": figure(dataset, options)}, dataset)
