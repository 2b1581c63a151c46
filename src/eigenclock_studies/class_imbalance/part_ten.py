"""Part: all classes of real images, balanced. Whether variance orders their learning clocks, against permuted variances."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float
from matplotlib.figure import Figure

from eigenclock.clocks.passage import Clock, Passages
from eigenclock.clocks.replicates import mean_correlation
from ..claims import Claim, Measure, exact
from ..figures import BLUE, level, panels, seeds
from ..permutations import BY_CHANCE, by_chance, correlations
from ..study import Part, Say
from .fashion_data import Classes
from .fashion_runs import Options, data_of, measure
from .part_fashion import NEEDED, notes_of

TARGETS = (0.5, 0.2)


def clock(dataset: xr.Dataset, k: int, target: float) -> Passages:
    """Learning clock of a class over replicates."""
    here = dataset.isel({"class": k, "arm": 0})
    values = here["excess"].mean("t").transpose("replicate", "checkpoint").values
    return Clock("excess", target, "falling").of(here["step"].transpose("replicate", "checkpoint").values[0], values)


def times(dataset: xr.Dataset, target: float) -> Float[np.ndarray, "replicate class"]:
    """Times to rank: a class that was not learned is later than all that were, one learned at the first record earlier."""
    several = [clock(dataset, k, target) for k in range(dataset.sizes["class"])]
    return np.stack([np.where(np.isinf(one.high), np.inf, one.low) for one in several], axis=1)


def centroid_distance(data: Classes) -> Float[np.ndarray, " class"]:
    """Distance of each class's mean from the nearest other one."""
    means = np.stack([pool.mean(axis=0) for pool in data.others])
    apart = np.linalg.norm(means[:, None] - means, axis=2)
    np.fill_diagonal(apart, np.inf)
    return np.asarray(apart.min(axis=1))


ORDERS = (
    ("C7: classes of higher variance are learned first", -1),
    ("ours: classes near to another one are learned first", 1),
)
"""What each cause should do, and the sign of its correlation with time; the second was seen on seeds 100 to 109 first."""


def claims(dataset: xr.Dataset, causes: dict[str, Float[np.ndarray, " class"]]) -> list[Claim]:
    """C7 by rank correlations, of variance and of what else may order the classes."""
    rows = []
    for (cause, value), (words, sign) in zip(causes.items(), ORDERS, strict=True):
        for target in TARGETS:
            ranked = times(dataset, target)
            of = np.broadcast_to(value, ranked.shape)
            found = mean_correlation(correlations(of, ranked))
            above, below = (0.0, np.inf) if sign > 0 else (-np.inf, 0.0)
            rows.append(
                Claim(
                    f"{words}, {dataset.sizes['class']} classes, e ≤ {target:g}",
                    (Measure(f"rank correlation of {cause} and time", found, above, below),),
                    rivals=(exact("permutation p", by_chance(of, ranked, sign=sign), below=BY_CHANCE),),
                )
            )
    return rows


def table(dataset: xr.Dataset, causes: dict[str, Float[np.ndarray, " class"]]) -> pd.DataFrame:
    """A row per class: variance, distance of centroids, clocks."""
    return pd.DataFrame(
        [
            {
                "class": name,
                **{cause: float(value[k]) for cause, value in causes.items()},
                **{f"e ≤ {target:g}": str(clock(dataset, k, target)) for target in TARGETS},
            }
            for k, name in enumerate(dataset["class"].values.tolist())
        ]
    )


def figure(dataset: xr.Dataset, traces: Float[np.ndarray, " class"]) -> Figure:
    """Clock of every class against its variance, and excess losses over training."""
    picture, (left, right) = panels(2, width=4.6)
    names = dataset["class"].values.tolist()
    for k, name in enumerate(names):
        one = clock(dataset, k, 0.2)
        left.plot(np.full(one.hit.sum(), traces[k]), one.time[one.hit], "o", color=BLUE, ms=4, alpha=0.4)
        if one.hit.any():
            left.annotate(
                name,
                (traces[k], np.exp(np.log(one.time[one.hit]).mean())),
                fontsize=8,
                ha="left",
                xytext=(5, 0),
                textcoords="offset points",
            )
        here = dataset.isel({"class": k, "arm": 0, "replicate": 0})
        seeds(right, here["step"].values, here["excess"].mean("t").values, f"C{k}", name)
    left.set(yscale="log", xlabel="trace of the class covariance (pixels)", ylabel="step to e ≤ 0.2")
    left.margins(x=0.18)
    level(right, 0.2)
    right.set(xscale="log", ylim=(-0.3, 1.1), xlabel="training step", ylabel="excess loss, one seed")
    right.legend(frameon=False, fontsize=7, ncols=2)
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, rank, draw; or say why it was not run."""
    if not options.data:
        return Part([Claim("C7: variance orders the classes of real images", missing=NEEDED)])
    dataset, data = measure(options, folder, say), data_of(options)
    causes = {"variance": data.traces, "distance from the nearest centroid": centroid_distance(data)}
    tables = {"clocks": table(dataset, causes)}
    pictures = {"order": figure(dataset, data.traces)}
    return Part(claims(dataset, causes), tables, pictures, dataset, notes_of(dataset), ("clocks",))
