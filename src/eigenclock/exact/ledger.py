"""What each level of knowledge of bits is worth in the training loss, by the denoisers that are known in closed form."""

from typing import Any

import numpy as np
import scipy
import xarray as xr

from ..checks import InputError, instance, integer, need_memory, random_seed, shown
from ..recipe.densities import LogNormal
from ..recipe.objectives import EDM
from .bits import empirical_denoiser, factorised, rule_denoiser
from .rules import GroupParity, NoRule, Rule

LEDGER_EDM = EDM(sigma_data=1.0, density=LogNormal(-0.4, 1.2))
"""Preconditioning and noise density of bits ±1 in the study of rules."""

LEVELS = 200
"""Noise levels at quantiles of the density, each with its share of the Monte-Carlo draws (stratified)."""


def loss_ledger(
    rule: Rule, N: int, *, edm: EDM = LEDGER_EDM, n_draws: int = 20_000, n_memorising: int = 3000, seed: int = 0
) -> xr.Dataset:
    """What each level of knowledge is worth in the training loss E[w|D(y) − x|²], summed over bits.

    Variables: `factorised` (bit by bit; an exact integral), `gain` of knowing the rule beyond it and its standard error,
    `rule` = factorised − gain, `memorising` on a training set of N samples, each the loss of the optimal denoiser.

    **Parameters**

    - `rule`, `N`: data and size of the training set. - `edm`: σ_data and the density of ln σ that the loss is averaged over.
    - `n_draws`, `n_memorising`: Monte-Carlo draws. - `seed`: of all draws.
    """
    instance("rule", rule, Rule, "a rule of bits, such as GroupParity(24, 4)")
    instance("edm", edm, EDM, "an EDM objective")
    random_seed(seed)
    N = integer("N", N, at_least=1)
    if not isinstance(rule, GroupParity | NoRule):
        raise InputError(f"rule must be a GroupParity or NoRule, whose best denoisers are known, got {shown(rule)}")
    n_draws = integer("n_draws", n_draws, at_least=2 * LEVELS)
    n_memorising = integer("n_memorising", n_memorising, at_least=2 * LEVELS)
    need_memory(f"N = {N:,}, n_draws = {n_draws:,}", 32.0 * rule.D * (N + n_draws + n_memorising))
    if not isinstance(edm.density, LogNormal):
        raise InputError(f"edm must have a LogNormal density of noise levels, got {edm.density}")
    rng, data = np.random.default_rng(seed), edm.sigma_data
    ln_sigma = np.linspace(edm.density.mean - 6 * edm.density.std, edm.density.mean + 6 * edm.density.std, 301)
    levels, z = np.exp(ln_sigma), np.linspace(-9, 9, 2001)
    normal = np.exp(-(z**2) / 2)
    residual = 1 - np.tanh((1 + levels[:, None] * z) / levels[:, None] ** 2) ** 2
    at_level = (residual @ normal) / normal.sum() * _weight(levels, data)
    density = np.exp(-(((ln_sigma - edm.density.mean) / edm.density.std) ** 2) / 2)
    alone = rule.D * float(at_level @ density / density.sum())

    train, _ = rule.split(N, rng, allow_chance=True)
    gain, gain_error = _drawn(
        rule.sample(n_draws, rng),
        edm,
        rng,
        lambda y, s: ((rule_denoiser(y, s, rule) - factorised(y, s)) ** 2).sum(axis=1),
    )
    points = rule.encode(train)
    memorising, memorising_error = _drawn(
        train[rng.integers(0, N, n_memorising)],
        edm,
        rng,
        lambda y, s: (points**2).sum(axis=1).mean() - (empirical_denoiser(y, s, points) ** 2).sum(axis=1),
    )
    return xr.Dataset(
        {
            "factorised": alone,
            "gain": gain,
            "gain_error": gain_error,
            "rule": alone - gain,
            "memorising": memorising,
            "memorising_error": memorising_error,
        },
        attrs={"rule": repr(rule), "N": N, "edm": repr(edm), "units": "weighted squared error, summed over bits"},
    )


def _drawn(bits: Any, edm: EDM, rng: np.random.Generator, value: Any) -> tuple[float, float]:
    """Mean of w(σ)·value(y, σ) over noisy samples, and its standard error; every noise level stands for one quantile."""
    assert isinstance(edm.density, LogNormal)
    clean, out = 2.0 * bits - 1.0, []
    middle = scipy.special.ndtri((np.arange(LEVELS) + 0.5) / LEVELS)
    for part, place in zip(np.array_split(clean, LEVELS), middle, strict=True):
        sigma = float(np.exp(edm.density.mean + edm.density.std * place))
        y = part + sigma * rng.standard_normal(part.shape)
        out.append(_weight(sigma, edm.sigma_data) * value(y, sigma))
    # every level weighs the same, however many draws it has
    mean, error2 = np.array([(one.mean(), one.var(ddof=1) / one.size) for one in out]).T
    return float(mean.mean()), float(np.sqrt(error2.sum()) / LEVELS)


def _weight(sigma: Any, data: float) -> Any:
    """EDM's weight of the denoiser's squared error."""
    return (sigma**2 + data**2) / (sigma * data) ** 2
