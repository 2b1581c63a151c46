"""Numbers of the cure as tables and claims."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from eigenclock.clocks.replicates import Estimate, student_interval
from ...claims import Claim, Measure, factor
from .methods import EDM_ALONE, LOSSES
from .speed_up import SpeedUp, Values

if TYPE_CHECKING:
    from .arms import Arm
    from .pictures import Pictures

Found = Mapping["Arm", Sequence[xr.Dataset]]
"""What was found of every arm, a data set per seed."""

COARSE, FINE = 1 / 12, 1 / 4
"""Shares of the modes that are called coarse and fine."""


@dataclass(frozen=True)
class Quantity:
    """A number per step of a run, lower is better: `title` says what it is."""

    name: str
    title: str
    of: Callable[[xr.Dataset], Any]

    def along(self, run: xr.Dataset) -> tuple[Values, Values]:
        """Steps and values."""
        return run["step"].values.astype(np.float64), np.asarray(self.of(run), dtype=np.float64)


def _modes(run: xr.Dataset, share: float) -> Any:
    """Mean over the first, or last, modes, of those that have a variance to measure distances by."""
    distance = run["marginal_distance"].transpose("step", "mode").values
    distance = distance[:, np.isfinite(distance).any(axis=0)]
    count = max(1, round(distance.shape[1] * abs(share)))
    return (distance[:, :count] if share > 0 else distance[:, -count:]).mean(axis=1)


QUANTITIES = (
    Quantity("denoising", "denoising error / best Gaussian's", lambda run: run["denoising"].mean("sigma").values),
    Quantity("coarse", "W₁ of coarse modes", lambda run: _modes(run, COARSE)),
    Quantity("fine", "W₁ of fine modes", lambda run: _modes(run, -FINE)),
    Quantity("frechet", "Fréchet distance of features", lambda run: run["frechet"].values),
    Quantity(
        "variance", "median |ln variance ratio|", lambda run: np.median(np.abs(run["log_variance"].values), axis=1)
    ),
)
"""What methods are judged by."""

LAPLACIAN = "Laplacian"


def measured_table(found: Found) -> pd.DataFrame:
    """A row per arm and step: mean of every quantity over seeds, with Student's interval where there are several."""
    rows = []
    for arm, runs in found.items():
        for i, step in enumerate(runs[0]["step"].values):
            row: dict[str, Any] = {**arm.labels(), "step": int(step), "seeds": len(runs)}
            for quantity in QUANTITIES:
                row |= _columns(quantity.name, student_interval([quantity.along(run)[1][i] for run in runs]))
            row["laplacian_kurtosis"] = _mean(runs, lambda run: run["filter_kurtosis"].sel(filter=LAPLACIAN), i)
            row["copies"] = _mean(runs, lambda run: run["copies"], i)
            for k, sigma in enumerate(runs[0]["sigma"].values):
                row[f"denoising_{sigma:g}"] = float(np.mean([run["denoising"].values[i, k] for run in runs]))
            rows.append(row)
    return pd.DataFrame(rows)


def speed_ups(found: Found) -> dict[tuple["Arm", str, int], SpeedUp]:
    """Of every arm but EDM's, by arm, quantity and step."""
    edm = {(arm.source, arm.network): runs for arm, runs in found.items() if arm.method.name == EDM_ALONE.name}
    return {
        (arm, quantity.name, int(step)): SpeedUp.at(
            int(step),
            [quantity.along(run) for run in runs],
            [quantity.along(run) for run in edm[arm.source, arm.network]][: len(runs)],
        )
        for arm, runs in found.items()
        if arm.method.name != EDM_ALONE.name
        for quantity in QUANTITIES
        for step in runs[0]["step"].values
        if quantity.name != "denoising" or not arm.method.whitened
    }


def speed_table(found: Found) -> pd.DataFrame:
    """A row per arm and step: steps of EDM to the same value over the method's."""
    rows: dict[tuple[Any, int], dict[str, Any]] = {}
    for (arm, quantity, step), speed in speed_ups(found).items():
        row = rows.setdefault((arm, step), {**arm.labels(), "step": step})
        row[quantity] = str(speed)
    return pd.DataFrame(rows.values())


def claims_of(found: Found, source: "Pictures") -> list[Claim]:
    """By network, loss and quantity: SpectralEDM is below EDM at equal steps, and early in its run below EDM later."""
    arms = {(arm.network, arm.method.name): (arm, runs) for arm, runs in found.items() if arm.source == source}
    claims = []
    for network, method in ((n, m) for n in dict.fromkeys(n for n, _ in arms) for m in LOSSES if (n, m.name) in arms):
        (arm, ours), (_, edm) = arms[network, method.name], arms[network, EDM_ALONE.name]
        steps = [int(step) for step in ours[0]["step"].values]
        early = arm.training.early
        for quantity in QUANTITIES:
            what = f"{source.name}, {network}, {method.title}: {quantity.title}"
            gaps = tuple(_over(quantity, ours, edm, step, step) for step in steps)
            claims.append(Claim(f"{what} is lower than EDM's at equal steps", gaps, here="ratio to EDM's"))
            if early is not None:
                words = f"{what} after {early[0]:,} steps is lower than EDM's after {early[1]:,}"
                claims.append(Claim(words, (_over(quantity, ours, edm, *early),)))
    return claims


def _over(quantity: Quantity, ours: Sequence[xr.Dataset], edm: Sequence[xr.Dataset], step: int, later: int) -> Measure:
    """Ours at a step over EDM's at one, geometric mean over paired seeds."""
    pairs = zip(ours, edm, strict=False)
    when = f"{step:,}" if step == later else f"{step:,} over {later:,}"
    return factor(f"at {when}", [_at(quantity, a, step) / _at(quantity, b, later) for a, b in pairs], below=1)


def _at(quantity: Quantity, run: xr.Dataset, step: int) -> float:
    steps, values = quantity.along(run)
    return float(values[steps == step][0])


def _columns(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _mean(runs: Sequence[xr.Dataset], of: Callable[[xr.Dataset], xr.DataArray], i: int) -> float:
    return float(np.mean([float(of(run).values[i]) for run in runs]))
