"""eigenclock: when a diffusion model will have learned each feature of your data.

`predict` and `simulate` turn a `Spectrum` and a recipe (objective, architecture, optimizer, sampler) into a
`LearningCurve`.
"""

from importlib.metadata import version

from . import data, divergences
from .architectures import (
    Affine,
    Architecture,
    Circulant,
    Coupled,
    DeepLinear,
    FeatureMap,
    GaussianKernel,
    GaussianStart,
    KernelMatrix,
    LocalConv,
    MatrixStart,
    NoiseKernel,
    OneLayer,
    Residual,
    Start,
    TiedTwoLayer,
    TwoLayer,
    UnalignedOneLayer,
    UnalignedTiedTwoLayer,
)
from .bases import PCA, Basis, Fourier
from .checks import InputError
from .clocks import Emergence, PowerLaw
from .compare import Comparison, compare
from .curve import LearningCurve
from .generalization import Generalization, generalization
from .noise import noise_floor
from .objectives import EDM, Denoising, Epsilon, FlowMatching, LogNormal, Objective, Score, Velocity
from .optimizers import GradientDescent, GradientFlow, HeavyBall, Optimizer
from .predict import predict
from .recipe import Recipe
from .routes import variance_by
from .samplers import Euler, EulerMaruyama, Heun, ProbabilityFlow, Sampler, Stochastic
from .simulate import simulate
from .spectrum import Spectrum

__version__ = version("eigenclock")

__all__ = [
    "EDM",
    "PCA",
    "Affine",
    "Architecture",
    "Basis",
    "Circulant",
    "Comparison",
    "Coupled",
    "DeepLinear",
    "Denoising",
    "Emergence",
    "Epsilon",
    "Euler",
    "EulerMaruyama",
    "FeatureMap",
    "FlowMatching",
    "Fourier",
    "GaussianKernel",
    "GaussianStart",
    "Generalization",
    "GradientDescent",
    "GradientFlow",
    "HeavyBall",
    "Heun",
    "InputError",
    "KernelMatrix",
    "LearningCurve",
    "LocalConv",
    "LogNormal",
    "MatrixStart",
    "NoiseKernel",
    "Objective",
    "OneLayer",
    "Optimizer",
    "PowerLaw",
    "ProbabilityFlow",
    "Recipe",
    "Residual",
    "Sampler",
    "Score",
    "Spectrum",
    "Start",
    "Stochastic",
    "TiedTwoLayer",
    "TwoLayer",
    "UnalignedOneLayer",
    "UnalignedTiedTwoLayer",
    "Velocity",
    "compare",
    "data",
    "divergences",
    "generalization",
    "noise_floor",
    "predict",
    "simulate",
    "variance_by",
]
