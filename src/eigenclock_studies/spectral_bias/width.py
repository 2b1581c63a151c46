"""Ablations of the networks: width and start of the chain, kernel of the convolutional network."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from eigenclock.comparison.levels import compare_levels
from eigenclock.training.network_options import MLP, ConvNet, Network
from eigenclock.training.optimizers import Adam
from ..networks import Case, Recipe, runs_of, train_runs
from ..study import Part, Say
from .images import Images
from .laws import DIRECTIONS, Law, counts, interval, level_table, repeated_words, repetition, words
from .level_errors import ONE_TIME, Errors, better_start
from .levels_claim import NAMED
from .verdicts import TINY, law_verdict


@dataclass(frozen=True)
class Options:
    """Widths and kernels, and their training; the widest chain also from a last layer of zeros."""

    widths: tuple[int, ...]
    kernels: tuple[int, ...]
    seeds: tuple[int, ...]
    recipe: Recipe
    kernel_steps: int
    kernel_batch: int = 64
    data: str = "natural16"
    samples: int | None = 10_000
    most: int = 256
    workers: int | None = None
    judged: bool = True

    def cases(self) -> list[tuple[str, str, Case]]:
        """What is varied, its value, and the case."""
        source = Images(self.data, self.samples, self.most)

        def case(name: str, network: Network, **more: Any) -> Case:
            return Case(f"width_{name}", source, replace(self.recipe, network=network, **more))

        zero = max(self.widths)
        convolutional = {"steps": self.kernel_steps, "batch_size": self.kernel_batch, "gain_levels": 0}
        return [
            *(("width", str(w), case(f"width{w}", MLP(w, 5))) for w in self.widths),
            ("start", f"{zero}, zero output", case("zero", MLP(zero, 5, zero_output=True))),
            *(("kernel", str(k), case(f"kernel{k}", ConvNet(16, 3, k), **convolutional)) for k in self.kernels),
        ]


PRESETS = {
    "tiny": Options(
        (16, 64),
        (3,),
        (0,),
        Recipe(network=MLP(), steps=60, batch_size=32, optimizer=Adam(1e-3), probes=10, probe_samples=32),
        20,
        32,
        "digits",
        300,
        workers=1,
        judged=False,
    ),
    "cpu": Options(
        (128, 256, 512),
        (1, 3, 7),
        (0, 1),
        Recipe(network=MLP(), steps=1500, batch_size=256, optimizer=Adam(3e-4), probes=40, probe_samples=128),
        400,
    ),
    "paper": Options(
        (256, 512, 1024, 3072),
        (1, 3, 5, 7, 15),
        (0, 1, 2),
        Recipe(network=MLP(), steps=50_000, batch_size=256, optimizer=Adam(1e-4), probes=60, probe_samples=512),
        20_000,
        256,
        samples=None,
    ),
}


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train every width, start and kernel."""
    named = options.cases()
    cases = [case for _, _, case in named]
    found = train_runs(folder, runs_of(cases, options.seeds), workers=options.workers, say=say)
    laws, levels, claims = [], [], []
    for what, value, case in named:
        curves = [found[case.name, seed][""] for seed in options.seeds]
        tables = [curve.emergence() for curve in curves]
        known = {direction: Law.of(tables, direction) for direction in DIRECTIONS}
        laws += [{"ablation": what, "value": value} | law.row() for law in known.values()]
        recipe, repeated = case.recipe, repetition(tables)
        compared = [compare_levels(curve, objective=recipe.objective, sampler=recipe.sampler) for curve in curves]
        for seed, one in zip(options.seeds, compared, strict=True):
            levels.append(level_table(one, repeated, ablation=what, value=value, seed=seed))
        start = better_start(compared)
        errors = Errors.of(compared, start)
        falling = known["falling"]
        claims.append(
            {
                "claim": f"{what} {value}: time ∝ variance^−α, falling modes",
                "paper": "–",
                "here": f"α = {interval(falling.alpha.estimate)}, R² {words(falling.r2)}, {counts(falling.modes)} modes "
                f"({counts(falling.open)} not begun)",
                "interval": f"seeds {words(falling.alpha.values)}; rising modes: {interval(known['rising'].alpha.estimate)}",
                "control": f"level (e) from {NAMED[start]} leaves {interval(errors.medians[start].estimate)}, one time for all "
                f"{interval(errors.medians[ONE_TIME].estimate)}; {repeated_words(repeated['both'])}",
                "verdict": law_verdict(falling) if options.judged else TINY,
            }
        )
    table = pd.DataFrame(laws)
    kept = {"laws": table, "levels": pd.concat(levels)}
    return Part(claims, kept, {"exponents": ablation_figure(table)}, shown=("laws",))


def ablation_figure(laws: pd.DataFrame) -> Figure:
    """α against width and start, and against kernel."""
    groups = [("width and start of the chain", ("width", "start")), ("kernel of the ConvNet", ("kernel",))]
    figure = Figure(figsize=(8.8, 3.4), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, (title, kinds) in zip(axes, groups, strict=True):
        some = laws[laws["ablation"].isin(kinds)]
        values = list(dict.fromkeys(some["value"]))
        for i, direction in enumerate(DIRECTIONS):
            here = some[some["direction"] == direction].set_index("value").reindex(values)
            places = [place + (i - 0.5) * 0.12 for place in range(len(values))]
            error = [here["alpha"] - here["low"], here["high"] - here["alpha"]]
            ax.errorbar(places, here["alpha"], yerr=error, fmt="o", ms=5, capsize=3, color=f"C{i}", label=direction)
        ax.axhline(0, color="0.7", lw=1)
        ax.set_xticks(range(len(values)), [value.replace(", ", ",\n") for value in values])
        ax.set(xlabel=title, xlim=(-0.5, len(values) - 0.5))
    axes[0].set_ylabel("α of time ∝ variance^−α [95 %]")
    axes[0].legend(frameon=False)
    return figure
