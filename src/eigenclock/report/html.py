"""One self-contained HTML page for a run: works from disk, offline."""

from typing import Any

import jinja2
import numpy as np

from ..clocks.emergence import Emergence
from ..clocks.settling import Settling
from ..clocks.words import steps_text
from ..comparison.compare import compare
from ..curve.learning_curve import LearningCurve
from ..curve.palette import spread_modes
from ..curve.pictures import data_uri, mode_picture, montage, pixel_limits
from ..spectrum.spatial import pixels_in_words
from ..spectrum.spectrum import Spectrum
from . import interactive
from .figures import shows_images
from .packed import charts_of, packed, packed_plotly
from .slides import few_shades, slides

SLIDER_TIMES = 24
"""Positions of the slider over training time."""

SLIDER_SAMPLES = 16

LARGEST, TEXT = 2_000_000, 64_000
"""Characters of a page, so that it can be mailed, and what its text and tables take of them."""

FAR = 10
"""Predicted steps beyond this many runs are not told: a prediction says less of them than of the beginning."""

LEAST = 48_000
"""Characters that the pictures of the slider may take in any case."""


def render(
    predicted: LearningCurve,
    other: LearningCurve | None,
    metrics: dict[str, Any],
    manifest: dict[str, Any],
    config: str,
    losses: list[dict[str, Any]],
) -> str:
    """The page as a string. `other` is what the prediction is set against: a simulation, or the measurement of a trained network.

    `losses`: the metrics stream of a trained network, else empty.
    """
    comparison = None if other is None else compare(predicted, other)
    figures = {
        "spectrum": interactive.spectrum_figure(predicted.spectrum),
        "variance": interactive.variance_figure(predicted, other),
        "emergence": interactive.emergence_figure(comparison, predicted, other),
        "distance": interactive.distance_figure(predicted, other),
    }
    if losses:
        figures["loss"] = interactive.training_loss_figure(losses)
    elif "loss" in predicted.dataset:
        figures["loss"] = interactive.loss_figure(predicted, other)
    if other is not None and "gain" in other.dataset and losses:
        figures["gain"] = interactive.gain_figure(other)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("eigenclock.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["steps"] = steps_text
    environment.filters["since"] = lambda value: "not yet" if value is None else f"since step {steps_text(value)}"
    environment.filters["within"] = lambda value, last: steps_text(value) if (value or 0) <= FAR * last else "far off"
    environment.filters["decimals"] = _decimals
    plotly, charts = packed_plotly(), packed(charts_of(figures))
    budget = max(LARGEST - TEXT - len(plotly) - len(charts), LEAST)
    return environment.get_template("report.html.j2").render(
        plotly=plotly,
        charts=charts,
        figures={name: f'<div id="figure-{name}" class="chart"></div>' for name in figures},
        goal="stationary data of the same power spectrum" if predicted.stationary else "the data",
        other="" if other is None else other.kind,
        frames=_frames(predicted, other, int(manifest["seed"]), budget),
        modes=_mode_table(predicted, other),
        ratios=_ratios(metrics["predicted"]["variance_learned"]),
        fractions=list(metrics["predicted"]["variance_learned"]),
        metrics=metrics,
        manifest=manifest,
        config=config,
        recipe=[(name, str(part)) for name, part in vars(predicted.recipe).items()] if predicted.recipe else [],
        spectrum=predicted.spectrum,
        n_modes=predicted.target.size,
    )


def _ratios(times: dict[str, Any]) -> str:
    """Times of 50, 90 and 99 % as multiples of the first: "1 : 5.2 : 40"."""
    known = [times.get(name) for name in ("0.5", "0.9", "0.99")]
    first = known[0]
    return " : ".join("–" if not first or t is None else f"{t / first:.2g}" for t in known)


def _moment(table: Emergence, mode: int) -> str:
    """When a mode emerges, in words."""
    return "from the start" if table.gray_zone[mode] else steps_text(float(table.time[mode]))


def _since(table: Settling, mode: int) -> str:
    """When a mode settled, in words."""
    return steps_text(float(table.time[mode])) + (" (provisional)" if table.provisional[mode] else "")


def size_in_words(pixels: float, spectrum: Spectrum) -> str:
    """Feature size in words; empty where samples are no images."""
    if np.isnan(pixels) or spectrum.basis is None:
        return ""
    return "whole image" if pixels > max(spectrum.basis.shape[:2]) else pixels_in_words(pixels)


def _decimals(value: float, digits: int) -> str:
    """A number with a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _frames(predicted: LearningCurve, other: LearningCurve | None, seed: int, budget: int) -> list[dict[str, str]]:
    """For each slider position: the time, predicted samples, and simulated or measured samples from the same noise."""
    if not shows_images(predicted):
        return []
    spectrum, limits = predicted.spectrum, pixel_limits(predicted.spectrum)
    times = (predicted if other is None else other).dataset["time"].values
    finite = np.flatnonzero(np.isfinite(times))
    chosen = finite[np.unique(np.round(np.linspace(0, finite.size - 1, SLIDER_TIMES)).astype(int))]
    pictures = []
    for i in chosen:
        frame = [montage(_predicted_samples(predicted, other, float(times[i]), seed), limits)]
        if other is not None and "particles" in other.dataset:
            frame.append(montage(spectrum.from_modes(other.dataset["particles"].values[i, :SLIDER_SAMPLES]), limits))
        pictures.append(frame)
    return [
        {"time": f"{times[chosen[place]]:,.6g}", **dict(zip(("predicted", "other"), uris, strict=False))}
        for place, uris in slides(pictures, budget)
    ]


def _predicted_samples(predicted: LearningCurve, other: LearningCurve | None, time: float, seed: int) -> Any:
    """Predicted samples, from the noise of the measured ones where it is known."""
    if other is None or "noise" not in other.dataset:
        return predicted.sample(SLIDER_SAMPLES, time=time, seed=seed)
    noise = other.dataset["noise"].values[:SLIDER_SAMPLES]
    return predicted.spectrum.from_modes(noise * np.sqrt(predicted.variance_at(time)))


def _mode_table(predicted: LearningCurve, other: LearningCurve | None) -> list[dict[str, Any]]:
    """A dozen modes, spread in log rank: picture, variance, emergence predicted and simulated or measured."""
    spectrum, table = predicted.spectrum, predicted.emergence()
    measured = None if other is None else other.emergence()
    settled = None if other is None else other.settling()
    total, rows, sizes = spectrum.variance.sum(), [], spectrum.feature_size
    for mode in spread_modes(spectrum.n_modes, 12).tolist():
        picture = None
        if spectrum.basis is not None and shows_images(predicted):
            picture = data_uri(few_shades(mode_picture(spectrum.basis.mode_image(mode))))
        rows.append(
            {
                "number": mode + 1,
                "picture": picture,
                "variance": f"{spectrum.variance[mode]:.3g}",
                "share": f"{100 * spectrum.variance[mode] / total:.2g} %",
                "direction": "gray zone" if table.gray_zone[mode] else str(table.direction[mode]),
                "size": size_in_words(float(sizes[mode]), spectrum),
                "settled": None if settled is None else _since(settled, mode),
                "predicted": _moment(table, mode),
                "other": None if measured is None else _moment(measured, mode),
            }
        )
    return rows
