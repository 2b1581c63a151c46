"""The HTML page of an advice: what to train by, how sure, and in the words of other trainers; one self-contained file."""

from collections.abc import Iterable, Mapping
from typing import Any

import jinja2
import numpy as np
import plotly.graph_objects as go

from ..advice.closing import drawn_density
from ..advice.groups import grouped
from ..advice.result import ALIKE, Advice, number
from ..curve.palette import MEASURED, PREDICTED
from .interactive import log_figure
from .packed import charts_of, packed, packed_plotly

ROWS, MORE = 12, 60
"""Rows of the table that the page shows at once, and when it is opened."""

LINES = 12
"""Recipes of the chart of the ranking."""


def advice_page(advice: Advice, *, data: str, configs: Mapping[str, str], command: str) -> str:
    """The page as a string.

    `data`: what to call them; `configs`: recipes as files have them.
    """
    figures = {"path": _paths(advice), "ranking": _ranking(advice), "noise": _noise(advice)}
    columns, rows = _table(advice, sorted({*range(min(ROWS, len(advice.table))), advice.default}))
    _, more = _table(advice, range(ROWS, min(MORE, len(advice.table))))
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("eigenclock.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("advice.html.j2").render(
        data=data,
        sentences=[sentence.rstrip(".").replace("`", "") for sentence in advice.sentences()],
        cards=_cards(advice),
        calibrated=bool(advice.calibrated),
        alike=ALIKE,
        figures={name: f'<div id="figure-{name}" class="chart"></div>' for name in figures},
        columns=columns,
        rows=rows,
        more=more,
        total=len(advice.table),
        settings=advice.settings,
        configs=dict(configs),
        command=command,
        plotly=packed_plotly(),
        charts=packed(charts_of(figures)),
    )


def _cards(advice: Advice) -> list[dict[str, str]]:
    """What the advice comes to, in four numbers."""
    column, best, default = (
        f"close_{advice.by:g}",
        advice.table.iloc[advice.first_plain],
        advice.table.iloc[advice.default],
    )
    sampling = advice.sampling
    ratio = default[column] / best[column] if best[column] > 0 else float("nan")
    plain = [not one.spectral for one in advice.candidates]
    alike = int((advice.table[column][plain] <= ALIKE * best[column]).sum())
    return [
        {
            "value": f"{ratio:.2g}×" if np.isfinite(ratio) else "–",
            "words": f"as long do EDM's own settings take to come within {advice.by:g} of the data's norm, by prediction",
        },
        {
            "value": f"{alike}",
            "words": f"of {sum(plain)} recipes without the data's spectrum take at most {ALIKE:g} times the best one's training",
        },
        {
            "value": f"{sampling.sigma_min:.2g} … {sampling.sigma_max:.3g}",
            "words": "noise levels between which sampling must work",
        },
        {
            "value": "–" if sampling.steps is None else f"{sampling.steps}",
            "words": f"steps of {type(advice.sampler).__name__} between them leave it 2 % of the data's norm or less",
        },
    ]


def _table(advice: Advice, chosen: Iterable[int]) -> tuple[list[str], list[list[str]]]:
    """Rows of the table as text, under their names."""
    fractions = [f"{one:g}" for one in advice.fractions]
    steps = [one for one in fractions if f"steps_{one}" in advice.table]
    columns = ["recipe", *(f"within {one}" for one in fractions), *(f"steps to {one}" for one in steps), "verdict"]
    noted = advice.table["note"].iloc[:ROWS].ne("").any()
    rows = []
    for i in chosen:
        row = advice.table.iloc[i]
        cells = [row["recipe"], *(number(row[f"close_{one}"]) for one in fractions)]
        cells += [_interval(row, one) for one in steps]
        rows.append([*cells, row["verdict"], *([row["note"]] if noted else [])])
    return ([*columns, "why"] if noted else columns), rows


def _interval(row: Any, fraction: str) -> str:
    step, low, high = (row[f"{name}_{fraction}"] for name in ("steps", "steps_low", "steps_high"))
    return f"{number(step)} ({number(low)} to {number(high)})" if step > 0 else number(step, "not forecast")


def _paths(advice: Advice) -> go.Figure:
    """Distance over training: the best plain recipe, EDM's own settings, the spectrum in the network, each objective's best."""
    figure = log_figure("units of training", "W₂, share of the data’s norm")
    objectives = advice.table["objective"].tolist()
    firsts = {name: objectives.index(name) for name in dict.fromkeys(objectives)}
    chosen = dict.fromkeys([advice.first_plain, advice.default, *firsts.values()])
    unit = advice.distance["unit"].values
    colours = ["#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#666666", "#F0E442"]
    for k, row in enumerate(chosen):
        values = advice.distance.values[row]
        colour = PREDICTED if k == 0 else MEASURED if row == advice.default else colours[k % len(colours)]
        figure.add_scatter(
            x=unit[1:],
            y=values[1:],
            name=advice.candidates[row].name,
            line={"color": colour, "width": 3.5 if k == 0 else 2, "dash": "solid" if k < 2 else "dot"},
        )
    for fraction in advice.fractions:
        figure.add_hline(y=fraction, line={"color": "#bbb", "width": 1})
    known = advice.table[[f"close_{one:g}" for one in advice.fractions]].iloc[list(chosen)].to_numpy()
    far = 30 * np.nanmax(np.where(known > 0, known, np.nan), initial=1.0)
    figure.update_xaxes(range=[-2.0, float(np.log10(min(far, 1e6)))])
    figure.update_yaxes(range=[-2.0, 1.5])
    return figure


def _ranking(advice: Advice) -> go.Figure:
    """Units of training of the best recipes that are not there from the start, on data as they are, and of EDM's own settings."""
    times, alone = advice.table[f"close_{advice.by:g}"], advice.candidates[advice.default].standardization
    rows = [i for i, one in enumerate(advice.candidates) if times[i] > 0 and one.standardization == alone][:LINES]
    rows = rows if advice.default in rows or not times[advice.default] > 0 else [*rows, advice.default]
    places = list(range(len(rows)))[::-1]
    figure = log_figure("units of training", "")
    for k, fraction in enumerate(advice.fractions):
        figure.add_scatter(
            x=[advice.table[f"close_{fraction:g}"][i] for i in rows],
            y=places,
            mode="markers",
            name=f"within {fraction:g} of the data's norm",
            marker={"size": 11, "color": ("#56B4E9", PREDICTED, "#D55E00", "#009E73")[k % 4]},
        )
    for row, place in zip(rows, places, strict=True):
        figure.add_annotation(
            text=f"{row + 1}. {advice.candidates[row].name}",
            x=0,
            y=place,
            xref="paper",
            yshift=14,
            xanchor="left",
            showarrow=False,
            font={"size": 11},
        )
    figure.update_yaxes(type="linear", title="", showticklabels=False, range=[-0.6, len(rows) - 0.2])
    figure.update_layout(height=90 + 40 * len(rows))
    return figure


def _noise(advice: Advice) -> go.Figure:
    """Densities of training noise levels beside what the data need."""
    figure = log_figure("noise level σ", "density in ln σ")
    low, high = advice.sampling.sigma_min, advice.sampling.sigma_max
    sigma = np.geomspace(min(low, 1e-3) / 2, max(high, 100.0) * 2, 400)
    shown = {advice.first_plain: PREDICTED, advice.default: MEASURED}
    for row, colour in shown.items():
        one = advice.candidates[row]
        figure.add_scatter(
            x=sigma, y=drawn_density(one.objective, sigma), name=one.name, line={"color": colour, "width": 3}
        )
    for level in (low, high):
        figure.add_vline(x=level, line={"color": "#666", "dash": "dash", "width": 1.5})
    standardization = advice.candidates[advice.first_plain].standardization
    deviations = np.sqrt(grouped(advice.spectrum, standardization).variance)
    seen = deviations[deviations > sigma[0]]
    figure.add_scatter(
        x=seen,
        y=np.zeros(seen.size),
        mode="markers",
        name="modes of the data",
        marker={"symbol": "line-ns-open", "size": 10, "color": "#333"},
    )
    figure.update_yaxes(type="linear", rangemode="tozero")
    return figure
