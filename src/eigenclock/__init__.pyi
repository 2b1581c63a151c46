"""Public names and where they live. The package loads each when it is first used."""

__version__: str

from . import data as data, exact as exact
from .advice.calibration import calibrate as calibrate
from .advice.choose import choose as choose
from .advice.result import Advice as Advice
from .checks import InputError as InputError, InputWarning as InputWarning
from .clocks.emergence import Emergence as Emergence, PowerLaw as PowerLaw
from .clocks.passage import Clock as Clock, Passages as Passages
from .clocks.replicates import Estimate as Estimate, LogRatio as LogRatio
from .comparison.compare import Comparison as Comparison, compare as compare
from .comparison.forecast import forecast as forecast
from .comparison.forecast_check import check_forecasts as check_forecasts
from .comparison.forecast_result import Forecast as Forecast
from .comparison.levels import (
    Levels as Levels,
    compare_levels as compare_levels,
    predict_level as predict_level,
    predict_levels as predict_levels,
)
from .comparison.probe import Probe as Probe
from .curve import divergences as divergences
from .curve.learning_curve import LearningCurve as LearningCurve
from .exact.rules import (
    GroupParity as GroupParity,
    GroupWeight as GroupWeight,
    NoRule as NoRule,
    Permutation as Permutation,
    Rule as Rule,
)
from .latents.aligned_config import AlignedConfig as AlignedConfig
from .latents.compare import LatentComparison as LatentComparison, compare_latents as compare_latents
from .latents.diagnose import diagnose_latents as diagnose_latents
from .latents.flow import FlowConfig as FlowConfig, FlowGenerator as FlowGenerator
from .latents.model_config import ModelConfig as ModelConfig
from .latents.prior_aligned import PriorAlignedAutoencoder as PriorAlignedAutoencoder
from .latents.score_latent import (
    AmbientDiffusion as AmbientDiffusion,
    LatentBaseline as LatentBaseline,
    ScoreLatentDiffusion as ScoreLatentDiffusion,
)
from .observables.class_clocks import ClassClocks as ClassClocks, class_clocks as class_clocks
from .observables.class_losses import (
    ClassLosses as ClassLosses,
    class_losses as class_losses,
    linear_losses as linear_losses,
)
from .observables.copies import Memorization as Memorization, memorization as memorization
from .observables.innovation import Innovation as Innovation, innovation as innovation
from .observables.return_probability import (
    ReturnProbability as ReturnProbability,
    return_probability as return_probability,
)
from .observables.stopping import Stopping as Stopping, stopping as stopping
from .recipe.architectures import (
    Affine as Affine,
    Architecture as Architecture,
    Circulant as Circulant,
    Coupled as Coupled,
    DeepLinear as DeepLinear,
    FeatureMap as FeatureMap,
    GaussianKernel as GaussianKernel,
    GaussianStart as GaussianStart,
    KernelMatrix as KernelMatrix,
    LocalConv as LocalConv,
    MatrixStart as MatrixStart,
    NoiseKernel as NoiseKernel,
    OneLayer as OneLayer,
    Residual as Residual,
    Start as Start,
    TiedTwoLayer as TiedTwoLayer,
    TwoLayer as TwoLayer,
    UnalignedOneLayer as UnalignedOneLayer,
    UnalignedTiedTwoLayer as UnalignedTiedTwoLayer,
)
from .recipe.densities import (
    BetaSchedule as BetaSchedule,
    CosineTime as CosineTime,
    Density as Density,
    DensityTable as DensityTable,
    LogNormal as LogNormal,
    UniformTime as UniformTime,
)
from .recipe.objectives import (
    EDM as EDM,
    Denoising as Denoising,
    Epsilon as Epsilon,
    FlowMatching as FlowMatching,
    Objective as Objective,
    Score as Score,
    Velocity as Velocity,
)
from .recipe.optimizers import (
    GradientDescent as GradientDescent,
    GradientFlow as GradientFlow,
    HeavyBall as HeavyBall,
    Optimizer as Optimizer,
)
from .recipe.recipe import Recipe as Recipe
from .recipe.samplers import (
    Angular as Angular,
    Euler as Euler,
    EulerMaruyama as EulerMaruyama,
    Heun as Heun,
    ProbabilityFlow as ProbabilityFlow,
    Sampler as Sampler,
    Stochastic as Stochastic,
)
from .recipe.spectral_edm import SpectralEDM as SpectralEDM
from .recipe.weights import P2 as P2, MinSNR as MinSNR, NoisePower as NoisePower, Sigmoid as Sigmoid
from .simulation.simulate import simulate as simulate
from .spectrum.bases import PCA as PCA, Basis as Basis, Cosines as Cosines, Fourier as Fourier
from .spectrum.patches import patch_spectrum as patch_spectrum
from .spectrum.spectrum import Spectrum as Spectrum
from .theory import collapse as collapse
from .theory.generalization import Generalization as Generalization, generalization as generalization
from .theory.noise_floor import noise_floor as noise_floor
from .theory.predict import predict as predict
from .theory.routes import variance_by as variance_by
from .theory.stable import stable_lr as stable_lr
from .training.adapters import as_denoiser as as_denoiser
from .training.convolution_fit import convolution_fit as convolution_fit
from .training.loop import Trained as Trained, train as train
from .training.network_options import (
    MLP as MLP,
    ConvNet as ConvNet,
    DiT as DiT,
    FeedForward as FeedForward,
    Linear as Linear,
    Network as Network,
    NormedMLP as NormedMLP,
    UNet as UNet,
)
from .training.optimizers import SGD as SGD, Adam as Adam, AdamW as AdamW
from .training.options import LoopOptions as LoopOptions
from .training.probing.cadence import log_steps as log_steps
from .training.sampling import sample as sample
