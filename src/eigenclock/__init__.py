"""eigenclock: when a diffusion model will have learned each feature of your data.

`predict` and `simulate` turn a `Spectrum` and a recipe (objective, architecture, optimizer, sampler) into a
`LearningCurve`.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from . import data, exact
from .checks import InputError
from .clocks.emergence import Emergence, PowerLaw
from .clocks.passage import Clock, Passages
from .clocks.replicates import Estimate, LogRatio
from .comparison.compare import Comparison, compare
from .comparison.forecast import Forecast, forecast
from .comparison.forecast_check import check_forecasts
from .comparison.levels import Levels, compare_levels, predict_level
from .curve import divergences
from .curve.learning_curve import LearningCurve
from .exact.rules import GroupParity, GroupWeight, NoRule, Permutation, Rule
from .latents.diagnose import diagnose_latents
from .latents.model_config import ModelConfig
from .observables.class_clocks import ClassClocks, class_clocks
from .observables.copies import Memorization, memorization
from .observables.innovation import Innovation, innovation
from .recipe.architectures import (
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
from .recipe.objectives import EDM, Denoising, Epsilon, FlowMatching, LogNormal, Objective, Score, Velocity
from .recipe.optimizers import GradientDescent, GradientFlow, HeavyBall, Optimizer
from .recipe.recipe import Recipe
from .recipe.samplers import Euler, EulerMaruyama, Heun, ProbabilityFlow, Sampler, Stochastic
from .simulation.simulate import simulate
from .spectrum.bases import PCA, Basis, Fourier
from .spectrum.patches import patch_spectrum
from .spectrum.spectrum import Spectrum
from .theory import collapse
from .theory.generalization import Generalization, generalization
from .theory.noise_floor import noise_floor
from .theory.predict import predict
from .theory.routes import variance_by
from .training.network_options import MLP, ConvNet, DiT, FeedForward, Linear, Network, UNet, need_torch
from .training.options import SGD, Adam, AdamW, LoopOptions

if TYPE_CHECKING:
    from .latents.flow import FlowConfig, FlowGenerator
    from .latents.prior_aligned import AlignedConfig, PriorAlignedAutoencoder
    from .latents.score_latent import AmbientDiffusion, LatentBaseline, ScoreLatentDiffusion
    from .training.adapters import as_denoiser
    from .training.convolution_fit import convolution_fit
    from .training.loop import Trained, train
    from .training.probe import Probe, log_steps
    from .training.sampling import sample

__version__ = version("eigenclock")

NEED_TORCH = {
    "AlignedConfig": "latents.prior_aligned",
    "AmbientDiffusion": "latents.score_latent",
    "FlowConfig": "latents.flow",
    "FlowGenerator": "latents.flow",
    "LatentBaseline": "latents.score_latent",
    "PriorAlignedAutoencoder": "latents.prior_aligned",
    "Probe": "training.probe",
    "ScoreLatentDiffusion": "latents.score_latent",
    "Trained": "training.loop",
    "as_denoiser": "training.adapters",
    "convolution_fit": "training.convolution_fit",
    "log_steps": "training.probe",
    "sample": "training.sampling",
    "train": "training.loop",
}
"""Public names that need PyTorch, and their module: imported when first used."""


def __getattr__(name: str) -> Any:
    if name not in NEED_TORCH:
        raise AttributeError(f"module 'eigenclock' has no attribute {name!r}")
    need_torch()
    return getattr(import_module(f".{NEED_TORCH[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(globals().keys() | NEED_TORCH.keys())


__all__ = [
    "EDM",
    "MLP",
    "PCA",
    "SGD",
    "Adam",
    "AdamW",
    "Affine",
    "AlignedConfig",
    "AmbientDiffusion",
    "Architecture",
    "Basis",
    "Circulant",
    "ClassClocks",
    "Clock",
    "Comparison",
    "ConvNet",
    "Coupled",
    "DeepLinear",
    "Denoising",
    "DiT",
    "Emergence",
    "Epsilon",
    "Estimate",
    "Euler",
    "EulerMaruyama",
    "FeatureMap",
    "FeedForward",
    "FlowConfig",
    "FlowGenerator",
    "FlowMatching",
    "Forecast",
    "Fourier",
    "GaussianKernel",
    "GaussianStart",
    "Generalization",
    "GradientDescent",
    "GradientFlow",
    "GroupParity",
    "GroupWeight",
    "HeavyBall",
    "Heun",
    "Innovation",
    "InputError",
    "KernelMatrix",
    "LatentBaseline",
    "LearningCurve",
    "Levels",
    "Linear",
    "LocalConv",
    "LogNormal",
    "LogRatio",
    "LoopOptions",
    "MatrixStart",
    "Memorization",
    "ModelConfig",
    "Network",
    "NoRule",
    "NoiseKernel",
    "Objective",
    "OneLayer",
    "Optimizer",
    "Passages",
    "Permutation",
    "PowerLaw",
    "PriorAlignedAutoencoder",
    "ProbabilityFlow",
    "Probe",
    "Recipe",
    "Residual",
    "Rule",
    "Sampler",
    "Score",
    "ScoreLatentDiffusion",
    "Spectrum",
    "Start",
    "Stochastic",
    "TiedTwoLayer",
    "Trained",
    "TwoLayer",
    "UNet",
    "UnalignedOneLayer",
    "UnalignedTiedTwoLayer",
    "Velocity",
    "as_denoiser",
    "check_forecasts",
    "class_clocks",
    "collapse",
    "compare",
    "compare_levels",
    "convolution_fit",
    "data",
    "diagnose_latents",
    "divergences",
    "exact",
    "forecast",
    "generalization",
    "innovation",
    "log_steps",
    "memorization",
    "noise_floor",
    "patch_spectrum",
    "predict",
    "predict_level",
    "sample",
    "simulate",
    "train",
    "variance_by",
]
