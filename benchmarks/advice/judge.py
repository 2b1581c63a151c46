"""How true the advice is: concordance and regret, against EDM's defaults and the plain theory.

Concordance: of all pairs of recipes that measurement tells apart, the share that was predicted in the right order; predictions
within a factor 1.5 count half, pairs of which neither arrived do not count. Regret: steps of the recommended recipe over those
of the best; one that did not arrive counts as the length of the run, which is the least it can be. Intervals are 90 %, of
resampled recipes within every data set, network and seed.
"""

import itertools
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import eigenclock as ec
from eigenclock.advice.choose import well_known
from eigenclock.advice.closing import distances, units_to
from eigenclock.advice.groups import Groups, grouped
from eigenclock.clocks.settling import stays_below
from .runs import DEFAULT, RECIPES, SAMPLER, Setting, load, settings

HERE = Path(__file__).parent
FRACTIONS = np.array([0.5, 0.25, 0.15])
ALIKE = 1.5
DRAWS = 2000
TIMES = np.concatenate([[0.0], np.geomspace(1e-5, 1e9, 141)])


def advised(objective: Any, groups: Groups) -> Any:
    """Units of training of `choose`."""
    return units_to(distances(objective, groups, SAMPLER), FRACTIONS)


def plain(objective: Any, groups: Groups) -> Any:
    """The paper's plain theory, level (a): one layer, every noise level alone, exact flow, no density, gradient flow."""
    flow = ec.ProbabilityFlow(SAMPLER.sigma_min, SAMPLER.sigma_max)
    alone = replace(objective, density=None)
    curve = ec.predict(groups.spectrum, objective=alone, architecture=ec.OneLayer(0.0), sampler=flow, time=TIMES)
    return stays_below(groups.distance(curve.variance.values), TIMES, FRACTIONS)


def default(objective: Any, groups: Groups) -> Any:
    """EDM's defaults first, whatever the data; the rest alike."""
    return np.full(FRACTIONS.size, 0.1 if objective == RECIPES[DEFAULT] else 1.0)


METHODS: dict[str, Callable[[Any, Groups], Any]] = {"choose": advised, "plain theory": plain, "EDM's defaults": default}


@cache
def groups_of(name: str) -> Groups:
    """Modes of a setting's data, cross-validated where samples are few."""
    setting = next(one for one in settings() if one.name == name)
    return grouped(well_known(setting.source.load()[1])[0])


def predicted(setting: Setting) -> dict[str, dict[str, Any]]:
    """Times of every recipe of a setting by each method."""
    groups = groups_of(setting.name)
    return {
        method: {recipe: of(RECIPES[recipe], groups) for recipe in setting.recipes} for method, of in METHODS.items()
    }


def measured(setting: Setting, seed: int) -> dict[str, Any]:
    """Steps after which each recipe's samples stay within each distance; NaN for never."""
    found = {}
    for recipe in setting.recipes:
        distance = load(setting, recipe, seed)
        found[recipe] = stays_below(distance.to_numpy(), distance.index.to_numpy(dtype=float), FRACTIONS)
    return found


def score(guess: float, other: float) -> float:
    """1 if the first comes sooner, 0 if later, ½ within a factor 1.5; NaN counts as never."""
    a, b = (np.inf if np.isnan(one) else one for one in (guess, other))
    if a == b or max(a, b) <= ALIKE * min(a, b):
        return 0.5
    return float(a < b)


def pairs(guesses: Mapping[str, float], times: Mapping[str, float]) -> dict[tuple[str, str], float]:
    """Score of each pair that measurement tells apart."""
    found = {}
    for one, other in itertools.combinations(times, 2):
        a, b = (np.inf if np.isnan(times[name]) else times[name] for name in (one, other))
        if a != b:
            right = score(guesses[one], guesses[other])
            found[one, other] = right if a < b else 1 - right
    return found


def regret(guesses: Mapping[str, float], times: Mapping[str, float], last: float) -> float:
    """Steps of the recommended recipe over the best one's; NaN where none arrived."""
    known = {name: last if np.isnan(value) else value for name, value in times.items()}
    best = min(known.values())
    if all(np.isnan(value) for value in times.values()):
        return float("nan")
    first = min(guesses, key=lambda name: np.inf if np.isnan(guesses[name]) else guesses[name])
    return known[first] / best


def table(role: str | None = None) -> pd.DataFrame:
    """A row per setting, seed, distance and method: concordance, pairs, regret."""
    rows = []
    for setting in settings():
        if role is not None and setting.role != role:
            continue
        guesses = predicted(setting)
        for seed, (i, fraction) in itertools.product(setting.seeds, enumerate(FRACTIONS)):
            times = {name: one[i] for name, one in measured(setting, seed).items()}
            for method, given in guesses.items():
                guess = {name: one[i] for name, one in given.items()}
                scores = pairs(guess, times)
                rows.append(
                    {
                        "role": setting.role,
                        "setting": setting.name,
                        "seed": seed,
                        "fraction": fraction,
                        "method": method,
                        "arrived": sum(np.isfinite(value) for value in times.values()),
                        "pairs": len(scores),
                        "concordance": float(np.mean(list(scores.values()))) if scores else np.nan,
                        "regret": regret(guess, times, setting.steps),
                    }
                )
    return pd.DataFrame(rows)


def resampled(role: str, method: str, fraction: float | None = None, network: str = "") -> tuple[float, float, float]:
    """Pooled concordance with its 90 % interval: recipes are drawn anew within every setting, seeds too."""
    cases = []
    for setting in settings():
        if setting.role != role or network not in setting.name:
            continue
        given = predicted(setting)[method]
        by_seed = []
        for seed in setting.seeds:
            times = measured(setting, seed)
            scores = [
                pairs({n: g[i] for n, g in given.items()}, {n: t[i] for n, t in times.items()})
                for i, f in enumerate(FRACTIONS)
                if fraction in (None, f)
            ]
            by_seed.append(_matrix(setting.recipes, scores))
        cases.append(by_seed)
    rng = np.random.default_rng(zlib.crc32(f"{role}{method}".encode()))
    draws = []
    for _ in range(DRAWS):
        right = count = 0.0
        for by_seed in cases:
            size = len(by_seed[0][0])
            recipes = rng.integers(0, size, size)
            for total, known in (by_seed[k] for k in rng.integers(0, len(by_seed), len(by_seed))):
                right += total[np.ix_(recipes, recipes)].sum()
                count += known[np.ix_(recipes, recipes)].sum()
        draws.append(right / count)
    right = sum(total.sum() for by_seed in cases for total, _ in by_seed)
    count = sum(known.sum() for by_seed in cases for _, known in by_seed)
    low, high = np.quantile(draws, (0.05, 0.95))
    return float(right / count), float(low), float(high)


def _matrix(recipes: tuple[str, ...], scores: list[dict[tuple[str, str], float]]) -> tuple[Any, Any]:
    """Sum of scores, and number of them, of each pair of recipes, over distances; each pair on one side of the diagonal and on
    the other."""
    place = {name: i for i, name in enumerate(recipes)}
    total, known = np.zeros((2, len(recipes), len(recipes)))
    for one in scores:
        for (a, b), value in one.items():
            for i, j in ((place[a], place[b]), (place[b], place[a])):
                total[i, j] += value
                known[i, j] += 1
    return total, known


def power(role: str = "choice") -> float:
    """Median, over pairs predicted a factor 1.5 apart, of ln of the measured ratio of times over ln of the predicted one."""
    found = []
    for setting in settings():
        if setting.role != role or "chain" not in setting.name:
            continue
        given = predicted(setting)["choose"]
        for seed, i in itertools.product(setting.seeds, range(FRACTIONS.size)):
            times = measured(setting, seed)
            names = [n for n in times if np.isfinite(times[n][i]) and np.isfinite(given[n][i])]
            for a, b in itertools.combinations(names, 2):
                x, y = np.log(given[a][i] / given[b][i]), np.log(times[a][i] / times[b][i])
                if abs(x) > np.log(ALIKE):
                    found.append(y / x)
    return float(np.median(found))
