"""How the gain of a linear network evolves on each mode: one file per architecture."""

from .base import Architecture
from .deep import DeepLinear
from .one_layer import OneLayer
from .residual import Residual
from .tied_two_layer import TiedTwoLayer
from .two_layer import TwoLayer

__all__ = ["Architecture", "DeepLinear", "OneLayer", "Residual", "TiedTwoLayer", "TwoLayer"]
