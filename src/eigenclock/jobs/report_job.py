"""Making the report of a run again from the files in its folder."""

from typing import Any

from ..curve.learning_curve import LearningCurve
from ..files import read_text, write_text
from ..report.figures import write_figures
from ..report.html import render
from ..training.log import read_metrics
from ..training.options import MEASURED, STREAM
from .run_folder import CONFIG, MANIFEST, METRICS, PREDICTED, REPORT, SHOWN, SIMULATED, RunFolder
from .summary import clocks_of


def write_report(folder: RunFolder) -> None:
    """(Re)make report.html, figures and sample montages from the files of a finished run."""
    metrics, details = folder.read_json(METRICS), folder.read_json(MANIFEST)
    predicted = LearningCurve.load(folder.path / PREDICTED)
    others = (folder.path / name for name in (MEASURED, SIMULATED))
    other = next((LearningCurve.load(file) for file in others if file.exists()), None)
    losses: list[dict[str, Any]] = []
    if (folder.path / STREAM).exists():
        losses = read_metrics(folder.path / STREAM)
        if (folder.path / SHOWN).exists():  # the level that describes the run best, in its steps
            predicted = LearningCurve.load(folder.path / SHOWN)
        else:
            predicted = predicted.rescaled(metrics["comparison"]["time_scale"] or 1.0)
    for name, curve in (("predicted", predicted), *(() if other is None else ((other.kind, other),))):
        if "settled_share" not in metrics.get(name, {}):  # a folder of version 0.1.0
            metrics[name] = clocks_of(curve) | metrics.get(name, {})
    config = read_text(folder.path / CONFIG, CONFIG)
    write_figures(folder.path, predicted, other)
    write_text(folder.path / REPORT, render(predicted, other, metrics, details, config, losses))
