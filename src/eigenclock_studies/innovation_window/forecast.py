"""The two-clock forecast: memorisation in steps per sample, fitted on small sets, frozen, then checked on larger ones."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.stats

from eigenclock.checks import InputError
from .cases import FRESH, InnovationConfig, parity
from .clocks import Runs

LAWS = {"linear": 1.0, "square root": 0.5, "constant": 0.0}
"""Exponents of memorisation time in N: the claim, and the baselines."""


@dataclass(frozen=True)
class Forecast:
    """tau_mem(N) = c·N^exponent, from `n` runs: ln c and its spread. Holds nothing of the runs that it is checked on."""

    exponent: float
    log_c: float
    spread: float
    n: int
    fitted_on: tuple[int, ...]

    @property
    def c(self) -> float:
        """Steps per sample, of the linear law."""
        return float(np.exp(self.log_c))

    def time(self, size: int) -> float:
        """Expected steps until copies, at a training set of this size."""
        return float(np.exp(self.log_c + self.exponent * np.log(size)))

    def interval(self, size: int) -> tuple[float, float]:
        """95 % prediction interval of one run, in steps."""
        reach = scipy.stats.t.ppf(0.975, self.n - 1) * self.spread * np.sqrt(1 + 1 / self.n)
        return self.time(size) * float(np.exp(-reach)), self.time(size) * float(np.exp(reach))


def fit(sizes: tuple[int, ...], times: list[np.ndarray], exponent: float = 1.0) -> Forecast:
    """Forecast from memory clocks (seed,) of training sets of some sizes; InputError if any is censored or there are too few."""
    logs = np.concatenate([np.log(t) - exponent * np.log(size) for size, t in zip(sizes, times, strict=True)])
    if logs.size < 2 or not np.isfinite(logs).all():
        raise InputError(f"a forecast needs at least two memory clocks that were reached, got {logs}")
    return Forecast(exponent, float(logs.mean()), float(logs.std(ddof=1)), logs.size, sizes)


def sizes_of(config: InnovationConfig) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Sizes that the forecast is fitted on, and those it must predict."""
    return tuple(n for n in config.sizes if n < config.open_at), (config.open_at, *config.held_out)


def forecast_table(runs: Runs, config: InnovationConfig) -> pd.DataFrame:
    """A row per held-out size and law: predicted, interval, observed geometric mean, ln error. Empty if it cannot be fitted."""
    fitted_on, held_out = sizes_of(config)
    known = tuple(n for n in fitted_on if runs.has(parity(config.G, n)) and runs.memory(parity(config.G, n)).hit.all())
    times = [runs.memory(parity(config.G, n)).time for n in known]
    if sum(map(len, times)) < 2:
        return pd.DataFrame()
    frozen = {law: fit(known, times, exponent) for law, exponent in LAWS.items()}
    rows = []
    for n in held_out:
        if not runs.has(parity(config.G, n)):
            continue
        seen = runs.memory(parity(config.G, n))
        for law, model in frozen.items():
            low, high = model.interval(n)
            rows.append(
                {
                    "N": n,
                    "law": law,
                    "fitted on": ", ".join(map(str, known)),
                    "steps per sample": model.c if law == "linear" else np.nan,
                    "predicted": model.time(n),
                    "low": low,
                    "high": high,
                    "observed": seen.geometric_mean,
                    "observed (words)": str(seen),
                    "ln error": float(np.log(model.time(n) / seen.geometric_mean)),
                    "ln error at most": float(np.log(model.time(n)) - np.log(np.maximum(seen.low, 1e-9)).mean()),
                    "within": float(np.mean((seen.time >= low) & (seen.time <= high))) if seen.hit.all() else np.nan,
                }
            )
    return pd.DataFrame(rows)


def smallest_open(runs: Runs, config: InnovationConfig) -> tuple[float, float]:
    """N below which the window must be closed: rule clock of fresh data over steps per sample; and its lower bound, or NaN."""
    fitted_on, _ = sizes_of(config)
    cases = [parity(config.G, n) for n in fitted_on if runs.has(parity(config.G, n))]
    times = [runs.memory(case).time for case in cases if runs.memory(case).hit.all()]
    sizes = tuple(n for n in fitted_on if runs.has(parity(config.G, n)) and runs.memory(parity(config.G, n)).hit.all())
    if not runs.has(FRESH) or sum(map(len, times)) < 2:
        return float("nan"), float("nan")
    c, rule = fit(sizes, times).c, runs.rule(FRESH)
    return rule.geometric_mean / c, float(np.exp(np.log(np.maximum(rule.low, 1e-9)).mean())) / c
