"""Figures of the innovation window."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eigenclock.exact.bits import empirical_denoiser, factorised, rule_denoiser
from eigenclock.exact.rules import Rule
from .basins import LEVELS, corners, returns
from .cases import AFFINE, InnovationConfig, parity, width
from .clocks import Runs, opening, point
from .forecast import forecast_table

RULE, MEMORY = "#0072B2", "#D55E00"
MARKERS = "osv^D"


def curves_figure(runs: Runs, config: InnovationConfig) -> Figure:
    """Rule and copies over training, a panel per training-set size, all seeds."""
    shown = [n for n in (*config.sizes, *config.held_out) if runs.has(parity(config.G, n))]
    figure = Figure(figsize=(2.7 * len(shown) + 0.8, 3.3), layout="constrained")
    axes = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for ax, n in zip(axes, shown, strict=True):
        case = parity(config.G, n)
        for name, colour, label in (
            ("q", RULE, "rule: novel and valid, beyond chance"),
            ("M_ex", MEMORY, "copies beyond chance"),
        ):
            steps, values = runs.record(case, name)
            ax.plot(steps, values.T, color=colour, lw=1, alpha=0.75)
            ax.plot([], [], color=colour, lw=2, label=label)
        ax.axhline(0.1, color="0.5", lw=0.8, ls=":")
        ax.set(xscale="log", xlabel="training step", title=f"N = {n:,}", ylim=(-0.05, 1.02))
    axes[0].set_ylabel("share of samples")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", frameon=False, ncols=2)
    return figure


def _seeds(ax: Axes, x: float, clock: Any, colour: str, marker: str = "o") -> None:
    """Every seed of a clock; arrows where censored."""
    seen, censored = clock.time[clock.hit], clock.low[np.isinf(clock.high) & (clock.low > 0)]
    ax.plot(np.full(seen.size, x), seen, marker, color=colour, ms=5, alpha=0.75)
    ax.plot(np.full(censored.size, x), censored, "^", color=colour, ms=7, mfc="none")


def memory_figure(runs: Runs, config: InnovationConfig) -> Figure:
    """Both clocks against the size of the training set, with the forecast from the small sets."""
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    ax = figure.add_subplot()
    shown = [n for n in (*config.sizes, *config.held_out) if runs.has(parity(config.G, n))]
    for n in shown:
        _seeds(ax, n * 0.97, runs.rule(parity(config.G, n)), RULE)
        _seeds(ax, n * 1.03, runs.memory(parity(config.G, n)), MEMORY, "s")
    table = forecast_table(runs, config)
    if len(table):
        ours = table[table["law"] == "linear"]
        sizes = np.array([shown[0], shown[-1]], dtype=float)
        ax.plot(
            sizes,
            ours["steps per sample"].iloc[0] * sizes,
            color=MEMORY,
            lw=1.2,
            ls="--",
            label="forecast c·N, fitted on small N",
        )
        centre = ours["predicted"]
        ax.errorbar(
            ours["N"] * 1.12, centre, [centre - ours["low"], ours["high"] - centre], fmt="none", color=MEMORY, capsize=3
        )
    ax.plot([], [], "o", color=RULE, label="rule clock")
    ax.plot([], [], "s", color=MEMORY, label="memory clock")
    ax.plot([], [], "^", color="0.3", mfc="none", label="not reached by then")
    ax.set(xscale="log", yscale="log", xlabel="training samples N", ylabel="training step")
    ax.set_xticks(shown, [f"{n:,}" for n in shown])
    ax.minorticks_off()
    ax.legend(frameon=False, fontsize=8)
    return figure


def window_figure(runs: Runs, config: InnovationConfig) -> Figure:
    """W = ln(memory/rule) of every size and rule; hatched where only a bound is known."""
    groups, sizes = sorted(config.complexities), [*config.sizes, *config.held_out]
    widths = np.full((len(groups), len(sizes)), np.nan)
    figure = Figure(figsize=(1.3 * len(sizes) + 2.2, 0.75 * len(groups) + 1.6), layout="constrained")
    ax = figure.add_subplot()
    for i, group in enumerate(groups):
        for j, n in enumerate(sizes):
            if not runs.has(parity(group, n)):
                continue
            found = runs.window(parity(group, n))
            points = point(found)
            widths[i, j] = points.mean() if np.isfinite(points).all() else np.nan
            state, bound = opening(found), not (found.low == found.high).all()
            number = (
                f"{'≥' if np.isinf(found.high).any() else '≤' if bound else ''}{widths[i, j]:.1f}\n"
                if np.isfinite(widths[i, j])
                else ""
            )
            ax.text(
                j,
                i,
                f"{number}{state}",
                ha="center",
                va="center",
                fontsize=8,
                bbox={"fc": "white", "ec": "none", "alpha": 0.75, "pad": 1},
            )
            if bound:
                ax.add_patch(_hatched(j, i))
    reach = max(1.0, float(np.nanmax(np.abs(widths)))) if np.isfinite(widths).any() else 1.0
    picture = ax.imshow(widths, cmap="RdBu", vmin=-reach, vmax=reach, aspect="auto")
    figure.colorbar(picture, ax=ax, label="ln(memory/rule)")
    ax.set_xticks(range(len(sizes)), [f"{n:,}" for n in sizes])
    ax.set_yticks(range(len(groups)), [str(g) for g in groups])
    ax.set_title("hatched: only a bound is known; white: not run", fontsize=9)
    ax.set(
        xlabel="training samples N",
        ylabel="bits per group G",
        xlim=(-0.5, len(sizes) - 0.5),
        ylim=(len(groups) - 0.5, -0.5),
    )
    return figure


def _hatched(x: int, y: int) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, hatch="///", ec="0.6", lw=0)


def capacity_figure(runs: Runs, config: InnovationConfig) -> Figure:
    """The rule clock against width, at one rate and at rates ∝ 1/width."""
    figure = Figure(figsize=(5.2, 3.6), layout="constrained")
    ax = figure.add_subplot()
    own = getattr(config.model, "width", 0)
    every = sorted({*config.widths, own})
    for w in every:
        if runs.has(width(w)):
            _seeds(ax, w, runs.rule(width(w)), RULE)
        if runs.has(width(w, corrected=True)):
            _seeds(ax, w * 1.06, runs.rule(width(w, corrected=True)), "#009E73", "s")
    if runs.has(AFFINE):
        _seeds(ax, every[0] / 2, runs.rule(AFFINE), "0.3")
    ax.plot([], [], "o", color=RULE, label="one learning rate")
    ax.plot([], [], "s", color="#009E73", label="rate ∝ 1/width")
    ax.plot([], [], "^", color="0.3", mfc="none", label="not reached by then")
    ax.set(xscale="log", yscale="log", xlabel="width", ylabel="rule clock (training step)")
    ax.set_xticks([every[0] / 2, *every], ["affine", *map(str, every)])
    ax.minorticks_off()
    ax.legend(frameon=False, fontsize=8)
    return figure


def basin_figure(runs: Runs, config: InnovationConfig) -> Figure:
    """Share of corners found again against the noise level at the last checkpoint, and both scores over training."""
    cases = [parity(config.G, config.sizes[0]), parity(config.G, config.open_at)]
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots(2, 2, sharey="row", sharex="row")
    colours = {"T": MEMORY, "R": RULE, "I": "0.45", "C": "#009E73"}
    names = {"T": "training samples", "R": "valid, unseen", "I": "one bit off", "C": "control set"}
    for column, case in enumerate(cases):
        here, ax = runs.dataset["r"].sel(case=case), axes[0, column]
        last = here.dropna("checkpoint", how="all").isel(checkpoint=-1)
        for corner, colour in colours.items():
            ax.plot(LEVELS, last.sel(corner=corner).transpose("sigma", "seed").values, color=colour, lw=1.3, alpha=0.8)
            ax.plot([], [], color=colour, lw=2, label=names[corner])
        ax.set(
            xlabel="noise level σ that corners start from",
            title=f"{case.replace('=', ' = ')}, last checkpoint",
            ylim=(-0.03, 1.03),
        )
        for name, colour, label in (
            ("basin_E_R", RULE, "rule basins, r(valid) − r(one bit off)"),
            ("basin_D_m", MEMORY, "training basins, r(training) − r(valid)"),
        ):
            steps, values = runs.record(case, name)
            known = np.isfinite(values).any(axis=0)
            axes[1, column].plot(steps[known], values[:, known].T, color=colour, lw=1.2, alpha=0.8)
            axes[1, column].plot([], [], color=colour, lw=2, label=label)
        axes[1, column].set(xscale="log", xlabel="training step")
    axes[0, 0].set_ylabel("share found again")
    axes[1, 0].set_ylabel("score (mean over σ)")
    for row in axes:
        row[0].legend(frameon=False, fontsize=8)
    return figure


def reference_rates(rule: Rule, n: int, seed: int) -> dict[str, Any]:
    """(class, σ) shares found again by the exact denoisers: no rule, the rule, the training set."""
    import torch

    rng = np.random.default_rng(seed)
    train, control = rule.split(n, rng, allow_chance=True)
    starts = corners(rule, train, control, rng)
    noise = rng.standard_normal((8, *starts.shape[1:]))
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
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.subplots(1, 3, sharey=True)
    names = ("training samples", "valid, unseen", "one bit off", "control set")
    for ax, (name, found) in zip(axes, rates.items(), strict=True):
        for i, (label, colour) in enumerate(zip(names, (MEMORY, RULE, "0.45", "#009E73"), strict=True)):
            ax.plot(LEVELS, found[i], "o-", ms=3, color=colour, label=label, alpha=0.8)
        ax.set(xlabel="noise level σ", title=f"knows {name}", ylim=(-0.03, 1.03))
    axes[0].set_ylabel("share of corners found again")
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def ledger_figure(table: Any) -> Figure:
    """What the rule and the training set are worth in the loss, by group size."""
    figure = Figure(figsize=(5.4, 3.6), layout="constrained")
    ax = figure.add_subplot()
    for name, colour, marker in (("factorised", "0.45", "D"), ("rule", RULE, "o"), ("memorising", MEMORY, "s")):
        ax.plot(
            table["G"],
            table[name],
            marker + "-",
            color=colour,
            label={"factorised": "no rule", "rule": "knows the rule", "memorising": "knows the training set"}[name],
        )
    ax.set(xlabel="bits per group G", ylabel="optimal loss, summed over bits", ylim=(0, None))
    ax.legend(frameon=False)
    return figure


def figures(runs: Runs, config: InnovationConfig) -> dict[str, Figure]:
    """Every figure that the runs allow."""
    found = {
        "curves": curves_figure(runs, config),
        "memory": memory_figure(runs, config),
        "window": window_figure(runs, config),
    }
    if config.widths:
        found["capacity"] = capacity_figure(runs, config)
    if config.basins and "basin_E_R" in runs.dataset:
        found["basins"] = basin_figure(runs, config)
    return found
