"""Studies: questions put to trained networks, each with presets, controls and a table of claim against measurement."""

from .study import PRESETS, Preset, Study, StudyResult, run_study

__all__ = ["PRESETS", "Preset", "Study", "StudyResult", "run_study"]
