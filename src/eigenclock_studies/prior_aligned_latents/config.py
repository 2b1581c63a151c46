"""Options of the study, and its arms."""

from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from eigenclock.checks import InputError, choice, integer_option, number
from eigenclock.latents.convolutions import STRIDE
from eigenclock.latents.flow import Backbone, FlowConfig
from eigenclock.latents.prior_aligned import AlignedConfig
from .sprites import SIZE, Variant

PriorName = Literal["supervised", "contrastive", "hog", "random"]
ALIGNMENTS: dict[str, tuple[str, ...]] = {
    "none": (),
    "ssr": ("ssr",),
    "mcr": ("mcr",),
    "scr": ("scr",),
    "ssr+mcr": ("ssr", "mcr"),
    "ssr+scr": ("ssr", "scr"),
    "mcr+scr": ("mcr", "scr"),
    "all": ("ssr", "mcr", "scr"),
    "shuffled": ("scr",),
    "random": ("scr",),
    "noise": (),
}
"""Losses of each arm that has an autoencoder of its own; the last three are controls."""

CONTROLS = ("shuffled", "random")


@dataclass(frozen=True, kw_only=True)
class PriorLatentsConfig:
    """Options of the study; see `AlignedConfig` and `FlowConfig` for the models.

    **Parameters**

    - `variant`: of the sprites.
    - `d`, `grid`: width and side of the token grid. - `n_train`, `n_heldout`: images. - `ae_*`, `finetune_steps`: autoencoder.
    - `ssc_images`: images behind spatial structure. - `w_*`, `theta_l`: alignments. - `prior`: the teacher.
    - `arms`: alignments, the baseline "none" first; `omegas`: couplings that re-code the baseline's latents, with a rotation as
      their null; `controls`: alignments to wrong priors.
    - `generator`, `width`, `blocks`, `gen_*`, `lr`, `ema`, `euler_steps`: generator. - `n_samples`: per score;
      `scores`: checkpoints. - `fd_steps`, `teacher_steps`: of the judge and of the teacher. - `seeds`, `workers`.

    Which arms and seeds are run, and on how many workers, changes no run: `repr`, by which finished ones are known, has it not.
    """

    variant: Variant = "plain"
    d: int = 8
    grid: int = 4
    n_train: int = 12_000
    n_heldout: int = 4_000
    ae_steps: int = 700
    finetune_steps: int = 300
    ae_batch: int = 32
    ae_width: int = 64
    w_ssr: float = 0.1
    w_mcr: float = 0.25
    w_scr: float = 0.1
    theta_l: float | None = None
    prior: PriorName = "supervised"
    arms: tuple[str, ...] = field(default=("none", "scr", "all"), repr=False)
    omegas: tuple[float, ...] = field(default=(3.0,), repr=False)
    controls: bool = field(default=True, repr=False)
    generator: Backbone = "mlp"
    width: int = 256
    blocks: int = 2
    gen_steps: int = 4_000
    gen_batch: int = 128
    lr: float = 2e-3
    ema: float = 0.99
    euler_steps: int = 20
    n_samples: int = 1_500
    scores: int = 12
    fd_steps: int = 1_200
    teacher_steps: int = 300
    ssc_images: int = 300
    seeds: tuple[int, ...] = field(default=(2, 3, 4), repr=False)
    workers: int | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for arm in self.arms:
            choice("arms", arm, tuple(ALIGNMENTS))
        if "none" not in self.arms:
            raise InputError(f"arms must have 'none', the baseline, got {self.arms}")
        choice("variant", self.variant, get_args(Variant))
        choice("prior", self.prior, get_args(PriorName))
        choice("generator", self.generator, get_args(Backbone))
        for omega in self.omegas:
            number("omegas", omega, above=0)
        for name, least in (
            ("n_train", 16),
            ("n_heldout", 16),
            ("n_samples", 16),
            ("scores", 3),
            ("gen_steps", 10),
            ("fd_steps", 1),
        ):
            integer_option(self, name, at_least=least)
        if self.grid * STRIDE != SIZE:
            raise InputError(f"grid must be {SIZE // STRIDE} for images of {SIZE} pixels, got {self.grid}")
        if self.omegas and self.d % 2:
            raise InputError(f"d must be even for a coupling, got {self.d}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(d, h, w) of a latent."""
        return self.d, self.grid, self.grid

    def aligned(self, arm: str, seed: int) -> AlignedConfig:
        """Options of an arm's autoencoder."""
        on = ALIGNMENTS[arm]
        return AlignedConfig(
            d=self.d,
            width=self.ae_width,
            w_ssr=self.w_ssr if "ssr" in on else 0.0,
            w_mcr=self.w_mcr if "mcr" in on else 0.0,
            w_scr=self.w_scr if "scr" in on else 0.0,
            theta_l=self.theta_l,
            noise=10.0 if arm == "noise" else 0.0,
            ae_steps=self.ae_steps,
            finetune_steps=self.finetune_steps,
            batch=self.ae_batch,
            seed=seed,
        )

    def base(self, seed: int) -> AlignedConfig:
        """Options of the warm start that all arms share."""
        return replace(self.aligned("none", seed), finetune_steps=0)

    def flow(self, seed: int) -> FlowConfig:
        """Options of the generator."""
        return FlowConfig(
            backbone=self.generator,
            width=self.width,
            blocks=self.blocks,
            steps=self.gen_steps,
            batch=self.gen_batch,
            lr=self.lr,
            ema=self.ema,
            euler_steps=self.euler_steps,
            seed=seed,
        )

    def all_arms(self) -> tuple[str, ...]:
        """Every arm that is run, the baseline first."""
        found = ["none", *(one for one in self.arms if one != "none"), *(CONTROLS if self.controls else ())]
        if self.omegas:
            found += ["rotation", *(f"omega={omega:g}" for omega in self.omegas)]
            if self.generator == "dit":
                found.append("permutation")
        return tuple(dict.fromkeys(found))


PRESETS: dict[str, PriorLatentsConfig] = {
    "tiny": PriorLatentsConfig(
        n_train=300, n_heldout=60, d=4, ae_width=8, width=32, ae_steps=20, finetune_steps=10, gen_steps=40, n_samples=60,
        euler_steps=4, scores=3, ssc_images=10, fd_steps=5, teacher_steps=5, prior="hog", arms=("none", "scr"), omegas=(),
        controls=False, seeds=(2,), workers=1,
    ),
    "cpu": PriorLatentsConfig(),
    "paper": PriorLatentsConfig(
        variant="textured", d=16, ae_steps=20_000, finetune_steps=20_000, ae_batch=256, generator="dit", width=384, blocks=12,
        gen_steps=100_000, gen_batch=512, lr=2e-4, ema=0.999, euler_steps=50, n_samples=10_000,
        arms=tuple(name for name in ALIGNMENTS if name not in ("noise", *CONTROLS)), omegas=(1.0, 3.0), seeds=(2, 3, 4, 5, 6),
    ),
}  # fmt: skip
