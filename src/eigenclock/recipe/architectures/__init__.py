"""How the gain of a linear network evolves on each mode: one file per architecture."""

from .affine import Affine as Affine
from .base import Architecture as Architecture
from .circulant import Circulant as Circulant
from .coupled import Coupled as Coupled
from .deep import DeepLinear as DeepLinear
from .kernels import (
    FeatureMap as FeatureMap,
    GaussianKernel as GaussianKernel,
    KernelMatrix as KernelMatrix,
    NoiseKernel as NoiseKernel,
)
from .local_conv import LocalConv as LocalConv
from .matrices import MatrixArchitecture as MatrixArchitecture
from .one_layer import OneLayer as OneLayer
from .residual import Residual as Residual
from .starts import GaussianStart as GaussianStart, MatrixStart as MatrixStart, Start as Start
from .tied_two_layer import TiedTwoLayer as TiedTwoLayer
from .two_layer import TwoLayer as TwoLayer
from .unaligned import UnalignedOneLayer as UnalignedOneLayer, UnalignedTiedTwoLayer as UnalignedTiedTwoLayer
