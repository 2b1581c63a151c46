"""Clocks: when an observable first passes its target, mode by mode or as a whole, and what seeds leave open."""

from .emergence import (
    Emergence as Emergence,
    PowerLaw as PowerLaw,
    first_passage as first_passage,
    threshold_level as threshold_level,
)
from .passage import Clock as Clock, Passages as Passages
from .replicates import Estimate as Estimate, LogRatio as LogRatio
