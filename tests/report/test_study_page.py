"""The page of a study: four columns, and parts without claims that still show what they drew."""

import json

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from eigenclock.report.study_page import COLUMNS, write_study_page

MANIFEST = {
    "finished": "now",
    "seconds": {},
    "versions": {},
    "machine": {"system": "here", "cores": 2},
    "git_revision": None,
}


def page(folder, claims):
    for part in claims:
        (folder / f"{part}_run.json").write_text(json.dumps({"command": "again", "shown": []}))
        figure = Figure()
        FigureCanvasAgg(figure)
        figure.savefig(folder / f"{part}_picture.png")
    write_study_page(folder, "A study", "", "tiny", claims, MANIFEST)
    return (folder / "report.html").read_text()


def test_four_columns(tmp_path):
    row = dict(zip(COLUMNS, ("a claim", "α = 1.08", "α = 1.05", "[0.9, 1.2]", "none <b>", "shown"), strict=True))
    bare = row | {"paper": "–", "interval": "–"}
    ours = row | {"paper": "not in the paper"}
    text = page(tmp_path, {"first": pd.DataFrame([row, bare, ours])})
    assert [f'<th scope="col">{name}</th>' in text for name in ("claim", "here", "control", "verdict")] == [True] * 4
    assert '<th scope="col">paper</th>' not in text
    assert text.count('<span class="more">paper: α = 1.08</span>') == 1
    assert text.count('<span class="more">not in the paper</span>') == 1
    assert text.count('<span class="more">[0.9, 1.2]</span>') == 2
    assert "none &lt;b&gt;" in text, "escaped"


def test_a_part_without_claims_is_not_one_that_never_ran(tmp_path):
    text = page(tmp_path, {"quiet": pd.DataFrame(columns=list(COLUMNS)), "absent": None})
    assert text.count("No claims at this preset.") == 1
    assert text.count("Not run in this folder at this preset.") == 1
    assert text.count('alt="quiet: picture"') == 1
    assert 'alt="absent: picture"' not in text
