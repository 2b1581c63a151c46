"""What is trained: a rule, a training set, a model, a horizon; and the presets that say which."""

import math
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from eigenclock.checks import InputError, integer_option, number_option
from eigenclock.exact.rules import GroupParity, GroupWeight, NoRule, Permutation, Rule
from eigenclock.training.network_options import DiT, FeedForward
from ..study import Preset
from .gpt import GPT

Model: TypeAlias = FeedForward | DiT | GPT

RULE_LEVELS, MEMORY_LEVELS = (0.1, 0.2, 0.5), (0.05, 0.1, 0.2, 0.5)
PRIMARY = 0.1
GROUP_LEVEL = 0.5
"""Targets of the clocks; the primary one; that of the group clock."""

CALIBRATION_SEED = 10_000
"""Seed of runs that set a horizon, never reported."""


@dataclass(frozen=True)
class Case:
    """One network on one training set, for any seed.

    `rule` made the data; `judge` scores the samples (another rule only for data without one). `fresh`: new valid samples at every
    step, scored against the first N. `basins`: also measure basins of attraction.
    """

    rule: Rule
    N: int
    model: Model
    steps: int
    judge: Rule
    lr: float = 1e-3
    batch: int = 64
    samples: int = 512
    checkpoints: int = 24
    first: int = 20
    fresh: bool = False
    basins: bool = False
    allow_chance: bool = False

    def __post_init__(self) -> None:
        integer_option(self, "N", at_least=1)
        integer_option(self, "steps", at_least=self.first + 1)
        integer_option(self, "batch", at_least=1)
        integer_option(self, "samples", at_least=32)
        integer_option(self, "checkpoints", at_least=4)
        number_option(self, "lr", above=0)
        if self.judge.D != self.rule.D:
            raise InputError(f"judge must be a rule of {self.rule.D} bits, got {self.judge}")
        if isinstance(self.model, DiT) and getattr(self.rule, "G", None) == PAIR:
            raise InputError(f"a token must not be a whole group, got G = {PAIR} with tokens of {PAIR} bits")
        if isinstance(self.model, DiT) and self.rule.D % (2 * PAIR):
            raise InputError(f"D must be divisible by {2 * PAIR} for DiT, got {self.rule.D}")


PAIR = 2
"""Bits per token of the DiT."""


@dataclass(frozen=True)
class InnovationConfig:
    """The study at one size.

    Attributes:
        D: bits of a sample
        G: bits per group of the parity that the sweep over training-set sizes uses
        complexities: bits per group that are compared at N = compare_at
        sizes: training-set sizes of the sweep; those below open_at are what the forecast is fitted on
        open_at: size at which the window is expected to be open
        held_out: sizes that only the forecast is checked on
        model: the denoiser; gpt, dit: the others, with their sizes
        widths: other widths of the denoiser, for capacity, at capacity_G bits per group and capacity_steps
        corrected_widths: those that are also trained at rate lr·rate_width/width
        other_rules: also train on fixed group weight and permutation matrices, for other_steps
        lr, batch: of Adam
        least_steps, kappa: the horizon of N samples is the larger of least_steps and kappa·N; token_… for GPT and DiT
        samples, token_samples: drawn at each of the checkpoints, log-spaced from step first
        basins: measure basins of attraction
        allow_chance: take training sets of more than 2 % of the valid samples
        seeds: replicates; max_minutes: no new case starts later
        workers: processes; null for as many as there are cores
        judged: issue verdicts
    """

    D: int = 24
    G: int = 4
    complexities: tuple[int, ...] = (3, 4, 6)
    compare_at: int = 256
    open_at: int = 512
    sizes: tuple[int, ...] = (64, 128, 256, 512)
    held_out: tuple[int, ...] = (1024,)
    model: Model = field(default_factory=lambda: FeedForward(512, 2))
    gpt: GPT = field(default_factory=GPT)
    gpt_sizes: tuple[int, ...] = (64, 256)
    dit: DiT = field(default_factory=lambda: DiT(patch=1, width=32, blocks=2, heads=4))
    dit_sizes: tuple[int, ...] = ()
    widths: tuple[int, ...] = (32, 64, 128, 256)
    corrected_widths: tuple[int, ...] = (64, 256)
    rate_width: int = 128
    capacity_G: int = 3
    capacity_steps: int = 4000
    other_rules: bool = True
    other_steps: int = 4096
    lr: float = 1e-3
    batch: int = 64
    least_steps: int = 6000
    kappa: float = 16.0
    token_steps: int = 1200
    token_kappa: float = 5.0
    samples: int = 512
    token_samples: int = 256
    checkpoints: int = 24
    first: int = 20
    basins: bool = True
    allow_chance: bool = False
    seeds: tuple[int, ...] = (0, 1, 2)
    max_minutes: float = 10.0
    workers: int | None = None
    judged: bool = True

    def __post_init__(self) -> None:
        number_option(self, "max_minutes", above=0)
        number_option(self, "kappa", above=0)
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise InputError(f"seeds must be different whole numbers >= 0, got {self.seeds}")
        if CALIBRATION_SEED in self.seeds:
            raise InputError(f"seeds must not hold {CALIBRATION_SEED}, which sets horizons")
        both = set(self.sizes) & set(self.held_out)
        if both:
            raise InputError(f"held_out must not hold sizes that the forecast is fitted on, got {min(both)} in both")
        if self.G not in self.complexities or not {self.compare_at, self.open_at} <= set(self.sizes):
            raise InputError("complexities must hold G, and sizes must hold compare_at and open_at")

    @classmethod
    def preset(cls, name: Preset) -> "InnovationConfig":
        """tiny (seconds, no verdicts), cpu (minutes) or paper (a GPU)."""
        match name:
            case "tiny":
                return TINY
            case "cpu":
                return cls()
            case _:
                return PAPER

    def horizon(self, n: int) -> int:
        """Steps of a denoiser on n samples."""
        return max(self.least_steps, math.ceil(self.kappa * n))

    def token_horizon(self, n: int) -> int:
        """Steps of a transformer on n samples."""
        return max(self.token_steps, math.ceil(self.token_kappa * n))

    def cases(self) -> dict[str, Case]:
        """Every case by name, controls before what is dropped first when time runs out."""
        rule = GroupParity(self.D, self.G)
        common = {
            "batch": self.batch,
            "lr": self.lr,
            "samples": self.samples,
            "checkpoints": self.checkpoints,
            "first": self.first,
            "allow_chance": self.allow_chance,
        }
        plain = Case(rule, self.sizes[0], self.model, self.horizon(self.sizes[0]), rule, **common)  # type: ignore[arg-type]
        ends = (self.sizes[0], self.open_at) if self.basins else ()
        found: dict[str, Case] = {}
        for n in self.sizes:
            found[parity(self.G, n)] = replace(plain, N=n, steps=self.horizon(n), basins=n in ends)
        at = replace(plain, N=self.compare_at, steps=self.horizon(self.compare_at))
        for group in self.complexities:
            here = GroupParity(self.D, group)
            found.setdefault(parity(group, at.N), replace(at, rule=here, judge=here))
        found[NO_RULE] = replace(at, rule=NoRule(self.D), basins=self.basins)
        found[FRESH] = replace(at, N=self.open_at, fresh=True, steps=self.horizon(self.open_at))
        tokens = replace(plain, model=self.gpt, samples=self.token_samples)
        for n in self.gpt_sizes:
            found[f"gpt N={n}"] = replace(tokens, N=n, steps=self.token_horizon(n))
        for n in self.dit_sizes:
            found[f"dit N={n}"] = replace(plain, model=self.dit, N=n, steps=self.token_horizon(n))
        small = GroupParity(self.D, self.capacity_G)
        if self.widths:
            assert isinstance(self.model, FeedForward)
            base = replace(at, N=self.open_at, rule=small, judge=small, steps=self.capacity_steps)
            layers, own = self.model.layers, self.model.width
            found[width(own)] = replace(base, model=self.model)
            found[AFFINE] = replace(base, model=FeedForward(1, 0))
            for w in self.widths:
                found[width(w)] = replace(base, model=FeedForward(w, layers))
            for w in self.corrected_widths:
                found[width(w, corrected=True)] = replace(found[width(w)], lr=self.lr * self.rate_width / w)
        for n in self.held_out:
            found[parity(self.G, n)] = replace(plain, N=n, steps=self.horizon(n))
        if self.other_rules:
            n = self.sizes[len(self.sizes) // 2]
            for other in (GroupWeight(self.D, self.G, k=self.G // 2), Permutation(8)):
                case = replace(at, rule=other, judge=other, N=n, steps=self.other_steps)
                found[f"{type(other).__name__} N={n}"] = case
        return found


NO_RULE, FRESH, AFFINE = "no rule", "fresh data", "affine"


def parity(group: int, n: int) -> str:
    """Name of the case of a parity of G bits and n samples."""
    return f"G={group} N={n}"


def width(w: int, *, corrected: bool = False) -> str:
    """Name of the case of a width."""
    return f"width {w}" + (" rate-corrected" if corrected else "")


TINY = InnovationConfig(
    D=12,
    G=3,
    complexities=(3,),
    compare_at=32,
    open_at=32,
    sizes=(16, 32),
    held_out=(),
    model=FeedForward(32, 2),
    gpt=GPT(16, 1, 2),
    gpt_sizes=(16,),
    dit=DiT(patch=1, width=16, blocks=1, heads=2),
    dit_sizes=(16,),
    widths=(16,),
    corrected_widths=(),
    capacity_G=3,
    capacity_steps=200,
    other_rules=False,
    least_steps=200,
    kappa=1.0,
    token_steps=60,
    token_kappa=1.0,
    samples=64,
    token_samples=64,
    checkpoints=6,
    allow_chance=True,
    seeds=(0,),
    workers=1,
    judged=False,
)

PAPER = InnovationConfig(
    D=36,
    complexities=(2, 3, 4, 6, 9, 12),
    compare_at=4096,
    open_at=4096,
    sizes=(512, 1024, 2048, 4096),
    held_out=(8192, 16384),
    model=FeedForward(512, 4),
    gpt=GPT(192, 6, 3),
    gpt_sizes=(512, 2048, 4096),
    dit=DiT(patch=1, width=192, blocks=6, heads=3),
    dit_sizes=(512, 2048, 4096),
    widths=(128, 256, 1024),
    corrected_widths=(128, 1024),
    rate_width=512,
    capacity_steps=20_000,
    other_steps=20_000,
    lr=3e-4,
    batch=256,
    least_steps=20_000,
    kappa=5.0,
    token_steps=20_000,
    token_kappa=5.0,
    samples=2048,
    token_samples=2048,
    allow_chance=True,
    seeds=(0, 1, 2, 3, 4),
    max_minutes=1500.0,
)
"""Sizes for a GPU, chosen by us, not the paper's. G = 2 has 2^18 valid samples, of which N = 4,096 is 1.6 %."""
