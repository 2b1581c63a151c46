"""Part: speciation. When minorities part from the majority in backward diffusion with the exact score; clones check it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from eigenclock.clocks.replicates import Estimate, student_interval
from ..claims import OURS, row, verdict
from ..study import Part, Say
from .speciation import clone_agreement, normalised_returns, return_probability, speciation_rule, speciation_time

TIMES = np.arange(0.05, 6.3, 0.1)
SEEDS = 5
STRONG = (0.949, 0.05, 0.001)
BALANCED = (1 / 3, 1 / 3, 1 / 3)


@dataclass(frozen=True)
class Options:
    """Three orthogonal classes of norm² = d and unit variance. `t_b`: times of cloning, relative to the balanced speciation."""

    dimensions: tuple[int, ...]
    cases: tuple[tuple[float, ...], ...]
    pairs: int
    clone_d: int
    clone_pairs: int
    clone_steps: int
    clone_offsets: tuple[float, ...]


OTHERS = ((0.9, 0.09, 0.01), (0.6, 0.3, 0.1))
PRESETS = {
    "tiny": Options((64,), (BALANCED, STRONG), 500, 16, 200, 50, (0.0,)),
    "cpu": Options((64, 256), (BALANCED, STRONG, *OTHERS), 3000, 64, 2000, 200, (-0.9, -0.5, -0.2, 0.0, 0.3, 0.7)),
    "paper": Options(
        (64, 256, 1024), (BALANCED, STRONG, *OTHERS), 20_000, 256, 10_000, 1000, (-0.9, -0.5, -0.2, 0.0, 0.3, 0.7)
    ),
}


def centroids(d: int, k: int = 3) -> Any:
    """Orthogonal, of squared norm d."""
    return np.sqrt(d) * np.eye(k, d)


def measure(options: Options) -> xr.Dataset:
    """Normalised return probability and speciation times: dims d, case, seed, class, t."""
    shape = (len(options.dimensions), len(options.cases), SEEDS, 3)
    returns, times = np.empty((*shape, TIMES.size)), np.empty(shape)
    for a, d in enumerate(options.dimensions):
        for b, pi in enumerate(options.cases):
            for seed in range(SEEDS):
                found = return_probability(pi, centroids(d), np.ones(3), TIMES, pairs=options.pairs, seed=seed)
                r = normalised_returns(found, pi)
                returns[a, b, seed] = r.T
                times[a, b, seed] = [speciation_time(TIMES, r[:, k]) for k in range(3)]
    names = [str(tuple(round(p, 3) for p in pi)) for pi in options.cases]
    dims = ("d", "pi_case", "seed", "class")
    return xr.Dataset(
        {"return_prob": ((*dims, "t"), returns), "speciation": (dims, times)},
        coords={"d": list(options.dimensions), "pi_case": names, "t": TIMES},
    )


def over_seeds(dataset: xr.Dataset, d: int, case: int, k: int) -> Estimate:
    """Speciation time of a class over Monte-Carlo seeds."""
    return student_interval(dataset["speciation"].sel(d=d).isel({"pi_case": case, "class": k}).values)


def claims(dataset: xr.Dataset, options: Options, agreement: pd.DataFrame) -> list[dict[str, str]]:
    """C5, and the clones."""
    rows, strong = [], options.cases.index(STRONG)
    for d in options.dimensions:
        equal = [over_seeds(dataset, d, 0, k) for k in range(3)]
        found = [over_seeds(dataset, d, strong, k) for k in range(3)]
        even = float(np.mean([one.value for one in equal]))
        gaps = (found[1].value - found[2].value, even - found[1].value)
        apart = max(one.value for one in equal) - min(one.value for one in equal)
        rule = [speciation_rule(p, STRONG[0], 2 * d) for p in STRONG[1:]]
        rows.append(
            row(
                f"C5: minorities part later in backward diffusion, d = {d}",
                f"t_S of shares {STRONG}: {', '.join(f'{one.value:.2f}' for one in found)}; balanced {even:.2f}; "
                f"rule of thumb {rule[0]:.2f} and {rule[1]:.2f}",
                f"Monte-Carlo, {SEEDS} seeds: " + ", ".join(f"[{one.low:.3f}, {one.high:.3f}]" for one in found),
                f"equal shares: largest difference {apart:.3f}, must be below 0.02",
                verdict(gaps[0] >= 0.3, gaps[1] >= 0.1, control=apart <= 0.02, enough=options.pairs >= 3000),
            )
        )
    off = agreement[~agreement["agrees"]]
    rows.append(
        row(
            f"clones of backward paths agree with the exact return probabilities, d = {options.clone_d}",
            f"{int(agreement['agrees'].sum())} of {len(agreement)} comparisons within three standard errors and 0.02",
            f"largest difference {(agreement['observed'] - agreement['exact']).abs().max():.3f}",
            "exact identities of the data law, no fit",
            verdict(off.empty, enough=options.clone_pairs >= 2000),
            paper=OURS,
        )
    )
    return rows


def clones(options: Options, say: Say) -> pd.DataFrame:
    """A row per case, time of cloning and class (and "any"): observed, exact, n, whether they agree."""
    rows, d = [], options.clone_d
    for pi in (BALANCED, STRONG):
        returns = normalised_returns(return_probability(pi, centroids(d), np.ones(3), TIMES, pairs=500), pi)
        middle = speciation_time(TIMES, returns[:, 0])
        for offset in options.clone_offsets:
            say(f"clones of {pi} at {middle + offset:.2f}")
            found = clone_agreement(
                pi, centroids(d), np.ones(3), middle + offset, pairs=options.clone_pairs, steps=options.clone_steps
            )
            every = [("any", found.same, found.same_exact)]
            every += [(str(k), a, e) for k, (a, e) in enumerate(zip(found.again, found.again_exact, strict=True))]
            for name, seen, exact in every:
                error = np.sqrt(max(exact * (1 - exact), 1e-12) / seen.n)
                rows.append(
                    {
                        "shares": str(tuple(round(p, 3) for p in pi)),
                        "t_b": found.t_b,
                        "class": name,
                        "observed": seen.value,
                        "exact": exact,
                        "n": seen.n,
                        "agrees": bool(abs(seen.value - exact) <= 3 * error + 0.02),
                    }
                )
    return pd.DataFrame(rows)


def figure(dataset: xr.Dataset, options: Options) -> Figure:
    """Return probability of every class against time, for the balanced and the strongly imbalanced mixture."""
    d = options.dimensions[-1]
    picture = Figure(figsize=(8.4, 3.6), layout="constrained")
    axes = picture.subplots(1, 2, sharey=True)
    for ax, case in zip(axes, (0, options.cases.index(STRONG)), strict=True):
        for k, colour in enumerate(("#0072B2", "#009E73", "#D55E00")):
            curve = dataset["return_prob"].sel(d=d).isel({"pi_case": case, "seed": 0, "class": k})
            share = options.cases[case][k]
            ax.plot(
                TIMES,
                curve,
                color=colour,
                lw=1.8,
                ls=("-", "--", "-")[k],
                label=f"share {share:.3g}: t_S = {over_seeds(dataset, d, case, k).value:.2f}",
            )
        ax.axhline(0.5, color="0.6", lw=0.8, ls=":")
        ax.set(xlabel="time t of the forward process", title=f"d = {d}", xlim=(0, 4.5))
        ax.legend(frameon=False, fontsize=9)
    axes[0].set_ylabel("normalised return probability")
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Compute, clone, compare."""
    dataset, agreement = measure(options), clones(options, say)
    times = dataset["speciation"].mean("seed").to_dataframe().reset_index()
    return Part(
        claims(dataset, options, agreement),
        {"times": times, "clones": agreement},
        {"returns": figure(dataset, options)},
        dataset,
    )
