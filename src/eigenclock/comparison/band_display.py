"""Modes on their way into their band, measured and expected, under what the loss or the distance shows."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from ..checks import InputError, choice, finite_array
from ..clocks.settling import WITHIN
from ..curve.closeness import relative_distance
from ..curve.displays import Display
from ..curve.learning_curve import LearningCurve
from ..curve.palette import MEASURED, PREDICTED, TARGET, mode_colour, spread_modes
from ..curve.pictures import montage
from .forecast_result import Forecast

AHEAD = 10.0
"""How far ahead the expected rest of a run is drawn, as a factor of the last step."""

Scale: TypeAlias = Literal["log", "linear"]

NAMED = {0: " (coarsest)", -1: " (finest)"}
"""First and last of the modes that are drawn, by falling variance."""

LEAST = 1e-6
"""Modes of a smaller share of the largest variance are not drawn of themselves: single precision knows little of them."""

FUTURES = 100
"""Draws behind an interval."""


@dataclass(frozen=True, eq=False)
class BandDisplay(Display):
    """Generated over reachable variance of chosen modes: lines so far, dashes and shades of what is expected, and the band.

    `ratio`: (time, chosen); `ahead`: steps to come, `low`, `middle`, `high`: (ahead, chosen), empty where nothing is expected.
    `came`: (later, chosen) ratios at the steps `later` that came after the forecast, drawn as dots.
    """

    time: Float[np.ndarray, " time"]
    ratio: Float[np.ndarray, "time chosen"]
    modes: Int[np.ndarray, " chosen"]
    ahead: Float[np.ndarray, " ahead"]
    low: Float[np.ndarray, "ahead chosen"]
    middle: Float[np.ndarray, "ahead chosen"]
    high: Float[np.ndarray, "ahead chosen"]
    later: Float[np.ndarray, " later"]
    came: Float[np.ndarray, "later chosen"]

    @classmethod
    def of(cls, measured: LearningCurve, expected: Forecast, *, modes: Any = None) -> "BandDisplay":
        """The display of a run up to its forecast, of the forecast, and of what was measured after it; about seven modes."""
        target = measured.target.values
        positive = np.flatnonzero((target > LEAST * target.max(initial=0)) & (measured.reachable.values > 0))
        chosen = positive[spread_modes(positive.size, 7)] if modes is None else np.atleast_1d(np.asarray(modes))
        goal, time = measured.reachable.values[chosen], measured.time.values
        ratio, so_far = measured.variance.values[:, chosen] / goal, time <= expected.made_at
        nothing = np.empty((0, chosen.size))
        ahead, low, middle, high = np.empty(0), nothing, nothing, nothing
        if expected.weights:
            until = max(AHEAD * expected.made_at, time[-1])
            draws = expected.draws(FUTURES).sel(time=slice(None, until))
            tail = (1 - expected.coverage) / 2
            quantiles = np.quantile(draws.values[:, :, chosen] / goal, (tail, 0.5, 1 - tail), axis=0)
            last = int(so_far.sum()) - 1  # the forecast begins where the last record is
            low, middle, high = (np.concatenate([ratio[last : last + 1], one]) for one in quantiles)
            ahead = np.concatenate([time[last : last + 1], draws["time"].values])
        return cls(time[so_far], ratio[so_far], chosen, ahead, low, middle, high, time[~so_far], ratio[~so_far])

    def draw(self, ax: Axes) -> None:
        time = drawn_at(self.time)
        ax.axhspan(1 / WITHIN, WITHIN, color=TARGET, alpha=0.18, lw=0, label=f"band, within ×{WITHIN:g}")
        for i, mode in enumerate(self.modes):
            colour = mode_colour(i / max(1, self.modes.size - 1))
            name = f"mode {mode + 1}{NAMED.get(i - self.modes.size * (i > 0), '')}"
            ax.loglog(time, self.ratio[:, i], ".-", color=colour, lw=1.9, ms=5, label=name)
            ax.fill_between(self.ahead, self.low[:, i], self.high[:, i], color=colour, alpha=0.13, lw=0)
            ax.loglog(self.ahead, self.middle[:, i], color=colour, lw=1.4, ls=(0, (4, 2)))
            ax.loglog(self.later, self.came[:, i], ".", color=colour, ms=4)
        ax.set(xlabel="training step", ylabel="generated variance ÷\nwhat the sampler can reach")
        ax.yaxis.set_major_formatter(FuncFormatter(_factor))
        ax.yaxis.set_minor_formatter(NullFormatter())


def drawn_at(time: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """Steps on a logarithmic axis: the untrained model, step 0, half way before the first one."""
    positive = time[time > 0]
    return np.where(time > 0, time, positive.min() / 2 if positive.size else 0.5)


def _factor(value: float, _: Any) -> str:
    return f"×{value:g}" if value >= 1e-3 else f"×{value:.0e}"


def figure_of(
    measured: LearningCurve, expected: Forecast, *, loss: Any = None, pictures: Any = None, scale: Scale = "log"
) -> Figure:
    """The whole figure: the loss, (steps, values), or W₂ over the data's norm above; the band below; pictures beside it.

    `scale`: of the axis of steps. "linear" shows a loss as trackers do, flat long before the last modes come.
    """
    choice("scale", scale, get_args(Scale))
    columns = 1 if pictures is None else 2
    figure = Figure(figsize=(7.2, 5.2) if columns == 1 else (9.2, 5.2), layout="constrained")
    whole = figure.add_gridspec(2, columns, height_ratios=(1, 2.1), width_ratios=(3.1, 1)[:columns])
    below = figure.add_subplot(whole[1, 0])
    above = figure.add_subplot(whole[0, 0], sharex=below)
    display = BandDisplay.of(measured, expected)
    display.plot(below)
    _above(above, measured, loss)
    if scale == "linear":
        below.set_xscale("linear")
        below.set_xlim(0, float(max(display.ahead.max(initial=0), measured.time.values[-1])))
    now = (
        expected.made_at
        if scale == "linear"
        else float(drawn_at(np.append(measured.time.values, expected.made_at))[-1])
    )
    for ax in (above, below):
        ax.axvline(now, color=TARGET, lw=0.9, ls=":")
    if display.ahead.size:
        below.annotate(
            "expected",
            (now, 1),
            xytext=(4, -4),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            va="top",
            fontsize=9,
            color=TARGET,
        )
    above.tick_params(labelbottom=False)
    above.set_title(
        str(expected).split("; details")[0].replace("; ", "\n", 1), fontsize=9.5, loc="left", color="#222222"
    )
    below.legend(frameon=False, fontsize=8, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.2))
    if pictures is not None:
        beside = figure.add_subplot(whole[:, 1])
        low, high = float(np.min(pictures)), float(np.max(pictures))
        beside.imshow(montage(np.asarray(pictures, dtype=np.float64)[:16], (low, max(high, low + 1e-12))))
        beside.set_title(f"samples at step {measured.time.values[-1]:,.0f}", fontsize=9.5)
        beside.axis("off")
    return figure


def _above(ax: Axes, measured: LearningCurve, loss: Any) -> None:
    if loss is None:
        time, distance = measured.time.values, relative_distance(measured.wasserstein().values, measured.total_variance)
        ax.loglog(drawn_at(time), distance, ".-", color=MEASURED, lw=1.9, ms=5)
        ax.set_ylabel("W₂ ÷ the\ndata's norm")
        return
    steps, values = (finite_array("loss", one, "(steps, values), two arrays of numbers") for one in loss)
    if steps.ndim != 1 or steps.shape != values.shape:
        raise InputError(f"loss must be (steps, values) of one length, got shapes {steps.shape} and {values.shape}")
    ax.semilogx(steps[steps > 0], values[steps > 0], color=PREDICTED, lw=1.9)
    ax.set(ylabel="training loss", ylim=(0, None))
