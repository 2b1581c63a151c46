"""Arms paired by seed: mean log ratios with Student's interval, win, tie or loss, and Holm's correction over the baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats
import xarray as xr

from eigenclock.clocks.replicates import Estimate, student_interval

EQUIVALENT = float(np.log(1.1))
"""Log ratios whose whole interval is within this of 0 are equivalent."""


@dataclass(frozen=True)
class Paired:
    """ln(ours/theirs) over seeds: `ratio` with its interval, `p` two-sided of Student's test, `values` per seed."""

    ratio: Estimate
    p: float
    values: tuple[float, ...]

    @property
    def outcome(self) -> str:
        """win (ours lower), loss or tie; "(equivalent)" where the whole interval lies within ± ln 1.1."""
        if not np.isfinite([self.ratio.low, self.ratio.high]).all():
            return "undetermined"
        found = "win" if self.ratio.high < 0 else "loss" if self.ratio.low > 0 else "tie"
        alike = max(-self.ratio.low, self.ratio.high) < EQUIVALENT
        return f"{found} (equivalent)" if alike else found

    def __str__(self) -> str:
        """The ratio itself with its interval."""
        mean = self.ratio
        return f"{np.exp(mean.value):.3g} [{np.exp(mean.low):.3g}, {np.exp(mean.high):.3g}]"


def paired(ours: Any, theirs: Any) -> Paired:
    """Of a metric that is better when lower, seed by seed in the same order."""
    values = np.log(np.asarray(ours, dtype=float) / np.asarray(theirs, dtype=float))
    if values.size < 2 or np.ptp(values) == 0:
        return Paired(student_interval(values), float("nan"), tuple(values))
    return Paired(student_interval(values), float(scipy.stats.ttest_1samp(values, 0.0).pvalue), tuple(values))


def holm(p: Any) -> np.ndarray:
    """Holm's step-down adjustment of p-values."""
    array = np.asarray(p, dtype=float)
    order = np.argsort(array)
    stepped = np.maximum.accumulate(array[order] * (array.size - np.arange(array.size)))
    found = np.empty_like(array)
    found[order] = np.minimum(stepped, 1.0)
    return found


def grid(
    ours: Sequence[xr.Dataset], others: Mapping[str, Sequence[xr.Dataset]], metrics: Sequence[str]
) -> pd.DataFrame:
    """Win, tie or loss of ours against every other arm in every metric that both have, p-values adjusted within a metric."""
    rows = []
    for metric in metrics:
        known = {
            name: paired([float(one[metric]) for one in ours], [float(one[metric]) for one in theirs])
            for name, theirs in others.items()
            if all(metric in one for one in (*ours, *theirs))
        }
        for (name, found), p in zip(known.items(), holm([one.p for one in known.values()]), strict=True):
            seeds = " ".join(f"{np.exp(value):.2f}" for value in found.values)
            rows.append(
                {
                    "metric": metric,
                    "against": name,
                    "ratio": str(found),
                    "outcome": found.outcome,
                    "p (Holm)": p,
                    "per seed": seeds,
                }
            )
    return pd.DataFrame(rows, columns=["metric", "against", "ratio", "outcome", "p (Holm)", "per seed"])


def values(runs: Sequence[xr.Dataset], metric: str) -> np.ndarray:
    """A scalar over seeds; NaN where a run has none."""
    return np.array([float(run[metric]) if metric in run else np.nan for run in runs])
