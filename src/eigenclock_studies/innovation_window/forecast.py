"""The two-clock forecast: memorisation in steps per sample, fitted on small sets, frozen, then checked on larger ones."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from eigenclock.checks import InputError
from eigenclock.clocks.replicates import LogRatio
from ..claims import in_words
from .cases import Options, parity
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


def frozen(runs: Runs, options: Options) -> dict[str, Forecast]:
    """The laws, fitted on the small sets whose copies all came; empty if these are too few."""
    clocks = {n: runs.memory(parity(options.G, n)) for n, _ in options.sizes if n < options.open_at}
    known = {n: clock.time for n, clock in clocks.items() if clock.hit.all()}
    if sum(map(len, known.values())) < 2:
        return {}
    return {law: fit(tuple(known), list(known.values()), exponent) for law, exponent in LAWS.items()}


def forecasts(runs: Runs, options: Options) -> dict[int, LogRatio]:
    """ln(observed/predicted) of the linear law, by held-out size, over seeds; bounds where copies did not come.

    Bounds are wider by the 95 % interval of ln c.
    """
    laws = frozen(runs, options)
    if not laws:
        return {}
    law, found = laws["linear"], {}
    off = scipy.stats.t.ppf(0.975, law.n - 1) * law.spread / np.sqrt(law.n)
    for n in (n for n, _ in options.sizes if n >= options.open_at):
        seen, expected = runs.memory(parity(options.G, n)), np.log(law.time(n))
        with np.errstate(divide="ignore"):
            found[n] = LogRatio(np.log(seen.low) - expected - off, np.log(seen.high) - expected + off)
    return found


COLUMNS = ["N", "law", "fitted on", "steps per sample", "predicted", "low", "high", "observed", "ln observed/predicted"]


def forecast_table(runs: Runs, options: Options) -> pd.DataFrame:
    """A row per held-out size and law: predicted, 95 % prediction interval of one run, observed, ln(observed/predicted)."""
    rows = []
    for n in (n for n, _ in options.sizes if n >= options.open_at):
        if not runs.has(parity(options.G, n)):
            continue
        seen = runs.memory(parity(options.G, n))
        for law, model in frozen(runs, options).items():
            low, high = model.interval(n)
            with np.errstate(divide="ignore"):
                error = LogRatio(np.log(seen.low / model.time(n)), np.log(seen.high / model.time(n)))
            rows.append(
                {
                    "N": n,
                    "law": law,
                    "fitted on": ", ".join(map(str, model.fitted_on)),
                    "steps per sample": model.c if law == "linear" else np.nan,
                    "predicted": model.time(n),
                    "low": low,
                    "high": high,
                    "observed": str(seen),
                    "ln observed/predicted": in_words(error.mean),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)
