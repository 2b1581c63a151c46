"""Studies: questions put to trained networks, each with presets, controls and a table of claim against measurement."""

from .claims import Claim, Measure, Verdict, bounded, exact, factor, mean, ratio, share, unlike
from .study import PRESETS, Part, Plan, Preset, Say, Study, StudyResult, run_study

__all__ = [
    "PRESETS", "Claim", "Measure", "Part", "Plan", "Preset", "Say", "Study", "StudyResult", "Verdict", "bounded",
    "exact", "factor", "mean", "ratio", "run_study", "share", "unlike",
]  # fmt: skip
