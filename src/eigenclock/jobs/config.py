"""Configuration of the jobs: what the command line and a run's config.yaml are made of."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ..checks import InputError, flag, integer_option, seed_option
from ..data.decoding import MAX_PIXELS
from ..files import flat
from ..recipe.architectures import Architecture, OneLayer
from ..recipe.densities import LogNormal
from ..recipe.objectives import EDM, Objective
from ..recipe.optimizers import Optimizer
from ..recipe.recipe import SpectralEDM as SpectralEDM
from ..recipe.samplers import Heun, Sampler
from ..spectrum.bases import BasisName
from ..training.network_options import MLP, Network
from ..training.optimizers import Adam, Descent
from ..training.options import LoopOptions, ProbeOptions

DEFAULT_ARCHITECTURE = OneLayer(0.0)
"""Where an EDM-preconditioned network usually starts."""


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """How the data are read.

    Attributes:
        n: use at most this many training samples, chosen at random
        image_size: crop images of a folder to their central square and resize to this many pixels
        color: images as gray or rgb; by default as they are
        max_pixels: of the largest image that is read
        standardize: shift and scale the data to mean 0, standard deviation 0.5 (EDM's convention): true for one shift and
            factor, "pixel" for one for each coordinate, false for neither
        basis: the modes: "pca", "dct" (cosines, for images) or "fourier"
    """

    n: int | None = None
    image_size: int | None = None
    color: Literal["gray", "rgb"] | None = None
    max_pixels: int = MAX_PIXELS
    standardize: bool | Literal["pixel"] = True
    basis: BasisName = "pca"

    def __post_init__(self) -> None:
        if self.n is not None:
            integer_option(self, "n", at_least=2)
        if self.image_size is not None:
            integer_option(self, "image_size", at_least=1, at_most=2**14)
        integer_option(self, "max_pixels", at_least=1, at_most=2**62)
        if self.standardize != "pixel":
            flag("standardize", self.standardize)


@dataclass(frozen=True, kw_only=True)
class TheoryOptions:
    """How a linear model is trained and sampled.

    Attributes:
        objective: what is regressed
        architecture: the network; by default OneLayer started at zero. Convolutions need basis fourier
        optimizer: of the theory; by default gradient descent at a third of the largest stable learning rate
        sampler: how samples are drawn
        steps: optimizer steps; by default until 95 % of the modes are predicted to have emerged (or are right from the start) and
            a fifth longer, at most 5000
    """

    objective: Objective = field(default_factory=EDM)
    architecture: Architecture | None = None
    optimizer: Optimizer | None = None
    sampler: Sampler = field(default_factory=Heun)
    steps: int | None = None

    def __post_init__(self) -> None:
        if self.steps is not None:
            integer_option(self, "steps", at_least=1)


@dataclass(frozen=True)
class SimulationOptions:
    """The brute-force check: minibatch descent of full matrices on the real samples, and particles.

    Attributes:
        enabled: whether to run it
        batch_size: samples per step and noise level
        particles: generated samples behind each variance
        records: number of training times recorded
        max_dimension: data of more coordinates are only predicted
    """

    enabled: bool = False
    batch_size: int = 128
    particles: int = 2048
    records: int = 40
    max_dimension: int = 400

    def __post_init__(self) -> None:
        integer_option(self, "batch_size", at_least=1)
        integer_option(self, "particles", at_least=16)
        integer_option(self, "records", at_least=2)


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """Where a job writes, and with which seed.

    Attributes:
        data: bundled name (natural16, natural32, natural16-colour, natural32-colour, digits, faces) or a path: .npy,
            .npz[:key], an IDX file, a folder of images (or of .npy), a zip of images
        out: folder of the run
        seed: of everything that is random
        overwrite: replace an earlier run in `out`
        resume: continue the run in `out` where it stopped
    """

    data: str
    out: str
    seed: int = 0
    overwrite: bool = False
    resume: bool = False

    def __post_init__(self) -> None:
        seed_option(self)
        for name in ("overwrite", "resume"):
            flag(name, getattr(self, name))
        if self.overwrite and self.resume:
            raise InputError("overwrite and resume exclude each other, got both")


@dataclass(frozen=True, kw_only=True)
class PredictConfig(OutputOptions, DataOptions, TheoryOptions):
    """Spectrum, prediction and report; checked by brute force if asked for.

    Attributes:
        simulation: the brute-force check
    """

    simulation: SimulationOptions = field(default_factory=SimulationOptions)

    def __post_init__(self) -> None:
        DataOptions.__post_init__(self)
        TheoryOptions.__post_init__(self)
        OutputOptions.__post_init__(self)


@dataclass(frozen=True, kw_only=True)
class RunConfig(OutputOptions, DataOptions):
    """The main job: spectrum, prediction, training of a real network under the probe, comparison, report.

    Attributes:
        network: what is trained
        objective: what is regressed
        optimizer: how it is trained
        sampler: how samples are drawn
        steps: optimizer steps
        training: how the loop runs
        probe: what is measured along the run
    """

    network: Network = field(default_factory=lambda: MLP(512, 5))
    objective: Objective = field(default_factory=lambda: EDM(density=LogNormal()))
    optimizer: Descent = field(default_factory=lambda: Adam(3e-4))
    sampler: Sampler = field(default_factory=Heun)
    steps: int = 3000
    training: LoopOptions = field(default_factory=LoopOptions)
    probe: ProbeOptions = field(default_factory=ProbeOptions)

    def __post_init__(self) -> None:
        DataOptions.__post_init__(self)
        OutputOptions.__post_init__(self)
        integer_option(self, "steps", at_least=1)


def defaults() -> dict[str, Any]:
    """Defaults of the settings of simulation, training and probe, by dotted names and as YAML has them.

    What a config of an earlier version does not name, because there was no such setting, it did in this way.
    """
    simulation, training, probe = asdict(SimulationOptions()), asdict(LoopOptions()), asdict(ProbeOptions())
    settings = flat({"simulation": simulation, "training": training, "probe": probe})
    return {key: list(value) if isinstance(value, tuple) else value for key, value in settings.items()}
