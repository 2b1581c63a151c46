"""How the gain of a linear network evolves on each mode: one file per architecture."""

from .base import Architecture
from .one_layer import OneLayer
from .tied_two_layer import TiedTwoLayer

__all__ = ["Architecture", "OneLayer", "TiedTwoLayer"]
