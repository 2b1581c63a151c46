"""The report's Plotly figures."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from ..clocks.emergence import Direction
from ..comparison.compare import Comparison
from ..curve.closeness import CLOSE, relative_distance
from ..curve.learning_curve import LearningCurve
from ..curve.palette import GRAY_ZONE, MEASURED, PREDICTED, mode_colour, spread_modes
from ..spectrum.spectrum import Spectrum

STEPS = "training time (steps)"
VARIANCE = "variance (data units²)"


def log_figure(x: str, y: str) -> go.Figure:
    """An empty chart with logarithmic axes."""
    figure = go.Figure()
    figure.update_layout(
        template="plotly_white",
        height=430,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        font={"size": 13, "color": "#222"},
        legend={"orientation": "h", "yanchor": "top", "y": -0.2, "x": 0, "font": {"size": 12}},
        hovermode="closest",
    )
    axis = {"type": "log", "exponentformat": "power", "showline": True, "linecolor": "#888", "automargin": True}
    figure.update_xaxes(title=x, **axis)
    figure.update_yaxes(title=y, **axis)
    return figure


def spectrum_figure(spectrum: Spectrum) -> go.Figure:
    """Variance against rank, training and held-out."""
    figure = log_figure("mode, by falling variance", VARIANCE)
    rank, positive = np.arange(1, spectrum.n_modes + 1), spectrum.variance > 0
    figure.add_scatter(
        x=rank[positive], y=spectrum.variance[positive], name="training samples", line={"color": PREDICTED, "width": 3}
    )
    if spectrum.test_variance is not None:
        held_out = spectrum.test_variance > spectrum.variance[positive].min() / 10
        figure.add_scatter(
            x=rank[held_out],
            y=spectrum.test_variance[held_out],
            name="held-out samples",
            mode="markers",
            marker={"color": MEASURED, "size": 4},
        )
    return figure


def variance_figure(predicted: LearningCurve, other: LearningCurve | None) -> go.Figure:
    """Generated variance of about eight modes over time; circles mark emergence, dots the simulation or measurement."""
    figure = log_figure(STEPS, "generated " + VARIANCE)
    chosen, clock = spread_modes(predicted.target.size), predicted.emergence()
    time = predicted.dataset["time"].values
    shown = (time > 0) & np.isfinite(time) & within(time, other)
    for i, mode in enumerate(chosen):
        colour, name = mode_colour(i / max(1, chosen.size - 1)), f"mode {mode + 1}"
        group: dict[str, Any] = {
            "legendgroup": name,
            "hovertemplate": f"{name}<br>step %{{x:.4g}}<br>variance %{{y:.3g}}<extra></extra>",
        }
        figure.add_scatter(
            x=time[shown],
            y=predicted.variance.values[shown, mode],
            name=name,
            line={"color": colour, "width": 2.5},
            **group,
        )
        target = clock.target[mode]
        if target > 0:
            figure.add_scatter(
                x=time[shown][[0, -1]],
                y=[target, target],
                showlegend=False,
                mode="lines",
                line={"color": colour, "width": 1, "dash": "dot"},
                legendgroup=name,
                hoverinfo="skip",
            )
        if not clock.censored[mode] and within(clock.time[mode : mode + 1], other)[0] and clock.time[mode] > 0:
            figure.add_scatter(
                x=[clock.time[mode]],
                y=[clock.level[mode]],
                showlegend=False,
                mode="markers",
                marker={"size": 11, "color": "white", "line": {"color": colour, "width": 2.5}},
                **group,
            )
        if other is not None:
            at = other.dataset["time"].values
            figure.add_scatter(
                x=at[at > 0],
                y=other.variance.values[at > 0, mode],
                showlegend=False,
                mode="markers",
                marker={"size": 5, "color": colour},
                **group,
            )
    return figure


def emergence_figure(comparison: Comparison | None, predicted: LearningCurve, other: LearningCurve | None) -> go.Figure:
    """Emergence time against variance, with fitted laws."""
    figure = log_figure("variance in the data (data units²)", "emergence time (steps)")
    tables = {"predicted": (predicted.emergence(), PREDICTED)}
    if comparison is not None and other is not None:
        tables[other.kind] = (comparison.measured, MEASURED)
    directions: tuple[Direction, Direction] = ("rising", "falling")
    for name, (table, colour) in tables.items():
        gray = table.gray_zone & ~table.censored & (table.target > 0) & (np.nan_to_num(table.time) > 0)
        figure.add_scatter(
            x=table.target[gray],
            y=table.time[gray],
            mode="markers",
            name="gray zone",
            legendgroup="gray zone",
            showlegend=name == "predicted",
            marker={"color": GRAY_ZONE, "size": 5},
            customdata=table.mode[gray] + 1,
            hovertemplate="mode %{customdata}, gray zone<extra></extra>",
        )
        for direction in directions:
            use, law = table.select(direction), table.power_law(direction)
            if not use.any():
                continue
            label = f"{name}, {direction}"
            figure.add_scatter(
                x=table.target[use],
                y=table.time[use],
                mode="markers",
                name=label,
                customdata=table.mode[use] + 1,
                marker={
                    "color": colour,
                    "size": 10 if name == "predicted" else 5,
                    "symbol": f"triangle-{'up' if direction == 'rising' else 'down'}{'-open' if name == 'predicted' else ''}",
                },
                hovertemplate="mode %{customdata}<br>variance %{x:.3g}<br>step %{y:.4g}<extra>" + label + "</extra>",
            )
            if np.isfinite(law.exponent):
                ends = np.array([table.target[use].min(), table.target[use].max()])
                figure.add_scatter(
                    x=ends,
                    y=law.time(ends),
                    mode="lines",
                    line={"color": colour, "width": 1.5},
                    showlegend=False,
                    hoverinfo="skip",
                )
    return figure


def within(time: Any, other: LearningCurve | None) -> Any:
    """Times in the range of `other`'s records, and a factor of two beyond: a prediction may reach much further."""
    if other is None:
        return np.ones(time.shape, dtype=bool)
    recorded, known = other.dataset["time"].values, np.nan_to_num(time)
    return (known >= recorded[recorded > 0][0] / 2) & (known <= 2 * recorded[-1])


def loss_figure(predicted: LearningCurve, other: LearningCurve | None) -> go.Figure:
    """Loss at each kept noise level, summed over modes."""
    figure = log_figure(STEPS, "loss per sample, sum over modes")
    levels = predicted.dataset["sigma"].values
    for i, level in enumerate(levels):
        colour, name = mode_colour(i / max(1, len(levels) - 1)), f"σ = {level:.3g}"
        for curve in (predicted, other):
            if curve is None:
                continue
            time, total = curve.dataset["time"].values, curve.loss.sum("mode").values[:, i]
            shown = (time > 0) & np.isfinite(time)
            theory = curve is predicted
            figure.add_scatter(
                x=time[shown],
                y=total[shown],
                name=name,
                legendgroup=name,
                showlegend=theory,
                mode="lines" if theory else "markers",
                line={"color": colour, "width": 2.5},
                marker={"color": colour, "size": 5},
            )
    return figure


def training_loss_figure(losses: list[dict[str, Any]]) -> go.Figure:
    """The loss of a real network, mean of ten steps."""
    figure = log_figure(STEPS, "training loss per sample")
    known = [record for record in losses if record.get("loss") is not None]
    figure.add_scatter(
        x=[record["step"] for record in known],
        y=[record["loss"] for record in known],
        name="training loss",
        line={"color": MEASURED, "width": 1.5},
    )
    return figure


def gain_figure(measured: LearningCurve) -> go.Figure:
    """Measured gain of three modes before, half-way through (in the logarithm) and after training; dashed: the optimum."""
    figure = log_figure("noise level σ (data units)", "gain ψ of the denoiser")
    figure.update_yaxes(type="linear", range=[-0.05, 1.1])
    time, sigma = measured.dataset["time"].values, measured.dataset["sigma"].values
    moments = [0, int(np.searchsorted(time, np.sqrt(time[-1]))), len(time) - 1]
    fine = np.geomspace(sigma.min(), sigma.max(), 100)
    for i, mode in enumerate(spread_modes(measured.target.size, 3)):
        colour, target = mode_colour(i / 2.5), measured.target.values[mode]
        figure.add_scatter(
            x=fine,
            y=target / (target + fine**2),
            name=f"mode {mode + 1}, optimum",
            line={"color": colour, "width": 1.5, "dash": "dash"},
        )
        for moment, symbol in zip(moments, ("circle-open", "triangle-up", "circle"), strict=True):
            figure.add_scatter(
                x=sigma,
                y=measured.gain.values[moment, mode],
                name=f"mode {mode + 1}, step {time[moment]:,.0f}",
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 7},
            )
    return figure


def distance_figure(predicted: LearningCurve, other: LearningCurve | None) -> go.Figure:
    """W₂ as a share of the data's norm over training, with a half, a quarter and a tenth."""
    figure = log_figure(STEPS, "W₂ from the data / norm of the data")
    label = "measured" if other is None else other.kind
    for name, curve, colour in (("predicted", predicted, PREDICTED), (label, other, MEASURED)):
        if curve is None:
            continue
        time, value = curve.dataset["time"].values, relative_distance(curve.wasserstein().values, curve.total_variance)
        shown = (time > 0) & np.isfinite(time) & np.isfinite(value) & within(time, other)
        mode = "lines" if curve is predicted else "markers"
        figure.add_scatter(
            x=time[shown],
            y=value[shown],
            name=name,
            mode=mode,
            line={"color": colour, "width": 3},
            marker={"color": colour},
        )
    for level in CLOSE:
        figure.add_hline(y=level, line={"color": GRAY_ZONE, "width": 1, "dash": "dot"})
    return figure
