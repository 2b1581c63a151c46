"""The pictures and tables of docs/: theory checked by brute force on natural patches (two minutes), the main job (four), and
every example (seven more). The page of the study of spectral bias is made by `examples.study_pages`.

Each picture is stored with the numbers behind it: figures/*.png beside *.csv.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import eigenclock as ec
from eigenclock import cli
from eigenclock.comparison.band_display import BandDisplay, figure_of
from eigenclock.training.log import read_metrics
from examples import (
    choose_objective,
    choose_page,
    depth,
    kernel_size,
    noise_floor,
    overfitting,
    pages,
    random_start,
    sampler_bias,
    shared_weights,
    still_learning,
    which_formula,
)
from examples.paper_figures import __main__ as gallery, emergence_laws

DOCS = Path("docs")


def main(docs: Path, run: Path, options: list[str], network_options: list[str]) -> None:
    """Predict, train and simulate into `run`, and write figures and tables under `docs`."""
    figures = docs / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    network(docs, run / "network", network_options)
    run = run / "theory"
    theory = ["predict", "--simulation.enabled", "true", "--data", "natural16", "--overwrite"]
    cli.main([*theory, "--out", str(run), *options])
    for name in ("spectrum", "variance", "emergence", "samples"):
        shutil.copy(run / "figures" / f"{name}.png", figures / f"demo_{name}.png")
    predicted, simulated = (ec.LearningCurve.load(run / name) for name in ("curve.nc", "simulated.nc"))
    comparison = ec.compare(predicted, simulated)
    comparison.to_dataframe().to_csv(figures / "demo_emergence.csv", index=False, float_format="%.6g")
    for page in ("index.md", "expect.md"):
        pages.insert(docs / page, "demo", demo_table(run))
    pages.insert(docs / "choose.md", "objectives", choose_objective.main(figures))
    choose_page.main(figures)
    examples(docs)


def network(docs: Path, run: Path, options: list[str]) -> None:
    """The main job: a real network."""
    cli.main(["run", "--data", "natural16", "--out", str(run), "--overwrite", *options])
    for name in ("variance", "emergence"):
        shutil.copy(run / "figures" / f"{name}.png", docs / "figures" / f"network_{name}.png")
    predicted, measured = (ec.LearningCurve.load(run / name) for name in ("curve.nc", "measured.nc"))
    table = ec.compare(predicted, measured).to_dataframe()
    table.to_csv(docs / "figures" / "network_emergence.csv", index=False, float_format="%.6g")
    for page in ("index.md", "networks.md"):
        pages.insert(docs / page, "network", network_table(run))
    watched(docs, run)


def watched(docs: Path, run: Path, share: float = 0.2) -> None:
    """The picture of README: loss, modes, and the forecast made after a share of the run, with what came."""
    predicted, measured = (ec.LearningCurve.load(run / name) for name in ("curve.nc", "measured.nc"))
    recipe, losses = predicted.recipe, read_metrics(run / "metrics.jsonl")
    assert recipe is not None
    levels = ec.predict_levels(measured.spectrum, recipe.objective, recipe.sampler)
    expected = ec.forecast(levels, measured, at=share * float(measured.time.values[-1]))
    steps, values = ([record[name] for record in losses] for name in ("step", "loss"))
    figure_of(measured, expected, loss=(steps, values)).savefig(docs / "figures" / "watched.png", dpi=150)
    display = BandDisplay.of(measured, expected)
    columns = {
        f"mode_{mode + 1}": np.concatenate([display.ratio[:, i], display.came[:, i]])
        for i, mode in enumerate(display.modes)
    }
    table = pd.DataFrame({"step": measured.time.values, **columns})
    table.to_csv(docs / "figures" / "watched.csv", index=False, float_format="%.6g")
    words = caption(expected.made_at, np.array(steps), np.array(values), table.iloc[:, -1].values, table["step"].values)
    for page in (docs.parent / "README.md", docs / "index.md"):
        if page.exists():
            pages.insert(page, "watched", words)


def caption(at: float, steps: Any, loss: Any, finest: Any, records: Any) -> str:
    """What the picture shows: how much the loss still fell after the forecast, and the finest mode's distance with it."""
    then = np.argsort(abs(steps - at))[: max(1, len(steps) // 30)]
    fell, closer = 1 - loss[-len(then) :].mean() / loss[then].mean(), finest[records <= at][-1] / finest[-1]
    return (
        "*Above: the loss of a real network on natural 16×16 patches. Below: variance of its samples along modes of the "
        f"data, over what a perfect network would give. Lines: measured until step {at:,.0f}. Dashes and shades: what was "
        "expected then, with intervals of 80 %. Dots: what came. "
        f"After it the loss fell by {100 * fell:.0f} %, and the variance of the finest mode by a factor of {closer:.1f}. "
        "Made by `make figures`.*"
    )


def network_table(run: Path) -> str:
    """What each level of theory explains of a run, as Markdown."""
    metrics = json.loads((run / "metrics.json").read_text())
    training, seconds = metrics["training"], json.loads((run / "manifest.json").read_text())["seconds"]
    lines = [
        "| level of theory | modes | rank correlation | median error | nine in ten within |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in metrics["levels"]:
        numbers = [row["modes"], *(_number(row[key]) for key in ("rank_correlation", "median_error", "error_90"))]
        lines.append(
            f"| ({row['level'].replace('_', ', ')}) {row['meaning']} | " + " | ".join(map(str, numbers)) + " |"
        )
    lines += [
        "",
        f"{training['network']}, {training['steps']:,} steps of {training['optimizer']}, batches of {training['batch_size']}: "
        f"{seconds['train']:.0f} s, the probe {100 * training['probe_share']:.0f} %. Errors: |ln(measured/predicted "
        "time)| after one constant. Made by `make figures`.",
    ]
    return "\n".join(lines) + "\n"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def examples(docs: Path, *, quick: bool = False) -> None:
    """Everything but the main job. `quick` takes the smallest sizes that still draw: for a test, not for readers."""
    figures = docs / "figures"
    pages.insert(docs / "formulas.md", "variance", which_formula.variance_table())
    pages.insert(docs / "formulas.md", "gain", which_formula.gain_table())
    gallery.main(figures)
    pages.insert(docs / "gallery.md", "laws", emergence_laws.main(figures))
    pages.insert(docs / "architectures.md", "depth", depth.main(figures))
    random_start.main(figures)
    exponents, sharing = kernel_size.main(figures, **({"n": 400} if quick else {}))
    pages.insert(docs / "architectures.md", "kernels", exponents)
    pages.insert(docs / "architectures.md", "sharing", sharing)
    pages.insert(docs / "architectures.md", "ablation", shared_weights.main(figures, **({"n": 60} if quick else {})))
    stops = overfitting.main(figures, **({"sizes": (100, 300), "steps": 60} if quick else {}))
    pages.insert(docs / "training.md", "stopping", stops)
    floors = noise_floor.main(figures, **({"copies": 2, "steps": 20} if quick else {}))
    pages.insert(docs / "training.md", "noise", floors)
    pages.insert(docs / "training.md", "samplers", sampler_bias.main(figures))
    learning = still_learning.main(figures, **({"steps": 40, "patches": 200, "samples": 16} if quick else {}))
    for name, table in learning.items():
        pages.insert(docs / "still_learning.md", name, table)


def demo_table(run: Path) -> str:
    """Prediction and brute force of a run, as Markdown."""
    metrics = json.loads((run / "metrics.json").read_text())
    seconds = json.loads((run / "manifest.json").read_text())["seconds"]
    agreement = metrics["comparison"]
    lines = ["| natural patches 16×16 | predicted | brute force |", "|---|---:|---:|"]
    for fraction, predicted in metrics["predicted"]["variance_learned"].items():
        simulated = metrics["simulated"]["variance_learned"][fraction]
        lines.append(
            f"| step by which modes with {float(fraction):.0%} of the variance have emerged {_cells(predicted, simulated)}"
        )
    close = (metrics[source]["close"] for source in ("predicted", "simulated"))
    lines.append(f"| step at which samples are close to the data (W₂ < 10 %) {_cells(*close)}")
    for direction in ("rising", "falling"):
        cells = []
        for source in ("predicted", "simulated"):
            law = metrics[source]["power_law"][direction]
            if law["exponent"] is None:  # fewer than three modes emerged
                cells.append("–")
                continue
            low, high = law["interval"]
            cells.append(f"{law['exponent']:.3f} [{low:.3f}, {high:.3f}], {law['n']} modes")
        lines.append(f"| exponent, {direction} modes | " + " | ".join(cells) + " |")
    lines.append(f"| seconds | {seconds['predict']:.2g} | {seconds['simulate']:.0f} |")
    lines += [
        "",
        f"Mode by mode, over {agreement['modes']} modes: common time scale ×{agreement['time_scale']:.3f}, then median error "
        f"{100 * agreement['median_error']:.1f} %, nine in ten within {100 * agreement['error_90']:.1f} %, rank correlation "
        f"{agreement['rank_correlation']:.3f}. Made by `make figures`.",
    ]
    return "\n".join(lines) + "\n"


def _cells(*steps: float | None) -> str:
    """Steps as table cells; None is later than the run."""
    return "".join(f"| {step:,.0f} " if step else "| not in this run " for step in steps) + "|"


if __name__ == "__main__":
    main(DOCS, Path("runs/docs"), sys.argv[1:], [])
