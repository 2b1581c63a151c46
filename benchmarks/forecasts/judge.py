"""Forecasts of the runs, against what came and against baselines: `python -m benchmarks.forecasts.judge`.

Writes the tables and the picture of docs/forecasts.md, and forecasts.csv and closeness.csv beside this file.
"""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

import eigenclock as ec
from benchmarks import baselines
from eigenclock.curve.learning_curve import LearningCurve
from examples import pages
from . import page
from .figure import figure
from .runs import AVERAGED, CURVES, EMA, SAMPLER, Made, load, runs

PAGE, TABLE = Path("docs/forecasts.md"), Path(__file__).parent / "forecasts.csv"
PICTURE = Path("docs/studies/forecasts/judged.png")
FRACTIONS = (0.01, 0.02, 0.05, 0.1, 0.2)
COVERAGE = 0.8
FEWEST = 5
"""Modes still to begin, at least, for an error of a run to be one."""

METHODS = ("forecast", "0.1.0", "1/variance", "loss", "curve fit")

Modes = Float[np.ndarray, " mode"]


@dataclass(frozen=True, eq=False)
class Judged:
    """A kept run, its predictions, and when its modes began."""

    made: Made
    curve: LearningCurve
    levels: dict[str, LearningCurve]
    steps: Any
    losses: Any

    @classmethod
    def of(cls, made: Made) -> "Judged":
        """Read a run, and predict it."""
        curve, steps, losses = load(made.name)
        curve.dataset["reachable"] = ("mode", SAMPLER.optimal(curve.target.values))
        levels = ec.predict_levels(ec.Spectrum(curve.target.values), made.objective, SAMPLER)
        return cls(made, curve, levels, steps, losses)

    @property
    def last(self) -> float:
        """Last step of the run."""
        return float(self.curve.time.values[-1])

    @property
    def options(self) -> dict[str, Any]:
        """Schedule and average, where the run has them: what its user knows."""
        if self.made.loop != AVERAGED:
            return {}
        return {"schedule": self._cosine, "average": 1 / (1 - EMA)}

    def _cosine(self, step: float) -> float:
        return 0.5 * (1 + np.cos(np.pi * min(step / self.last, 1)))

    def expected(self, method: str, at: float) -> baselines.Expected:
        """Expected step of every mode and its interval, by a method."""
        match method:
            case "0.1.0":
                return baselines.version_0_1_0(self.levels["c"], self.curve, at)
            case "1/variance":
                return baselines.one_over_variance(self.curve, at)
            case "loss":
                return baselines.loss_extrapolated(self.levels["c"], self.curve, at, self.steps, self.losses)
            case "curve fit":
                return baselines.fitted_curves(self.curve, at)
        made = ec.forecast(self.levels, self.curve, at=at, coverage=COVERAGE, **self.options)
        return made.time, made.low, made.high


def to_come(judged: Judged, at: float) -> tuple[Any, Modes]:
    """Which modes were still to begin, and did later; the steps at which they did."""
    table = judged.curve.emergence()
    came = ~table.gray_zone & (judged.curve.target.values > 0) & np.isfinite(table.time) & (table.time > at)
    return came, table.time[came]


def rows(judged: Judged) -> list[dict[str, Any]]:
    """A row per share of the run and method: errors of what was still to begin, coverage, interval score."""
    found: list[dict[str, Any]] = []
    for fraction in FRACTIONS:
        at = fraction * judged.last
        came, steps = to_come(judged, at)
        actual = np.log(steps)
        label = {
            "run": judged.made.name,
            "role": judged.made.role,
            "fraction": fraction,
            "to come": int(came.sum()),
        }
        if came.sum() < FEWEST:
            found.append(label | {"method": "forecast"})
            continue
        one = np.abs(actual - np.median(actual))
        found.append(label | {"method": "one time (known afterwards)"} | _errors(one))
        for method in METHODS:
            expected = judged.expected(method, at)
            middle, low, high = (one[came] for one in expected)
            row = label | {"method": method}
            if method == "forecast" or np.isfinite(middle).any():  # a baseline that says nothing is not beaten by that
                with np.errstate(divide="ignore"):
                    error = np.abs(np.log(np.minimum(np.nan_to_num(middle, nan=NEVER), NEVER)) - actual)
                row |= _errors(error)
            if not np.isnan(low).all():
                row |= _interval(*(np.log(np.minimum(end, FAR * judged.last)) for end in (low, high)), actual)
                row |= _never(judged, expected)
            found.append(row)
    return found


NEVER = 1e9
"""Steps that stand for a mode that is never expected, or has no forecast."""

FAR = 1e3
"""Runs' lengths at which an open interval is cut off, for its score."""


def _errors(error: Modes) -> dict[str, float]:
    return {"error": float(np.median(error)), "error 90": float(np.quantile(error, 0.9))}


def _interval(low: Modes, high: Modes, actual: Modes) -> dict[str, float]:
    """Coverage, and the mean over modes of the interval score of Gneiting & Raftery (2007) in ln steps."""
    low, high = np.nan_to_num(low, nan=0.0), np.nan_to_num(high, nan=0.0)
    outside = np.maximum(low - actual, 0) + np.maximum(actual - high, 0)
    score = high - low + 2 / (1 - COVERAGE) * outside
    return {"covered": float((outside <= 1e-9).mean()), "score": float(score.mean())}


def _never(judged: Judged, expected: baselines.Expected) -> dict[str, float]:
    """Of the modes that do not begin in the whole run: how many, how many were expected to, and how many surely."""
    table = judged.curve.emergence()
    absent = ~table.gray_zone & (judged.curve.target.values > 0) & ~np.isfinite(table.time)
    middle, _, high = (np.nan_to_num(one[absent], nan=np.inf) for one in expected)
    return {
        "absent": int(absent.sum()),
        "said": int((middle <= judged.last).sum()),
        "sure": int((high <= judged.last).sum()),
    }


def close_rows(judged: Judged) -> list[dict[str, Any]]:
    """Steps from which W₂ stays below ¼ and ⅒ of the norm, expected and actual, and the error of settling."""
    actual, settled, found = judged.curve.closeness((0.25, 0.1)).values, judged.curve.settling(), []
    for fraction in FRACTIONS:
        at = fraction * judged.last
        made = ec.forecast(judged.levels, judged.curve, at=at, coverage=COVERAGE, **judged.options)
        if not made.weights:
            continue
        close, settling = made.closeness((0.25, 0.1)), made.settling()
        row = {"run": judged.made.name, "role": judged.made.role, "fraction": fraction, "scatter": made._drawn.swing}
        for name, came, expected in zip(("close 0.25", "close 0.1"), actual, close.to_dict("records"), strict=True):
            if came > at:
                row[name] = float(np.log(expected["step"] / came))
                row[f"{name} covered"] = float(expected["low"] <= came <= expected["high"])
        later = (
            settled.settled & ~settled.provisional & (settled.time > at) & (settling.status == "expected").to_numpy()
        )
        if later.sum() >= FEWEST:
            step = np.minimum(settling.step.to_numpy()[later], NEVER)
            row |= {
                "settling": float(np.median(np.abs(np.log(step / settled.time[later])))),
                "settle": int(later.sum()),
            }
        found.append(row)
    return found


def seeds_apart(every: list[Judged]) -> dict[str, float]:
    """Median |ln| between two seeds of a case of the times at which modes begin, over pairs of one learning rate each."""
    found: dict[str, list[float]] = {}
    for first, second in combinations(every, 2):
        if first.made.case.name == second.made.case.name:
            one, other = (judged.curve.emergence().time for judged in (first, second))
            found.setdefault(page.case_of(first.made.name), []).append(float(np.nanmedian(np.abs(np.log(one / other)))))
    return {name: float(np.median(pairs)) for name, pairs in found.items()}


def close_seeds(every: list[Judged]) -> pd.DataFrame:
    """A row per case of several seeds: how many come within ¼ and ⅒ of the norm, and the median factor between two that do."""
    cases: dict[str, list[np.ndarray]] = {}
    for one in every:
        cases.setdefault(one.made.case.name, []).append(np.log(one.curve.closeness((0.25, 0.1)).values))
    found = []
    for name, steps in cases.items():
        if len(steps) < 2:
            continue
        row: dict[str, Any] = {"case": name, "seeds": len(steps)}
        for place, fraction in enumerate(("0.25", "0.1")):
            came = [one[place] for one in steps if np.isfinite(one[place])]
            apart = [abs(first - second) for first, second in combinations(came, 2)]
            row |= {f"come {fraction}": len(came), f"factor {fraction}": np.exp(np.median(apart)) if apart else np.nan}
        found.append(row)
    return pd.DataFrame(found)


def main() -> None:
    """All tables."""
    every = [Judged.of(made) for made in runs() if (CURVES / f"{made.name}.nc").exists()]
    table = pd.DataFrame([row for one in every for row in rows(one)])
    close = pd.DataFrame([row for one in every for row in close_rows(one)])
    table.to_csv(TABLE, index=False, float_format="%.4g")
    close.to_csv(TABLE.with_name("closeness.csv"), index=False, float_format="%.4g")
    apart = seeds_apart(every)
    parts = {name: table[table["role"] == name] for name in ("judged", "seen", "constants")}
    for name, part in parts.items():
        pages.insert(PAGE, f"errors of {name}", page.errors(part))
        pages.insert(PAGE, f"intervals of {name}", page.intervals(part))
    pages.insert(PAGE, "pairs", page.pairs(parts["judged"]))
    drawn = figure(
        [one for one in every if one.made.role == "judged"], to_come, lambda run: page.title_of(run.made.name)
    )
    drawn.savefig(PICTURE, dpi=130)
    judged = close[close["role"] == "judged"]
    pages.insert(PAGE, "closeness", page.closeness(judged))
    pages.insert(PAGE, "closeness of seeds", page.close_seeds(close_seeds(every)))
    pages.insert(PAGE, "scatter", page.scatter(close))
    pages.insert(PAGE, "runs", page.by_run(table, apart))
    print(page.errors(parts["judged"]), page.intervals(parts["judged"]), sep="\n\n")


if __name__ == "__main__":
    main()
