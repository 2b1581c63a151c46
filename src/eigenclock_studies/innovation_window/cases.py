"""What is trained: a rule, a training set, a model, a horizon; and the options that say which."""

from dataclasses import dataclass, field, replace
from typing import TypeAlias

from eigenclock.checks import InputError, integer_option, number_option
from eigenclock.exact.rules import GroupParity, NoRule, Rule
from eigenclock.training.network_options import FeedForward
from .gpt import GPT

Model: TypeAlias = FeedForward | GPT

RULE_LEVELS, MEMORY_LEVELS = (0.1, 0.2, 0.5), (0.05, 0.1, 0.2, 0.5)
PRIMARY = 0.1
GROUP_LEVEL = 0.5
"""Targets of the clocks; the primary one; that of the group clock."""


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


Horizons: TypeAlias = tuple[tuple[int, int], ...]
"""Pairs of training samples and steps."""


@dataclass(frozen=True)
class Options:
    """The window at one size.

    Attributes:
        D: bits of a sample
        G: bits per group of the parity that the sweep over training-set sizes uses
        simpler, harder: bits per group of the other parities
        sizes: training-set sizes and steps, rising; the forecast is fitted on those before open_at
        compare_at: size at which clocks of all rules are compared, for compare_steps
        open_at: size at which the window of G is expected to be open
        open_steps: steps there of the simpler, and of the harder rule
        fresh_steps: steps on new samples, of the simpler rule and of G
        model: the denoiser
        gpt, gpt_sizes: the other family, with its sizes and steps
        widths: other widths of the denoiser, for capacity, at the simpler rule, open_at samples and width_steps
        corrected_widths: those that are also trained at rate lr·rate_width/width
        lr, batch: of Adam
        samples, token_samples: drawn at each of the checkpoints, log-spaced from step first
        basins: measure basins of attraction
        allow_chance: take training sets of more than 2 % of the valid samples
        seeds, gpt_seeds: replicates
        max_minutes: no new case starts later
        workers: processes; null for as many as there are cores
    """

    D: int = 24
    G: int = 4
    simpler: int = 3
    harder: int = 6
    sizes: Horizons = ((64, 1600), (128, 3000), (256, 5000), (384, 8000), (512, 9000))
    compare_at: int = 256
    compare_steps: int = 4000
    open_at: int = 512
    open_steps: tuple[int, int] = (3000, 4000)
    fresh_steps: tuple[int, int] = (1500, 5000)
    model: FeedForward = field(default_factory=lambda: FeedForward(512, 2))
    gpt: GPT = field(default_factory=GPT)
    gpt_sizes: Horizons = ((16, 300), (32, 400), (64, 600), (128, 900), (256, 1300))
    widths: tuple[int, ...] = (64, 128, 256)
    corrected_widths: tuple[int, ...] = (64, 256)
    rate_width: int = 128
    width_steps: int = 2000
    lr: float = 1e-3
    batch: int = 64
    samples: int = 512
    token_samples: int = 256
    checkpoints: int = 18
    first: int = 20
    basins: bool = True
    allow_chance: bool = False
    seeds: tuple[int, ...] = (0, 1, 2)
    gpt_seeds: tuple[int, ...] = (0, 1, 2, 3)
    max_minutes: float = 20.0
    workers: int | None = None

    def __post_init__(self) -> None:
        number_option(self, "max_minutes", above=0)
        for name in ("seeds", "gpt_seeds"):
            given = getattr(self, name)
            if not given or len(set(given)) < len(given) or min(given) < 0:
                raise InputError(f"{name} must be different whole numbers >= 0, got {given}")
        known = [n for n, _ in self.sizes]
        if known != sorted(set(known)) or not known:
            raise InputError(f"sizes must be rising numbers of samples, each with its steps, got {known}")
        if not {self.compare_at, self.open_at} <= set(known) or not known[0] < self.compare_at < self.open_at:
            raise InputError(f"sizes must hold a smaller one, compare_at and a larger open_at, got {known}")
        if not self.simpler < self.G < self.harder:
            raise InputError(f"G must lie between simpler and harder, got {self.simpler}, {self.G}, {self.harder}")

    @property
    def groups(self) -> tuple[int, int, int]:
        """Bits per group of the three rules, rising."""
        return self.simpler, self.G, self.harder

    def cases(self) -> dict[str, Case]:
        """Every case of the denoiser by name, controls before what is dropped first when time runs out."""
        rule = GroupParity(self.D, self.G)
        names = ("batch", "lr", "samples", "checkpoints", "first", "allow_chance")
        common = {name: getattr(self, name) for name in names}
        plain = Case(rule, self.compare_at, self.model, self.compare_steps, rule, **common)
        closed = self.sizes[0][0]
        found = {
            parity(self.G, n): replace(plain, N=n, steps=steps, basins=self.basins and n == closed)
            for n, steps in self.sizes
        }
        for group, steps in zip((self.simpler, self.harder), self.open_steps, strict=True):
            other = replace(plain, rule=GroupParity(self.D, group), judge=GroupParity(self.D, group))
            found[parity(group, self.compare_at)] = other
            basins = self.basins and group == self.simpler
            found[parity(group, self.open_at)] = replace(other, N=self.open_at, steps=steps, basins=basins)
        found[NO_RULE] = replace(plain, rule=NoRule(self.D), basins=self.basins)
        for group, steps in zip((self.simpler, self.G), self.fresh_steps, strict=True):
            same = GroupParity(self.D, group)
            found[fresh(group)] = replace(plain, rule=same, judge=same, N=self.open_at, fresh=True, steps=steps)
        if self.widths:
            small = GroupParity(self.D, self.simpler)
            base = replace(plain, N=self.open_at, rule=small, judge=small, steps=self.width_steps)
            found[AFFINE] = replace(base, model=FeedForward(1, 0))
            for w in self.widths:
                found[width(w)] = replace(base, model=FeedForward(w, self.model.layers))
            for w in self.corrected_widths:
                found[width(w, corrected=True)] = replace(found[width(w)], lr=self.lr * self.rate_width / w)
        return found

    def token_cases(self) -> dict[str, Case]:
        """Every case of the GPT by name."""
        rule = GroupParity(self.D, self.G)
        kept = {name: getattr(self, name) for name in ("batch", "lr", "checkpoints", "first", "allow_chance")}
        return {
            gpt_case(n): Case(rule, n, self.gpt, steps, rule, samples=self.token_samples, **kept)
            for n, steps in self.gpt_sizes
        }


NO_RULE, AFFINE = "no rule", "affine"


def parity(group: int, n: int) -> str:
    """Name of the case of a parity of G bits and n samples."""
    return f"G={group} N={n}"


def fresh(group: int) -> str:
    """Name of the case of new samples at every step."""
    return f"G={group} fresh"


def gpt_case(n: int) -> str:
    """Name of the case of a GPT on n samples."""
    return f"gpt N={n}"


def width(w: int, *, corrected: bool = False) -> str:
    """Name of the case of a width."""
    return f"width {w}" + (" rate-corrected" if corrected else "")


PRESETS = {
    "tiny": Options(
        sizes=((8, 30), (16, 30), (32, 30)), compare_at=16, compare_steps=30, open_at=32, open_steps=(30, 30),
        fresh_steps=(30, 30), model=FeedForward(16, 1), gpt=GPT(16, 1, 2), gpt_sizes=((16, 30),), widths=(8,),
        corrected_widths=(), width_steps=30, samples=48, token_samples=48, checkpoints=4, allow_chance=True,
        seeds=(0,), gpt_seeds=(0,), workers=1,
    ),
    "cpu": Options(),
    "paper": Options(
        sizes=((64, 20_000), (128, 20_000), (256, 20_000), (384, 60_000), (512, 100_000), (1024, 200_000)), compare_steps=20_000,
        open_steps=(100_000, 100_000), fresh_steps=(20_000, 100_000), width_steps=20_000,
        gpt_sizes=((16, 2000), (32, 2000), (64, 4000), (128, 4000), (256, 8000), (512, 16_000)), widths=(32, 64, 128, 256, 1024),
        samples=2048, token_samples=1024, checkpoints=60, seeds=(0, 1, 2, 3, 4), max_minutes=1500.0,
    ),
}  # fmt: skip
