"""Rules against copies: when does a generative model learn a rule, when does it copy, what lies between."""

from collections.abc import Mapping
from typing import ClassVar

from ..study import Plan, Study
from . import authors_runs, cases, part_authors, part_exact, part_window
from .cases import Case as Case, Options as Options
from .clocks import Runs as Runs, View as View
from .measurement import measure as measure


class InnovationWindow(Study):
    """Two clocks on exactly checkable rules (arXiv:2605.10019)."""

    name = "innovation_window"
    title = "Rules against copies: the innovation window"
    status = (
        "A reconstruction from the abstract of arXiv:2605.10019, whose text is not known here, with the definitions, settings "
        "and tables that its authors' public repository states. Where a part says their definitions, theirs stand beside ours; "
        "sizes, other thresholds and controls are ours."
    )
    plans: ClassVar[Mapping[str, Plan]] = {
        "exact": Plan(part_exact.PRESETS, part_exact.run, "What the closed forms say"),
        "authors": Plan(authors_runs.PRESETS, part_authors.run, "Two clocks under the authors' definitions"),
        "window": Plan(cases.PRESETS, part_window.run, "The window under stricter definitions"),
    }


STUDY = InnovationWindow
