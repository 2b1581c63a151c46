"""eigenclock: when a diffusion model will have learned each feature of your data.

`predict` and `simulate` turn a `Spectrum` and a recipe (objective, architecture, optimizer, sampler) into a `LearningCurve`.
"""

from importlib.metadata import version

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
