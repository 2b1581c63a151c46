"""The run folder's figures (PNG, for papers and slides) and sample montages."""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..curve.displays import (
    ClosenessDisplay,
    Display,
    EmergenceDisplay,
    SamplesDisplay,
    SpectrumDisplay,
    VarianceDisplay,
)
from ..curve.learning_curve import LearningCurve
from ..curve.pictures import montage, pixel_limits, png
from ..files import atomic

STRIP_TIMES = 6
"""Training times in the strip of samples."""


def shows_images(curve: LearningCurve) -> bool:
    """Whether samples of the curve can be drawn: (h, w), or (h, w, c) with one or three channels."""
    basis = curve.spectrum.basis
    known = not curve.correlated or "covariance" in curve.dataset
    return (
        known and basis is not None and (len(basis.shape) == 2 or (len(basis.shape) == 3 and basis.shape[2] in (1, 3)))
    )


def strip_times(curve: LearningCurve) -> Any:
    """A few recorded positive times, evenly spread in the logarithm."""
    time = curve.dataset["time"].values
    time = time[(time > 0) & np.isfinite(time)]
    return time[np.unique(np.round(np.linspace(0, time.size - 1, STRIP_TIMES)).astype(int))]


def displays(predicted: LearningCurve, other: LearningCurve | None) -> dict[str, Display]:
    """Every figure of a run by name."""
    curves = {"predicted": predicted} | ({} if other is None else {other.kind: other})
    found: dict[str, Display] = {
        "spectrum": SpectrumDisplay.from_spectrum(predicted.spectrum),
        "variance": VarianceDisplay.from_curve(predicted, measured=other),
        "emergence": EmergenceDisplay.from_curves("geometric", **curves),
        "distance": ClosenessDisplay.from_curves(**curves),
    }
    if shows_images(predicted):
        found["samples"] = SamplesDisplay.from_curve(predicted, strip_times(predicted if other is None else other))
    return found


def write_figures(folder: Path, predicted: LearningCurve, other: LearningCurve | None) -> None:
    """Write figures/*.png and samples/*.png, each atomically."""
    with matplotlib.rc_context({"figure.dpi": 150}):
        for name, display in displays(predicted, other).items():
            figure = Figure(figsize=(9, 1.9) if name == "samples" else (6.4, 4.2), layout="constrained")
            FigureCanvasAgg(figure)
            axes = figure.add_subplot()
            display.plot(axes)
            if other is not None and name in ("variance", "distance"):  # a prediction may reach far beyond a run
                recorded = other.dataset["time"].values
                axes.set_xlim(recorded[recorded > 0][0] / 1.5, 2 * recorded[-1])
            with atomic(folder / "figures" / f"{name}.png") as temporary:
                figure.savefig(temporary, format="png")
    if not shows_images(predicted):
        return
    limits, label = pixel_limits(predicted.spectrum), "" if other is None else other.kind
    for i, time in enumerate(strip_times(predicted if other is None else other)):
        with atomic(folder / "samples" / f"predicted_{i}_step_{time:.0f}.png") as temporary:
            temporary.write_bytes(png(montage(predicted.sample(16, time=float(time), seed=0), limits)))
        if other is None or "particles" not in other.dataset:
            continue
        kept = other.dataset["particles"].sel(time=time).values
        with atomic(folder / "samples" / f"{label}_{i}_step_{time:.0f}.png") as temporary:
            temporary.write_bytes(png(montage(predicted.spectrum.from_modes(kept), limits)))
