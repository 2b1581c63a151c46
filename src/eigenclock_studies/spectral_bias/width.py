"""Ablation: width of the MLP, kernel of the convolutional network."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from eigenclock.comparison.levels import compare_levels
from eigenclock.training.network_options import MLP, ConvNet, Network
from eigenclock.training.optimizers import Adam
from ..networks import Recipe, trained
from ..study import Part, Say
from .images import image_data
from .laws import DIRECTIONS, interval, law_rows, law_verdict, level_rows, over_seeds


@dataclass(frozen=True)
class Options:
    """Widths and kernels, and their training."""

    widths: tuple[int, ...]
    kernels: tuple[int, ...]
    seeds: tuple[int, ...]
    steps: int
    kernel_steps: int
    data: str = "natural16"
    samples: int | None = None
    batch_size: int = 128
    probe_samples: int = 96
    probes: int = 30


PRESETS = {
    "tiny": Options((16, 64), (3,), (0,), 60, 20, "digits", 300, 32, 32, 10),
    "cpu": Options((32, 128, 512), (1, 3, 7), (0, 1), 1500, 400),
    "paper": Options((64, 256, 1024, 3072), (1, 3, 5, 7, 15), (0, 1, 2), 50_000, 20_000, probe_samples=512, probes=60),
}


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train every width and kernel."""
    samples, spectrum = image_data(options.data, options.samples)
    cases: list[tuple[str, int, Network, int]] = [
        *(("width", w, MLP(w, 5), options.steps) for w in options.widths),
        *(("kernel", k, ConvNet(16, 3, k), options.kernel_steps) for k in options.kernels),
    ]
    laws, levels = [], []
    for what, value, network, steps in cases:
        recipe = Recipe(
            network=network,
            steps=steps,
            batch_size=options.batch_size,
            optimizer=Adam(3e-4),
            probes=options.probes,
            probe_samples=options.probe_samples,
        )
        for seed in options.seeds:
            curve = trained(folder, f"width_{what}{value}_seed{seed}", recipe, samples, spectrum, seed=seed, say=say)[
                ""
            ]
            laws += law_rows(curve, ablation=what, value=value, seed=seed)
            found = compare_levels(curve, objective=recipe.objective, sampler=recipe.sampler)
            levels += level_rows(found, ablation=what, value=value, seed=seed)
    table = pd.DataFrame(laws)
    figure = ablation_figure(table[table["threshold"] == "geometric"])
    return Part(
        _claims(table, pd.DataFrame(levels)), {"laws": table, "levels": pd.DataFrame(levels)}, {"exponents": figure}
    )


def _claims(laws: pd.DataFrame, levels: pd.DataFrame) -> list[dict[str, str]]:
    rows = []
    laws = laws[laws["threshold"] == "geometric"]
    for (what, value), here in laws.groupby(["ablation", "value"], sort=False):
        falling, rising = (here[here["direction"] == d] for d in ("falling", "rising"))
        c = levels[(levels["ablation"] == what) & (levels["value"] == value) & (levels["level"] == "c")]
        rows.append(
            {
                "claim": f"{what} {value}: exponents",
                "paper": "–",
                "here": f"α falling {over_seeds(-falling['exponent'])} (R² {over_seeds(falling['r2'])}), rising "
                f"{over_seeds(-rising['exponent'])} (R² {over_seeds(rising['r2'])})",
                "interval": interval(falling),
                "control": f"level (c): median |ln ratio| {over_seeds(c['median_error'])}, "
                f"one time for all {over_seeds(c['null_error'])}, "
                f"rank correlation {over_seeds(c['rank_correlation'])}",
                "verdict": f"falling: {law_verdict(falling)}; rising: {law_verdict(rising)}",
            }
        )
    return rows


def ablation_figure(laws: pd.DataFrame) -> Figure:
    """Exponents against width and against kernel."""
    kinds = list(dict.fromkeys(laws["ablation"]))
    figure = Figure(figsize=(4.4 * len(kinds), 3.4), layout="constrained")
    axes = figure.subplots(1, len(kinds), squeeze=False, sharey=True)[0]
    for ax, kind in zip(axes, kinds, strict=True):
        values = sorted(laws[laws["ablation"] == kind]["value"].unique())
        for i, direction in enumerate(DIRECTIONS):
            here = laws[(laws["ablation"] == kind) & (laws["direction"] == direction)].dropna(subset=["exponent"])
            ax.plot(here["value"], here["exponent"], "o", color=f"C{i}", label=direction, alpha=0.7)
            ax.plot(here.groupby("value")["exponent"].mean(), "-", color=f"C{i}")
        ax.axhline(0, color="0.7", lw=1)
        ax.set_xscale("log", base=2)
        ax.set_xlim(values[0] / 1.5, values[-1] * 1.5)
        ax.set_xticks(values, [str(v) for v in values])
        ax.set(xlabel=f"{kind} ({'units' if kind == 'width' else 'pixels'})")
    axes[0].set_ylabel("exponent of time in variance")
    axes[0].legend(frameon=False)
    return figure
