"""Studies: questions put to trained networks, each with presets, controls and a table of claim against measurement."""

from .study import PRESETS, STUDIES, Preset, Study, StudyResult, run_study

__all__ = ["PRESETS", "STUDIES", "Preset", "Study", "StudyResult", "run_study"]
