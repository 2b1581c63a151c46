"""`eigenclock score-latent`: score latent diffusion on an array of one's own, fitted and sampled from."""

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..checks import InputError, choice, integer
from ..files import atomic, check_writable, locked, remove_temporaries
from ..latents.model_config import ModelConfig
from ..training.network_options import need_torch
from .arrays import load_array
from .call import Call

POSITIONAL = ("action", "fit or sample")


@dataclass(frozen=True, kw_only=True)
class ScoreLatentConfig:
    """Score latent diffusion on one's own array: fit a model into a file, or draw samples from one.

    Attributes:
        action: fit or sample
        model: file of the model (.safetensors)
        data: for fit, .npy file of samples (n, ...)
        out: for sample, .npy file to write
        n: for sample, number of samples
        seed: of weights, order and noise; of the samples
        folder: for fit, of checkpoints
        resume: for fit, go on from them
        options: for fit, of the model: --options.d 4
    """

    action: str
    model: str
    data: str | None = None
    out: str | None = None
    n: int = 1000
    seed: int = 0
    folder: str | None = None
    resume: bool = False
    options: ModelConfig = field(default_factory=ModelConfig)

    def __post_init__(self) -> None:
        choice("action", self.action, ("fit", "sample"))


def command(config: ScoreLatentConfig, _: Call) -> None:
    """Fit a model into a file, or sample from one."""
    need_torch()
    from ..latents.score_latent import ScoreLatentDiffusion

    if config.action == "fit":
        if config.data is None:
            raise InputError("score-latent fit needs --data FILE.npy")
        array = load_array(config.data, "data")
        if isinstance(array, dict):
            raise InputError(f"data must be one array, a .npy file, got {config.data}")
        if not Path(config.model).resolve().parent.is_dir():
            raise InputError(f"model must lie in a folder that exists, got {config.model}")
        options = replace(config.options, seed=config.seed or config.options.seed)
        check_writable(config.model)
        with nullcontext() if config.folder is None else locked(config.folder):
            if config.folder is not None:
                remove_temporaries(Path(config.folder))
            model = ScoreLatentDiffusion(options).fit(array, folder=config.folder, resume=config.resume)
        model.save(config.model)
        print(f"intrinsic dimension {model.k_estimate_:.2f}, latent width {model.d_}, noise {model.sigma1_:.4g}")
        print(f"collapse clock: {model.collapse_clock()} steps")
        print(f"refine clock: {model.refine_clock()} steps")
        print(f"model: {Path(config.model).resolve()}")
        return
    if config.out is None or not config.out.endswith(".npy"):
        raise InputError(f"score-latent sample needs --out FILE.npy, got {config.out}")
    integer("n", config.n, at_least=1)
    check_writable(config.out)
    samples = ScoreLatentDiffusion.load(config.model).sample(config.n, seed=config.seed)
    with atomic(config.out) as temporary, temporary.open("wb") as file:
        np.save(file, samples)
    print(f"samples {samples.shape}: {Path(config.out).resolve()}")
