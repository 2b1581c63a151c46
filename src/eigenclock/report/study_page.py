"""The HTML page of a study: a section per part, with its claims, figures and notes; one self-contained file."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from ..files import write_text
from .images import data_uri

COLUMNS = ("claim", "paper", "here", "interval", "control", "verdict")


def write_study_page(
    folder: Path,
    title: str,
    status: str,
    preset: str,
    claims: Mapping[str, pd.DataFrame | None],
    manifest: Mapping[str, Any],
) -> None:
    """Write `folder`/report.html from the claims of each part and the figures and notes that lie in the folder."""
    parts: list[dict[str, Any]] = [
        {
            "name": name,
            "claims": None if table is None else table.to_dict("records"),
            "figures": [
                {"name": file.stem, "uri": data_uri(file.read_bytes())} for file in sorted(folder.glob(f"{name}_*.png"))
            ],
            "notes": _lines(folder / f"{name}_notes.txt"),
        }
        for name, table in claims.items()
    ]
    known = [row["verdict"] for part in parts for row in part["claims"] or []]
    counts = "; ".join(f"{count} × {verdict}" for verdict, count in Counter(known).most_common())
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("eigenclock.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.get_template("study.html.j2").render(
        title=title, status=status, preset=preset, parts=parts, columns=COLUMNS, verdicts=counts, manifest=manifest
    )
    write_text(folder / "report.html", page)


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []
