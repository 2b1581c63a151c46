"""How the gain of a linear network evolves on each mode: one file per architecture."""

from .affine import Affine
from .base import Architecture
from .circulant import Circulant
from .coupled import Coupled
from .deep import DeepLinear
from .kernels import FeatureMap, GaussianKernel, KernelMatrix, NoiseKernel
from .local_conv import LocalConv
from .matrices import MatrixArchitecture
from .one_layer import OneLayer
from .residual import Residual
from .starts import GaussianStart, MatrixStart, Start
from .tied_two_layer import TiedTwoLayer
from .two_layer import TwoLayer
from .unaligned import UnalignedOneLayer, UnalignedTiedTwoLayer

__all__ = [
    "Affine",
    "Architecture",
    "Circulant",
    "Coupled",
    "DeepLinear",
    "FeatureMap",
    "GaussianKernel",
    "GaussianStart",
    "KernelMatrix",
    "LocalConv",
    "MatrixArchitecture",
    "MatrixStart",
    "NoiseKernel",
    "OneLayer",
    "Residual",
    "Start",
    "TiedTwoLayer",
    "TwoLayer",
    "UnalignedOneLayer",
    "UnalignedTiedTwoLayer",
]
