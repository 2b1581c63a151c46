"""Networks of two families on parities of 36 bits, watched as the authors of arXiv:2605.10019 watch theirs."""

import time as clock
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
import xarray as xr
from jaxtyping import Int

from eigenclock.checks import integer_option, number_option
from eigenclock.comparison.probe import Probe
from eigenclock.exact.rules import GroupParity
from eigenclock.observables.innovation import innovation
from eigenclock.recipe.densities import LogNormal
from eigenclock.recipe.objectives import EDM
from eigenclock.recipe.samplers import Heun
from eigenclock.spectrum.spectrum import Spectrum
from eigenclock.training.devices import find_device
from eigenclock.training.loop import train as fit
from eigenclock.training.network_options import DiT, FeedForward
from eigenclock.training.optimizers import Adam
from eigenclock.training.options import LoopOptions
from eigenclock.training.streams import Stream, WithReplacement, stream_seed
from .authors_tables import D
from .gpt import GPT, generate, sampling_seed, train_tokens
from .measurement import streams

OBJECTIVE, SAMPLER = EDM(sigma_data=1.0, density=LogNormal(-1.2, 1.2)), Heun(steps=35, sigma_min=0.002, sigma_max=80.0)
"""Theirs: preconditioning, density of training noise, and 69 evaluations from σ = 80 to 0.002."""

EDGE = 6
"""Side of the image that the 36 bits are laid out in, for a transformer."""

Cells: TypeAlias = tuple[tuple[int, int, int], ...]
"""Training samples, bits per group, steps."""


DEVIATION = (
    "Bits are read by their sign: feed-forward networks leave no sample with all of 36 bits within 0.1 of ±1, also when half of "
    "their samples are copies by sign, so that the tolerance of 0.1 would have no clock to read."
)


@dataclass(frozen=True)
class Setting:
    """One network on one training set. `limit_seconds`: it stops there, and its clocks are bounds from then on."""

    model: DiT | FeedForward | GPT
    N: int
    G: int
    steps: int
    lr: float
    decay: float
    batch: int
    samples: int
    evaluations: int
    tolerance: float
    limit_seconds: float


@dataclass(frozen=True)
class Options:
    """Two families, cells of each, and how they are trained and looked at.

    `denoiser`, `gpt`, with their names in the authors' tables; `cells`, `gpt_cells`: training samples, bits per group, steps;
    `lr`, `gpt_lr`: of Adam and of AdamW (decay 0.01); `samples`: at each of the `evaluations`; `tolerance`: a sample
    counts only if every bit is this near to ±1 (0.1 in theirs; 1 reads every bit by its sign); `limit_seconds`: of one
    network; `workers`: processes.
    """

    denoiser: DiT | FeedForward
    gpt: GPT
    cells: Cells
    gpt_cells: Cells
    names: tuple[str, str] = ("DiT-mini", "GPT-mini")
    lr: float = 1e-4
    gpt_lr: float = 1e-4
    batch: int = 256
    samples: int = 2048
    evaluations: int = 60
    tolerance: float = 0.1
    seeds: tuple[int, ...] = (0, 1)
    limit_seconds: float = 1e6
    workers: int | None = None

    def __post_init__(self) -> None:
        for name in ("batch", "samples", "evaluations"):
            integer_option(self, name, at_least=1)
        number_option(self, "lr", above=0)
        number_option(self, "gpt_lr", above=0)

    def settings(self) -> dict[str, Setting]:
        """Every network by name."""
        families = (
            ("denoiser", self.denoiser, self.cells, self.lr, 0.0),
            ("gpt", self.gpt, self.gpt_cells, self.gpt_lr, 0.01),
        )
        return {
            cell_of(family, n, g): Setting(
                model,
                n,
                g,
                steps,
                lr,
                decay,
                self.batch,
                self.samples,
                self.evaluations,
                self.tolerance,
                self.limit_seconds,
            )
            for family, model, cells, lr, decay in families
            for n, g, steps in cells
        }


def cell_of(family: str, n: int, group: int) -> str:
    return f"{family} N={n} G={group}"


PRESETS = {
    "tiny": Options(FeedForward(16, 1), GPT(16, 1, 2), ((64, 3, 30),), ((64, 3, 30),), lr=1e-3, gpt_lr=1e-3, batch=32, samples=32,
                    evaluations=6, seeds=(0,), workers=1),
    "cpu": Options(FeedForward(512, 2), GPT(32, 2, 4),
                   ((64, 3, 1500), (128, 3, 3500), (128, 2, 3500), (128, 6, 3500)),
                   ((64, 3, 700), (128, 3, 1000), (128, 2, 1000), (128, 6, 1000)),
                   lr=1e-3, gpt_lr=1e-3, batch=64, samples=128, evaluations=26, tolerance=1.0, seeds=(0, 1, 2)),
    "paper": Options(DiT(patch=1, width=384, blocks=6, heads=6), GPT(384, 6, 6),
                     tuple((n, g, 1_000_000) for n in (1024, 2048, 4096, 8192) for g in (2, 3, 4, 6)),
                     tuple((n, g, 100_000) for n in (1024, 4096, 32_768) for g in (2, 3, 4, 6))),
}  # fmt: skip


class _OutOfTimeError(Exception):
    """A network used up its time: what was recorded stays."""


def evaluated_at(steps: int, count: int) -> Int[np.ndarray, " evaluation"]:
    """Steps of evaluations: early ones near together, as theirs are, and the last five within a third of the run."""
    return np.unique(np.ceil(steps * (np.arange(1, count + 1) / count) ** 2).astype(int))


def measure(setting: Setting, seed: int) -> xr.Dataset:
    """Train one network; at every evaluation the share of valid samples, of copies, and of valid ones among the novel."""
    rule = GroupParity(D, setting.G)
    random = streams(seed)
    train, _ = rule.split(setting.N, random["data"], allow_chance=True)
    steps = evaluated_at(setting.steps, setting.evaluations)
    begun, rows = clock.perf_counter(), []

    def look(bits: Any, readable: Any) -> None:
        chance = (rule.size - len(train)) / (2.0**D - len(train))
        found = innovation(bits, train, lambda b: rule.valid(b) & readable, chance=chance, support=rule.size)
        copies = float((found.is_copy & readable).mean())
        rows.append([found.valid.value, copies, found.rule.value])
        if clock.perf_counter() - begun > setting.limit_seconds:
            raise _OutOfTimeError

    try:
        if isinstance(setting.model, GPT):
            _train_tokens(setting, setting.model, seed, train, random, steps, look)
        else:
            _train_denoiser(setting, setting.model, seed, rule.encode(train), steps, look)
    except _OutOfTimeError:
        pass
    made = np.array(rows[: len(steps)])
    columns = {name: ("evaluation", made[:, i]) for i, name in enumerate(("accuracy", "copies", "novel"))}
    return xr.Dataset({"step": ("evaluation", steps[: len(made)].astype(float)), **columns})


def _train_denoiser(setting: Setting, model: DiT | FeedForward, seed: int, encoded: Any, steps: Any, look: Any) -> None:
    shape = (EDGE, EDGE) if isinstance(model, DiT) else (D,)
    shaped = encoded.reshape(-1, *shape)
    tensor = torch.as_tensor(shaped, dtype=torch.float32, device=find_device("auto"))

    def watch(samples: Any) -> dict[str, float]:
        flat = np.asarray(samples).reshape(len(samples), -1)
        look((flat > 0).astype(np.int64), (np.abs(np.abs(flat) - 1) <= setting.tolerance).all(axis=1))
        return {"looked": 1.0}

    probe = Probe(
        Spectrum(np.ones(D)) if shape == (D,) else Spectrum.from_samples(shaped),
        sampler=SAMPLER,
        steps=steps,
        n_samples=setting.samples,
        seed=seed,
        sigma=(),
        keep_samples=0,
        watch={"seen": _after_the_start(watch)},
        chunk=max(1024, setting.samples),
    )
    fit(
        model.build(shape, seed=stream_seed(seed, Stream.INIT)),
        shaped,
        objective=OBJECTIVE,
        optimizer=Adam(setting.lr),
        steps=setting.steps,
        options=LoopOptions(batch_size=setting.batch),
        probe=probe,
        seed=seed,
        pairs=WithReplacement(tensor, setting.batch, OBJECTIVE.density, (SAMPLER.sigma_min, SAMPLER.sigma_max), seed),
    )


def _after_the_start(watch: Any) -> Any:
    """Leave out the first call, which is of the untrained network."""
    calls = [0]

    def later(samples: Any) -> dict[str, float]:
        calls[0] += 1
        return watch(samples) if calls[0] > 1 else {"looked": 0.0}

    return later


def _train_tokens(setting: Setting, model: GPT, seed: int, train: Any, random: Any, steps: Any, look: Any) -> None:
    network = model.build(D, seed=stream_seed(seed, Stream.INIT)).to(find_device("auto"))

    def seen(step: int, network: Any) -> None:
        bits = generate(network, setting.samples, seed=sampling_seed(seed, step))
        look(bits, np.ones(len(bits), dtype=bool))

    def batches(step: int) -> Any:
        return train[random["batches"].integers(0, len(train), setting.batch)]

    run = train_tokens(
        network, batches, steps=setting.steps, lr=setting.lr, decay=setting.decay, watch=steps, look=seen
    )
    for _ in run:
        pass
