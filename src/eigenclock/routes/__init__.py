"""From a recipe to generated variance: mode by mode, frequency by frequency for local convolutions, or by whole matrices."""

from ..architectures import Architecture, LocalConv, MatrixArchitecture
from .frequencies import along_frequencies
from .matrices import along_matrices
from .modes import along_modes
from .solution import Solution, Solver

__all__ = ["Solution", "Solver", "route"]


def route(architecture: Architecture) -> Solver:
    """The route that an architecture takes."""
    if isinstance(architecture, LocalConv):
        return along_frequencies
    return along_matrices if isinstance(architecture, MatrixArchitecture) else along_modes
