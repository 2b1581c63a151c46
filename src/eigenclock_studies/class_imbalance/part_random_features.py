"""Part: random features. Order of the classes by variance, by centroids and by frequency; when each overfits."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from eigenclock.checks import InputError, choice
from eigenclock.clocks.passage import Clock, Passages
from eigenclock.clocks.replicates import LogRatio
from ..claims import Claim, in_words, mean, ratio, unlike
from ..figures import BLUE, DARK, VERMILION, legend, level, panels, seeds
from ..study import Part, Say
from ..sweep import sweep
from .mixtures import Mixture, class_wiener_loss
from .random_features import SPLITS, TAU, RandomFeatures, class_losses

CLOCKS = ("half", "95", "e 0.5", "e 0.2", "overfit", "memory", "memory 50")
"""Half and 95 % of the class's own drop of test loss; normalised excess at 0.5 and 0.2; the three overfitting clocks."""

OVERFIT = 0.1
"""Gap that counts as overfitting: of 1 − L*, or of the gap's own maximum."""

VARIANCE, EQUAL, CENTROIDS, EQUAL_NORMS, TWICE = (
    "variance",
    "equal variance",
    "centroids",
    "equal norms",
    "twice the draws",
)


@dataclass(frozen=True)
class Options:
    """Sizes of the random-feature part; `shares`: proportions of the high-variance class, the first of them balanced."""

    d: int
    psi_p: float
    psi_n: float
    draws: int
    seeds: tuple[int, ...]
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
            found[TWICE] = replace(balanced, draws=2 * self.draws)
        for size in self.other_psi_n:
            found[f"psi_n {size:g}"] = replace(balanced, psi_n=size)
        return found


NOTES = (
    "Fresh seeds, never used in a pilot. Two levels of the memory clock, since they answer differently: at a tenth of its "
    "largest gap a class is where the gap of generalisation ends and memorisation begins.",
)

PRESETS = {
    "tiny": Options(12, 8, 4, 16, (0, 1), (0.5,), (), False, 300, workers=1),
    "cpu": Options(24, 16, 8, 64, tuple(range(200, 220)), other_psi_n=()),
    "paper": Options(100, 64, 8, 100, tuple(range(200, 220)), (0.5, 0.1, 0.9), (4.0, 16.0, 32.0), limit_seconds=7200),
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
        seeds=options.seeds,
        folder=folder / "runs" / "random_features",
        workers=options.workers,
        limit_seconds=options.limit_seconds,
        say=say,
    )
    if found.dropped:
        raise InputError(
            f"limit_seconds must leave time for every cell (finished ones are kept), got {options.limit_seconds:g}"
        )
    cells = list(options.cells())
    parts = [xr.concat(found.seeds_of(name), "replicate", combine_attrs="drop") for name in cells]
    return xr.concat(parts, pd.Index(cells, name="cell"))


def clocks(dataset: xr.Dataset, cell: str, setting: RandomFeatures) -> dict[str, list[Passages]]:
    """Every clock of every class of a cell, over replicates."""
    here = dataset["loss"].sel(cell=cell).transpose("replicate", "split", "class", "tau")
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
            ("memory 50", gap / gap.max(axis=1, keepdims=True), 0.5, False),
        ):
            clock = Clock(name, target, "falling" if falling else "rising")
            found[name].append(clock.of(TAU, value))
    return found


def log_ratio(found: dict[str, list[Passages]], clock: str, a: int, b: int) -> LogRatio:
    """ln(time of class a/time of class b)."""
    choice("clock", clock, CLOCKS)
    return LogRatio.of(found[clock][a], found[clock][b])


def clock_table(dataset: xr.Dataset, options: Options) -> pd.DataFrame:
    """Geometric mean and interval of every clock, by cell and class."""
    rows = []
    for cell, setting in options.cells().items():
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


def claims(dataset: xr.Dataset, options: Options) -> list[Claim]:
    """C1, C2 and C6 in random features, one row for each answer, and what is known not to show."""
    known = {name: clocks(dataset, name, setting) for name, setting in options.cells().items()}
    first = f"{VARIANCE} {options.shares[0]:g}"
    balanced, equal = known[first], known[EQUAL]
    by = {name: log_ratio(balanced, name, 1, 0) for name in CLOCKS}
    rows = []
    for name, (words, above, below) in ORDER.items():
        control = unlike("equal variance", log_ratio(equal, name, 1, 0), by[name])
        words = f"C1 (random features): the class of higher variance is first, {words}"
        rows.append(Claim(words, (ratio("low over high variance", by[name], above=above, below=below),), (control,)))
    if CENTROIDS in known:
        for name in ("half", "95"):
            moved, same = (log_ratio(known[cell], name, 0, 1) for cell in (CENTROIDS, EQUAL_NORMS))
            size, effect = np.abs(moved.low), np.abs(by[name].low)  # both seen in every replicate, or NaN
            rows.append(
                Claim(
                    f"C2 (random features): the norm of centroids is secondary to variance, {ORDER[name][0]}",
                    (mean("its effect in ln over that of variance", size / effect, below=0.5),),
                    (unlike("equal norms", same, moved),),
                    here=f"larger norm over smaller {in_words(ratio('', moved).found)}",
                )
            )
    for clock, words in (("overfit", "gap of 0.1 (1 − L*)"), ("memory 50", "half of the largest gap")):
        crossed, same = (LogRatio.of(one["e 0.2"][1], one[clock][0]) for one in (balanced, equal))
        rows.append(
            Claim(
                f"C6 (random features): the class of higher variance overfits before the other is learned to 0.2, {words}",
                (ratio("low learned over high overfit", crossed, above=1),),
                rivals=(ratio("the same at equal variance", same, below=1),),
            )
        )
    for name in (name for name in known if name.startswith(VARIANCE) and name != first):
        share = name.removeprefix(VARIANCE).strip()
        words = f"ours: imbalance does not reverse the order in random features (share {share} high)"
        rows.append(
            Claim(words, (ratio("low over high variance, half", log_ratio(known[name], "half", 1, 0), above=1),))
        )
    if TWICE in known:
        again = {name: log_ratio(known[TWICE], name, 1, 0) for name in ("half", "95", "overfit", "memory 50")}
        drift = {name: LogRatio(one.low - by[name].low, one.high - by[name].high) for name, one in again.items()}
        measures = tuple(ratio(name, one, above=0.8, below=1.25) for name, one in drift.items())
        rows.append(Claim("check: twice the noise draws per point leave every ratio as it is", measures))
    return rows


ORDER = {
    "half": ("half of its own drop", 1.6, 2.4),
    "95": ("95 % of its own drop", 2.0, 3.5),
    "overfit": ("gap of 0.1 (1 − L*)", 3.0, np.inf),
    "memory": ("a tenth of its largest gap", 1.0, np.inf),
    "memory 50": ("half of its largest gap", 1.0, np.inf),
}
"""Words of the clocks that C1 is read by, and the ratios that count as shown, from pilots before these runs."""


def figure(dataset: xr.Dataset, options: Options) -> Figure:
    """Normalised excess of both classes over training, test and train, in the balanced, a rare and the equal cell."""
    wanted = dict.fromkeys((f"{VARIANCE} {options.shares[0]:g}", f"{VARIANCE} {options.shares[-1]:g}", EQUAL))
    shown = list(wanted)
    picture, axes = panels(len(shown), share="y")
    for ax, name in zip(np.atleast_1d(axes), shown, strict=True):
        mixture = options.cells()[name].mixture
        for k, colour in zip(range(2), (VERMILION, BLUE), strict=True):
            best = class_wiener_loss(mixture.variance[k], options.cells()[name].t)
            label = f"variance {mixture.variance[k]:g}, share {mixture.proportions[k]:g}"
            for split, style in (("test", "-"), ("train", "--")):
                loss = dataset["loss"].sel(cell=name, split=split).isel({"class": k}).transpose("replicate", "tau")
                seeds(ax, TAU, (loss - best) / (1 - best), colour, label if split == "test" else "", ls=style)
        level(ax, 0.2)
        ax.plot([], [], "--", color=DARK, label="on training points")
        ax.set(xscale="log", ylim=(-0.6, 1.1), xlabel="training time tau")
        legend(ax, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    np.atleast_1d(axes)[0].set_ylabel("excess loss, normalised per class")
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Measure, judge, draw."""
    dataset = measure(options, folder, say)
    tables = {"clocks": clock_table(dataset, options)}
    return Part(claims(dataset, options), tables, {"losses": figure(dataset, options)}, dataset, NOTES, ("clocks",))
