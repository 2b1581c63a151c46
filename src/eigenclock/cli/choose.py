"""`eigenclock choose`: which recipe for the data, before anything is trained."""

from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from ..advice.result import Advice, number
from ..jobs.choose_job import RECIPE, ChooseConfig, choose_and_report, recipes_of
from ..jobs.run_folder import REPORT
from ..training.network_options import need_torch
from .call import Call
from .progress import stage

WIDE, RECIPE_WIDTH = 110, 36
"""Columns of a terminal from which all distances are shown, and of the recipes' names."""

NOT_KNOWN = "not forecast"
"""Of steps beyond a forecast."""

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
        data = "YOURS" if config.data.lower().endswith(".nc") else config.data
        for file in recipes_of(advice):
            words = (
                "without the data's spectrum" if file == RECIPE and len(recipes_of(advice)) > 1 else "the best recipe"
            )
            words = "with it" if file != RECIPE else words
            print(f"{words}: eigenclock run --config {folder / file} --data {data} --out FOLDER")


def _table(advice: Advice) -> Table:
    """The first recipes, and EDM's own settings."""
    wide = Console().width >= WIDE
    fractions = [f"{one:g}" for one in (advice.fractions if wide else [advice.by])]
    calibrated = f"steps_{advice.by:g}" in advice.table
    named = Column("recipe", min_width=RECIPE_WIDTH)
    verdict = Column("verdict", no_wrap=True)
    table = Table("", named, *(f"within {one}" for one in fractions), *(["steps"] if calibrated else []), verdict)
    for i in sorted({*range(min(ROWS, len(advice.table))), advice.default}):
        row = advice.table.iloc[i]
        cells = [str(i + 1), row["recipe"], *(number(row[f"close_{one}"]) for one in fractions)]
        steps = [number(row[f"steps_{advice.by:g}"], NOT_KNOWN)] if calibrated else []
        table.add_row(*cells, *steps, row["verdict"])
    return table
