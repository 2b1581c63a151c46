"""Clocks: when an observable first passes its target, mode by mode or as a whole, and what seeds leave open."""

from .emergence import Emergence, PowerLaw, first_passage, threshold_level
from .passage import Clock, Passages
from .replicates import Estimate, LogRatio

__all__ = ["Clock", "Emergence", "Estimate", "LogRatio", "Passages", "PowerLaw", "first_passage", "threshold_level"]
