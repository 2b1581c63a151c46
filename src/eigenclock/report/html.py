"""One self-contained HTML page for a run: works from disk, offline."""

import base64
from typing import Any

import jinja2
import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from ..clocks import Emergence
from ..compare import compare
from ..curve import LearningCurve
from . import interactive
from .figures import shows_images
from .images import Pixels, mode_picture, montage, pixel_limits, png
from .palette import spread_modes

SLIDER_TIMES = 24
"""Positions of the slider over training time."""

SLIDER_SAMPLES = 16


def render(
    predicted: LearningCurve,
    simulated: LearningCurve | None,
    metrics: dict[str, Any],
    manifest: dict[str, Any],
    config: str,
) -> str:
    """The page as a string."""
    comparison = None if simulated is None else compare(predicted, simulated)
    figures = {
        "spectrum": interactive.spectrum_figure(predicted.spectrum),
        "variance": interactive.variance_figure(predicted, simulated),
        "emergence": interactive.emergence_figure(comparison, predicted),
        "loss": interactive.loss_figure(predicted, simulated),
        "kl": interactive.kl_figure(predicted, simulated),
    }
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("eigenclock.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["steps"] = steps_text
    environment.filters["decimals"] = _decimals
    return environment.get_template("report.html.j2").render(
        plotly=get_plotlyjs(),
        figures={name: _embed(name, figure) for name, figure in figures.items()},
        goal="stationary data of the same power spectrum" if predicted.stationary else "the data",
        frames=_frames(predicted, simulated, int(manifest["seed"])),
        modes=_mode_table(predicted, simulated),
        fractions=list(metrics["predicted"]["variance_learned"]),
        metrics=metrics,
        manifest=manifest,
        config=config,
        recipe=[(name, str(part)) for name, part in vars(predicted.recipe).items()] if predicted.recipe else [],
        spectrum=predicted.spectrum,
        n_modes=predicted.target.size,
    )


def _moment(table: Emergence, mode: int) -> str:
    """When a mode emerges, in words."""
    return "from the start" if table.gray_zone[mode] else steps_text(float(table.time[mode]))


def steps_text(value: float | None) -> str:
    """A number of steps for people; None is a time that never came."""
    if value is None or np.isnan(value):
        return "not reached"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _decimals(value: float, digits: int) -> str:
    """A number with a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _embed(name: str, figure: go.Figure) -> str:
    return str(
        figure.to_html(
            full_html=False,
            include_plotlyjs=False,
            div_id=f"figure-{name}",
            config={"responsive": True, "displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d"]},
        )
    )


def _data_uri(pixels: Pixels) -> str:
    return "data:image/png;base64," + base64.b64encode(png(pixels)).decode("ascii")


def _frames(predicted: LearningCurve, simulated: LearningCurve | None, seed: int) -> list[dict[str, str]]:
    """For each slider position: the time, predicted samples, and simulated samples from the same noise."""
    if not shows_images(predicted):
        return []
    spectrum, limits = predicted.spectrum, pixel_limits(predicted.spectrum)
    times = (predicted if simulated is None else simulated).dataset["time"].values
    finite = np.flatnonzero(np.isfinite(times))
    chosen = finite[np.unique(np.round(np.linspace(0, finite.size - 1, SLIDER_TIMES)).astype(int))]
    frames = []
    for i in chosen:
        samples = predicted.sample(SLIDER_SAMPLES, time=float(times[i]), seed=seed)
        frame = {"time": f"{times[i]:,.6g}", "predicted": _data_uri(montage(samples, limits))}
        if simulated is not None and "particles" in simulated.dataset:
            particles = simulated.dataset["particles"].values[i, :SLIDER_SAMPLES]
            frame["simulated"] = _data_uri(montage(spectrum.from_modes(particles), limits))
        frames.append(frame)
    return frames


def _mode_table(predicted: LearningCurve, simulated: LearningCurve | None) -> list[dict[str, Any]]:
    """A dozen modes, spread in log rank: picture, variance, emergence predicted and simulated."""
    spectrum, table = predicted.spectrum, predicted.emergence()
    measured = None if simulated is None else simulated.emergence()
    total, rows = spectrum.variance.sum(), []
    for mode in spread_modes(spectrum.n_modes, 12).tolist():
        picture = None
        if spectrum.basis is not None and shows_images(predicted):
            picture = _data_uri(mode_picture(spectrum.basis.mode_image(mode)))
        rows.append(
            {
                "number": mode + 1,
                "picture": picture,
                "variance": f"{spectrum.variance[mode]:.3g}",
                "share": f"{100 * spectrum.variance[mode] / total:.2g} %",
                "direction": "gray zone" if table.gray_zone[mode] else str(table.direction[mode]),
                "predicted": _moment(table, mode),
                "simulated": None if measured is None else _moment(measured, mode),
            }
        )
    return rows
