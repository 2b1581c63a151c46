"""`eigenclock choose`: which recipe for the data, before anything is trained."""

from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from ..advice.result import Advice, number
from ..jobs.choose_job import RECIPE, ChooseConfig, choose_and_report
from ..jobs.run_folder import REPORT
from ..training.network_options import need_torch
from .call import Call
from .progress import stage

WIDE, RECIPE_WIDTH = 110, 44
"""Columns of a terminal from which all distances are shown, and of the recipes' names."""

ROWS = 12
"""Recipes of the table; `out` has all of them."""


def command(config: ChooseConfig, call: Call) -> None:
    """Say which recipe, what does not matter, and how to sample; write the page, if asked for."""
    if config.calibrate is not None:
        need_torch()
    advice = choose_and_report(config, call.yaml, call.command, stage)
    print(advice)
    Console().print(_table(advice))
    if config.out is not None:
        folder = Path(config.out).resolve()
        print(f"page: {folder / REPORT}")
        print(
            f"the best recipe as a config: eigenclock run --config {folder / RECIPE} --data {config.data} --out FOLDER"
        )


def _table(advice: Advice) -> Table:
    """The first recipes, and EDM's own settings."""
    wide = Console().width >= WIDE
    fractions = [f"{one:g}" for one in (advice.fractions if wide else [advice.by])]
    calibrated = f"steps_{advice.by:g}" in advice.table
    named = Column("recipe", min_width=RECIPE_WIDTH)
    table = Table("", named, *(f"within {one}" for one in fractions), *(["steps"] if calibrated else []), "verdict")
    for i in sorted({*range(min(ROWS, len(advice.table))), advice.default}):
        row = advice.table.iloc[i]
        cells = [str(i + 1), row["recipe"], *(number(row[f"close_{one}"]) for one in fractions)]
        steps = [number(row[f"steps_{advice.by:g}"])] if calibrated else []
        table.add_row(*cells, *steps, row["verdict"])
    return table
