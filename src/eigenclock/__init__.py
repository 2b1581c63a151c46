"""eigenclock: when a diffusion model will have learned each feature of your data.

`predict` and `simulate` turn a `Spectrum` and a recipe (objective, architecture, optimizer, sampler) into a
`LearningCurve`.
"""

from importlib.metadata import version

from . import data, divergences
from .architectures import Architecture, OneLayer, TiedTwoLayer
from .bases import PCA, Basis, Fourier
from .checks import InputError
from .clocks import Emergence, PowerLaw
from .compare import Comparison, compare
from .curve import LearningCurve
from .objectives import EDM, Denoising, Epsilon, FlowMatching, LogNormal, Objective, Score, Velocity
from .optimizers import GradientDescent, GradientFlow, HeavyBall, Optimizer
from .predict import predict
from .recipe import Recipe
from .samplers import Euler, Heun, ProbabilityFlow, Sampler
from .simulate import simulate
from .spectrum import Spectrum

__version__ = version("eigenclock")

__all__ = [
    "EDM",
    "PCA",
    "Architecture",
    "Basis",
    "Comparison",
    "Denoising",
    "Emergence",
    "Epsilon",
    "Euler",
    "FlowMatching",
    "Fourier",
    "GradientDescent",
    "GradientFlow",
    "HeavyBall",
    "Heun",
    "InputError",
    "LearningCurve",
    "LogNormal",
    "Objective",
    "OneLayer",
    "Optimizer",
    "PowerLaw",
    "ProbabilityFlow",
    "Recipe",
    "Sampler",
    "Score",
    "Spectrum",
    "TiedTwoLayer",
    "Velocity",
    "compare",
    "data",
    "divergences",
    "predict",
    "simulate",
]
