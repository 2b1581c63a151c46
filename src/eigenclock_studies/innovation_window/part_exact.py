"""Part: what the closed forms say. The loss that a rule and a training set are worth, and basins of the exact denoisers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from eigenclock.clocks.replicates import Estimate
from eigenclock.exact.bits import empirical_denoiser, factorised, rule_denoiser
from eigenclock.exact.ledger import loss_ledger
from eigenclock.exact.rules import GroupParity, Rule
from ..claims import Claim, Measure
from ..figures import BLUE, GRAY, GREEN, VERMILION, legend, panels
from ..study import Part, Say
from .basins import DRAWS, LEVELS, corners, returns

TWO_SIDED = 1.96


@dataclass(frozen=True)
class Options:
    """`D`: bits; `groups`: bits per group; `N`: training samples; `draws`: of the Monte-Carlo estimate; `basins_at`: G and N."""

    D: int = 24
    groups: tuple[int, ...] = (2, 3, 4, 6, 8, 12)
    N: int = 256
    draws: int = 20_000
    basins_at: tuple[int, int] = (4, 64)


PRESETS = {
    "tiny": Options(12, (3, 4), 32, 500, (3, 16)),
    "cpu": Options(),
    "paper": Options(36, (2, 3, 4, 6, 9, 12), 4096, 100_000, (4, 1024)),
}


def run(options: Options, folder: Path, say: Say) -> Part:
    """Integrate, draw, compare."""
    del folder
    say("losses of the exact denoisers")
    rows = []
    for group in options.groups:
        found = loss_ledger(GroupParity(options.D, group), options.N, n_draws=options.draws, seed=0)
        rows.append({"G": group, "N": options.N} | {name: float(value) for name, value in found.items()})
    table = pd.DataFrame(rows)
    group, n = options.basins_at
    rates = reference_rates(GroupParity(options.D, group), n, 0)
    names = ("training", "valid, unseen", "one bit off", "control")
    basins = pd.DataFrame(
        [
            {"denoiser": name, "corner": corner, **{f"σ = {s:g}": rate for s, rate in zip(LEVELS, row, strict=True)}}
            for name, found in rates.items()
            for corner, row in zip(names, found, strict=True)
        ]
    )
    pictures = {"ledger": ledger_figure(table), "basins": reference_figure(rates)}
    return Part([_claim(table, options)], {"ledger": table, "basins": basins}, pictures, shown=("ledger",))


def _claim(table: pd.DataFrame, options: Options) -> Claim:
    """The reward for the rule falls with G, the floor of the training set hardly moves."""
    first, last = table.iloc[0], table.iloc[-1]
    floor, error = table["memorising"].to_numpy(), table["memorising_error"].to_numpy()
    gain = _ratio(first["gain"], first["gain_error"], last["gain"], last["gain_error"])
    most, least = floor.argmax(), floor.argmin()
    spread = _ratio(floor[most], error[most], floor[least], error[least])
    return Claim(
        f"exact optima: the reward for the rule falls with G, the loss of the memorising optimum does not (D = {options.D})",
        (
            Measure(f"reward at G = {first['G']:g} over G = {last['G']:g}", gain, above=2),
            Measure("memorising loss, largest over smallest", spread, below=1.2),
        ),
    )


def _ratio(a: float, error_a: float, b: float, error_b: float) -> Estimate:
    """A ratio of two Monte-Carlo means, with its 95 % interval from their standard errors."""
    reach = TWO_SIDED * np.hypot(error_a / a, error_b / b)
    return Estimate(a / b, a / b * np.exp(-reach), a / b * np.exp(reach), 1)


def reference_rates(rule: Rule, n: int, seed: int) -> dict[str, Any]:
    """(class, σ) shares found again by the exact denoisers: no rule, the rule, the training set."""
    import torch

    rng = np.random.default_rng(seed)
    train, control = rule.split(n, rng, allow_chance=True)
    starts = corners(rule, train, control, rng)
    noise = rng.standard_normal((DRAWS, *starts.shape[1:]))
    points = rule.encode(train)

    def of(exact: Any) -> Any:
        denoiser = lambda y, sigma: torch.as_tensor(exact(y.double().numpy(), float(sigma)), dtype=y.dtype)  # noqa: E731
        return returns(denoiser, starts, noise)

    return {
        "no rule": of(factorised),
        "the rule": of(lambda y, sigma: rule_denoiser(y, sigma, rule)),
        "the training set": of(lambda y, sigma: empirical_denoiser(y, sigma, points)),
    }


def reference_figure(rates: dict[str, Any]) -> Figure:
    """Basins of the three exact denoisers."""
    figure, axes = panels(3, width=3, height=3.2, share="y")
    names = ("training samples", "valid, unseen", "one bit off", "control set")
    for ax, (name, found) in zip(axes, rates.items(), strict=True):
        for i, (label, colour) in enumerate(zip(names, (VERMILION, BLUE, GRAY, GREEN), strict=True)):
            ax.plot(LEVELS, found[i], "o-", ms=3, color=colour, label=label, alpha=0.8)
        ax.set(xlabel="noise level σ", title=f"knows {name}", ylim=(-0.03, 1.03))
    axes[0].set_ylabel("share of corners found again")
    legend(axes[0])
    return figure


def ledger_figure(table: pd.DataFrame) -> Figure:
    """What the rule and the training set are worth in the loss, by group size."""
    figure, ax = panels(width=5)
    words = {"factorised": "no rule", "rule": "knows the rule", "memorising": "knows the training set"}
    for (name, label), colour, marker in zip(words.items(), (GRAY, BLUE, VERMILION), "Dos", strict=True):
        ax.plot(table["G"], table[name], marker + "-", color=colour, label=label)
    ax.set(xlabel="bits per group G", ylabel="optimal loss, summed over bits", ylim=(0, None))
    legend(ax)
    return figure
