"""The HTML page of a study: a section per part, with its claims, figures and notes; one self-contained file."""

import json
import types
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from PIL import Image

from ..files import write_text
from .slides import webp, webp_uri

RUN = "_run.json"
"""What follows a part's name in the file that says how it was run."""

PIXELS_PER_INCH = 150
"""Resolution of a study's figures."""

CSS_PIXELS_PER_INCH = 110

COLUMNS = ("claim", "here", "control", "verdict")
"""Of a table of claims."""

NUMBERS = "numbers"
"""Name of the table of the numbers behind the claims."""

TITLES = {NUMBERS: "the numbers behind the verdicts, and where each must lie"}


def write_study_page(
    folder: Path,
    title: str,
    status: str,
    preset: str,
    claims: Mapping[str, pd.DataFrame | None],
    manifest: Mapping[str, Any],
    headings: Mapping[str, str] = types.MappingProxyType({}),
) -> None:
    """Write `folder`/report.html from the claims of each part, its heading, and the figures and notes that lie in the folder."""
    parts: list[dict[str, Any]] = [
        {
            "name": name,
            "title": headings.get(name) or name.replace("_", " ").capitalize(),
            "claims": None if table is None else [_claim(row) for row in table.to_dict("records")],
            "figures": [_figure(file, name) for file in sorted(folder.glob(f"{name}_*.png"))],
            "notes": _lines(folder / f"{name}_notes.txt"),
            **_run(folder, name, table is not None),
        }
        for name, table in claims.items()
    ]
    known = [row["outcome"] for part in parts for row in part["claims"] or []]
    counts = ", ".join(f"{count} {outcome}" for outcome, count in Counter(known).most_common())
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("eigenclock.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template("study.html.j2").render(
        title=title,
        status=status,
        preset=preset,
        parts=parts,
        verdicts=counts,
        manifest=manifest,
        commands=list(dict.fromkeys(part["command"] for part in parts if part["command"])),
    )
    write_text(folder / "report.html", page)


def _claim(row: Mapping[Any, Any]) -> dict[str, str]:
    """A claim, with the one of five words that its verdict starts with, and the reason apart."""
    outcome, _, reason = str(row["verdict"]).partition(" (")
    return {**row, "outcome": outcome, "reason": reason.removesuffix(")")}


def _figure(file: Path, part: str) -> dict[str, Any]:
    """A figure at the size it was drawn for: its text as large as the page's."""
    content = file.read_bytes()
    pixels = int.from_bytes(content[16:20], "big")  # the width in a PNG's header
    title = file.stem.removeprefix(f"{part}_").replace("_", " ")
    small = webp(np.asarray(Image.open(file).convert("RGB")), None)
    return {"title": title, "uri": webp_uri(small), "width": round(pixels / PIXELS_PER_INCH * CSS_PIXELS_PER_INCH)}


def _run(folder: Path, name: str, here: bool) -> dict[str, Any]:
    """How a part was run, and the tables that it shows."""
    if not here:
        return {"command": "", "tables": []}
    kept = json.loads((folder / f"{name}{RUN}").read_text(encoding="utf-8"))
    tables = [
        (TITLES.get(shown, shown.replace("_", " ")), pd.read_csv(file, dtype=str, keep_default_na=False))
        for shown in (NUMBERS, *kept["shown"])
        if (file := folder / f"{name}_{shown}.csv").exists() and file.stat().st_size > 1
    ]
    tables = [(title, one) for title, one in tables if len(one)]
    return {
        "command": kept["command"],
        "tables": [{"title": t, "columns": list(one.columns), "rows": one.values.tolist()} for t, one in tables],
    }


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []
