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


def page(folder, claims, headings=None):
    for part in claims:
        (folder / f"{part}_run.json").write_text(json.dumps({"command": "again", "shown": []}))
        figure = Figure()
        FigureCanvasAgg(figure)
        figure.savefig(folder / f"{part}_picture.png")
    write_study_page(folder, "A study", "", "tiny", claims, MANIFEST, headings or {})
    return (folder / "report.html").read_text()


def test_four_columns(tmp_path):
    row = dict(zip(COLUMNS, ("a claim", "α 1.05 [0.9, 1.2]", "none <b>", "in part (not β)"), strict=True))
    (tmp_path / "first_numbers.csv").write_text("claim,value\na claim,1.05\n")
    text = page(tmp_path, {"first": pd.DataFrame([row, row | {"verdict": "shown"}])}, {"first": "The first part"})
    heads = ("claim", "here, with 95 % intervals", "control", "verdict")
    assert [f'<th scope="col">{name}</th>' in text for name in heads] == [True] * 4
    assert '<h2 id="first">The first part</h2>' in text
    assert 'class="verdict in-part">in part<span class="more">not β</span>' in text
    assert "1 in part, 1 shown" in text
    assert "none &lt;b&gt;" in text, "escaped"
    assert "The numbers behind the verdicts, and where each must lie (1 rows)" in text, "folded"


def test_a_part_without_claims_is_not_one_that_never_ran(tmp_path):
    text = page(tmp_path, {"quiet": pd.DataFrame(columns=list(COLUMNS)), "absent": None})
    assert text.count("No claims at this preset.") == 1
    assert text.count("Not run in this folder at this preset.") == 1
    assert text.count('alt="quiet: picture"') == 1
    assert 'alt="absent: picture"' not in text
