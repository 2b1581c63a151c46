"""How a two-stage latent diffusion model is built and trained, as values that a file can hold."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from ..checks import (
    InputError,
    choice,
    flag,
    instance,
    integer,
    integer_option,
    number,
    number_option,
    seed_option,
    sequence,
    shown,
)

Architecture: TypeAlias = Literal["mlp", "conservative", "convolutional"]
Weighting: TypeAlias = Literal["dae", "eps", "score"]
Noise: TypeAlias = Literal["single", "multi"]
SamplerName: TypeAlias = Literal["heun", "sde"]


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Options of `ScoreLatentDiffusion` and of the baselines.

    **Parameters**

    - `k`: intrinsic dimension; "auto" estimates it (TwoNN). - `d`: latent width; None is k + 1.
    - `architecture`: "mlp" D–width–width–d and back; "conservative" a tied two-layer gradient field; "convolutional" for
      images (h, w, channels) with sides divisible by 4.
    - `width`: of the hidden layers of both stages. - `weighting`: of the score matching loss by noise level.
    - `sigma1`: noise of the first stage, in data units; None chooses it (`noise_range`). - `noise`: "single" at sigma1, "multi"
      log-uniform up to three times it.
    - `stage1_steps`, `stage2_steps`, `decoder_refit_steps`: optimizer steps; the refit is taken out of stage 1.
    - `sampler`: "heun" (probability flow) or "sde" (Euler–Maruyama). - `gaussian_head_above`: noise level, in latent standard
      deviations, above which the exact score of a Gaussian is used.
    - `noise_range`: trained in the second stage, in latent standard deviations; outside it a Gaussian is used.
    - `polish`: samples pass the autoencoder once more.
    - `batch`, `lr`: of both stages. - `n_evals`: log-spaced steps at which the clocks are read.
    - `device`: "auto", "cpu", "cuda". - `seed`: of weights, order and noise.
    """

    k: int | str = "auto"
    d: int | None = None
    architecture: Architecture = "mlp"
    width: int = 128
    weighting: Weighting = "dae"
    sigma1: float | None = None
    noise: Noise = "single"
    stage1_steps: int = 2000
    stage2_steps: int = 2000
    decoder_refit_steps: int = 0
    sampler: SamplerName = "heun"
    gaussian_head_above: float = 3.0
    noise_range: tuple[float, float] = (0.02, 5.0)
    polish: bool = False
    batch: int = 128
    lr: float = 1e-3
    n_evals: int = 40
    device: str = "cpu"
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.k, str) or self.k != "auto":
            object.__setattr__(self, "k", _whole("k", self.k, 1))
        if self.d is not None:
            object.__setattr__(self, "d", _whole("d", self.d, 1))
        flag("polish", self.polish)
        instance("device", self.device, str, "the name of a device")
        pair = sequence("noise_range", self.noise_range)
        for name, kinds in (
            ("architecture", Architecture),
            ("weighting", Weighting),
            ("noise", Noise),
            ("sampler", SamplerName),
        ):
            choice(name, getattr(self, name), get_args(kinds))
        if self.sigma1 is not None:
            number_option(self, "sigma1", above=0)
        for name, least in (
            ("width", 1),
            ("stage1_steps", 1),
            ("stage2_steps", 1),
            ("decoder_refit_steps", 0),
            ("batch", 1),
            ("n_evals", 2),
        ):
            integer_option(self, name, at_least=least)
        seed_option(self)
        if self.decoder_refit_steps and self.architecture == "conservative":
            raise InputError("decoder_refit_steps must be 0 for a conservative network, whose decoder is its encoder")
        if self.decoder_refit_steps >= self.stage1_steps:
            raise InputError(
                f"decoder_refit_steps must be < stage1_steps = {self.stage1_steps}, got {self.decoder_refit_steps}"
            )
        number_option(self, "lr", above=0)
        number_option(self, "gaussian_head_above", above=0)
        if len(pair) != 2:
            raise InputError(f"noise_range must be two noise levels, got {shown(self.noise_range)}")
        object.__setattr__(self, "noise_range", tuple(pair))  # a file gives a list
        number("noise_range[0]", self.noise_range[0], above=0)
        number("noise_range[1]", self.noise_range[1], above=self.noise_range[0])


def _whole(name: str, value: Any, at_least: int) -> int:
    """As `integer`, with the word that is also allowed."""
    if name == "k" and isinstance(value, str):
        raise InputError(f"k must be a whole number >= 1 or 'auto', got {shown(value)}")
    return integer(name, value, at_least=at_least, at_most=10**6)
