"""Studies: questions put to trained networks, each with presets, controls and a table of claim against measurement."""

from .study import PRESETS, Part, Preset, Say, Study, StudyResult, run_study

__all__ = ["PRESETS", "Part", "Preset", "Say", "Study", "StudyResult", "run_study"]
