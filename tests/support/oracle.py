"""Runs of a study without training: samples whose two clocks are known."""

import numpy as np
import xarray as xr

import eigenclock as ec
from eigenclock_studies.innovation_window.cases import Case
from eigenclock_studies.innovation_window.measurement import scored

RULE = ec.GroupParity(24, 4)
STEPS = np.unique(np.round(np.geomspace(20, 20_000, 25)))


def case_of(n):
    return Case(RULE, n, ec.FeedForward(8, 1), 20_000, RULE)


def oracle(n, rule_at, memory_at, seed, samples=512):
    """Samples without training: copies with probability mu(step), rule samples with rho(step), uniform bits otherwise."""
    rng = np.random.default_rng([seed, n])
    train, control = RULE.split(n, rng)
    case, records = case_of(n), []
    for step in STEPS:
        mu = 0.9 / (1 + (memory_at / step) ** 2)
        rho = (1 - mu) * 0.9 / (1 + (rule_at / step) ** 2)
        kind = rng.choice(3, samples, p=[mu, rho, 1 - mu - rho])
        bits = rng.integers(0, 2, (samples, 24))
        bits[kind == 0] = train[rng.integers(0, n, (kind == 0).sum())]
        bits[kind == 1] = RULE.sample(int((kind == 1).sum()), rng)
        records.append(scored(bits, case, train, control))
    columns = {name: ("checkpoint", [one[name] for one in records]) for name in records[0]}
    return xr.Dataset({"step": ("checkpoint", STEPS), **columns}, attrs={"status": "done"})
