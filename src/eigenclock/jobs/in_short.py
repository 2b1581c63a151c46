"""A trained run in five lines that a person can act on: where it is, what to do, the sampler, the theory, the report."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ..clocks.settling import WITHIN, log_ratio
from ..clocks.words import by_step, steps_text
from ..comparison.forecast_result import Forecast
from ..curve.closeness import CLOSE
from ..recipe.samplers import Sampler

NAMES = {0.5: "half", 0.25: "a quarter", 0.1: "a tenth"}
"""Fractions of the data's norm in words."""

AWAY = 1.25
"""Samples that are further from the data at the end, by this factor, than they were at their best have moved away."""

FEW = 8
"""Modes that say nothing about a theory."""

EARLY = 0.05
"""Forecasts before this share of a run are not held against it."""

ENOUGH = 0.95
"""Share of the variance in its band from which nothing is worth waiting for."""


def in_short(metrics: dict[str, Any], outlook: Forecast, sampler: Sampler, report: Path) -> list[str]:
    """The five lines. `metrics`: of the run, as its folder keeps them; `outlook`: made after the last step."""
    return [
        f"now: {_now(metrics)}",
        f"do: {_to_do(metrics, outlook, report.parent)}",
        f"sampler: {_of_sampler(metrics['measured']['unreachable'], sampler, outlook.target)}",
        f"theory: {_of_theory(metrics)}",
        f"report: {report}",
    ]


def _now(metrics: dict[str, Any]) -> str:
    found, steps = metrics["measured"], metrics["steps"]
    begun = found["variance_learned"]["0.9"]
    since = f"had begun {by_step(begun)}" if np.isfinite(begun) else "have not all begun"
    distance = (
        "samples are not finite"
        if np.isnan(found["distance"])
        else f"samples are {found['distance']:.2g} of its norm away"
    )
    return (
        f"after {steps:,} steps {100 * found['settled_share']:.0f} % of the data's variance is in its band and {distance}; "
        f"modes with 90 % of it {since}"
    )


def _to_do(metrics: dict[str, Any], outlook: Forecast, folder: Path) -> str:
    found, steps = metrics["measured"], metrics["steps"]
    if np.isnan(found["distance"]):
        return "train again with a smaller learning rate: what the network generates is not finite"
    best, least = found["best"], found["least_distance"]
    if best < steps / AWAY and found["distance"] > AWAY * least:
        there = f"samples were {least:.2g} of the data's norm away, and have left since"
        return f"keep the weights of step {steps_text(best)}: {there}"
    missing = [fraction for fraction in CLOSE if np.isnan(found["closeness"][f"{fraction:g}"])]
    if not missing:
        waiting = found["modes"] - found["settled"]
        enough = "stop" if found["settled_share"] >= ENOUGH else "go on only for fine detail"
        return f"{enough}: samples are within a tenth of the data; {waiting} of {found['modes']} modes are not in their band yet"
    if not outlook.weights:
        return "go on: no mode has moved yet, so that nothing can be expected"
    fraction = missing[0]
    moment = outlook.close(fraction)
    if not np.isfinite(moment.step):
        return f"look at the report first: samples come within {NAMES[fraction]} of the data {moment.when()}"
    longer = f"eigenclock run --config {folder / 'config.yaml'} --steps {_up(moment.high)} --out {folder} --resume"
    if metrics["training"].get("decay", 0.0) > 0:  # its learning rate has come to an end
        longer = longer.replace(f"{folder} --resume", f"{folder}_longer")
    return (
        f"go on: samples within {NAMES[fraction]} of the data are expected {moment.when()}{_checked(metrics)}: {longer}"
    )


def _checked(metrics: dict[str, Any]) -> str:
    """How far off this run's own forecasts of coming within a quarter of the data were; empty where none came true."""
    known = [row["close"] for row in metrics["forecasts"] if row["method"] == "theory" and row["fraction"] >= EARLY]
    off = max((abs(one) for one in known if one is not None and np.isfinite(one)), default=np.nan)
    return "" if np.isnan(off) else f" (its own forecasts were off by up to a factor of {np.exp(off):.2g})"


def _up(step: float) -> str:
    """A step rounded up to two digits, as a number to type."""
    unit = 10.0 ** (np.floor(np.log10(max(step, 1))) - 1)
    return f"{int(np.ceil(step / unit) * unit)}" if np.isfinite(step) else "…"


def unreachable(sampler: Sampler, target: Float[np.ndarray, " mode"]) -> int:
    """Modes that a perfect network would generate outside the band about the data, by the sampler's own bias (T6)."""
    positive = target[target > 0]
    return int((np.abs(log_ratio(sampler.optimal(positive), positive)) > np.log(WITHIN)).sum())


def _of_sampler(now: int, sampler: Any, target: Float[np.ndarray, " mode"]) -> str:
    steps = getattr(sampler, "steps", None)
    name = type(sampler).__name__ if steps is None else f"{type(sampler).__name__} with {steps} steps"
    if now == 0:
        return f"{name} can bring every mode within a factor of {WITHIN:g} of the data"
    twice = ""
    if steps is not None:
        fewer = unreachable(replace(sampler, steps=2 * steps), target)
        twice = f"; with --sampler.steps {2 * steps} {fewer}" if fewer < now else ""
    return f"{now} modes cannot come within a factor of {WITHIN:g} of the data by {name}, however well trained{twice}"


def _of_theory(metrics: dict[str, Any]) -> str:
    check = metrics["comparison"]
    if check["modes"] < FEW or check["median_error"] is None or np.isnan(check["median_error"]):
        return f"too few modes have begun to compare: {check['modes']}"
    level = metrics["best_level"].replace("_", ", ")
    rank = check["rank_correlation"]
    order = "" if rank is None or np.isnan(rank) else f", and their order (rank correlation {rank:.2f})"
    return (
        f"level ({level}) describes the run best: after one constant its times are right to {100 * check['median_error']:.0f} % "
        f"in the median of {check['modes']} modes{order}"
    )
