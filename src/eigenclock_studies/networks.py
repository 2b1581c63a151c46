"""Networks of a study, trained on the cores there are, each once and into a folder of its own: the curves of their probes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import xarray as xr

from eigenclock.checks import InputError
from eigenclock.curve.learning_curve import LearningCurve
from eigenclock.recipe.densities import LogNormal
from eigenclock.recipe.objectives import EDM, Objective
from eigenclock.recipe.samplers import Heun, Sampler
from eigenclock.spectrum.spectrum import Spectrum
from eigenclock.training.network_options import Network
from eigenclock.training.optimizers import Adam, Descent
from eigenclock.training.options import STREAM, LoopOptions
from .sweep import sweep

Curves = dict[str, LearningCurve]
"""Curves of one trained network by name; "" is of its data's own spectrum."""


@runtime_checkable
class Source(Protocol):
    """Where samples come from: a frozen dataclass, so that another process can read them again."""

    def load(self) -> tuple[Any, Spectrum]:
        """Samples (n, ...) and their spectrum."""
        ...


@runtime_checkable
class Look(Protocol):
    """What is looked at along the way: a frozen dataclass."""

    @property
    def steps(self) -> tuple[int, ...]:
        """After which steps, multiples of ten."""
        ...

    def __call__(self, folder: Path, step: int, denoiser: Any, samples: Any) -> None:
        """Keep what is found of the denoiser after `step` in the run's folder; may be called again for the same step."""
        ...


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the networks of a study are trained and watched.

    `replacement`: draw every batch anew instead of shuffled epochs. `records`: steps at which the model is sampled, in place of
    `probes` log-spaced ones. `ema`: decay per step of the averaged weights that are looked at; 0 looks at the weights.
    """

    network: Network
    steps: int
    batch_size: int
    optimizer: Descent = field(default_factory=lambda: Adam(1e-4))
    objective: Objective = field(default_factory=lambda: EDM(density=LogNormal()))
    sampler: Sampler = field(default_factory=lambda: Heun(steps=20))
    replacement: bool = False
    probes: int = 40
    records: tuple[int, ...] = ()
    probe_samples: int = 256
    gain_levels: int = 12
    ema: float = 0.0


@dataclass(frozen=True)
class Case:
    """A network to be trained: on what, how, and what else is followed or looked at. Its runs lie in runs/`name`_seed0, ..."""

    name: str
    source: Source
    recipe: Recipe
    also: tuple[tuple[str, Callable[[Any], Spectrum]], ...] = ()
    looks: tuple[Look, ...] = ()


@dataclass(frozen=True)
class Run:
    """A case with one seed."""

    case: Case
    seed: int

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.case.name}_seed{self.seed}"


def runs_of(cases: Sequence[Case], seeds: Sequence[int]) -> list[Run]:
    """Every case with every seed, all cases of the first seed first."""
    return [Run(case, seed) for seed in seeds for case in cases]


def train_runs(
    folder: Path, runs: Sequence[Run], *, workers: int | None = None, say: Callable[[str], None] = lambda words: None
) -> dict[tuple[str, int], Curves]:
    """Curves of every run by (case, seed). What is not trained yet is, side by side, one thread each.

    A run that was stopped goes on from its checkpoint. `workers`: processes; as many as cores by default; 1 trains here.
    """
    named = {run.name: run for run in runs}
    if len(named) < len(runs):
        raise InputError(f"runs must have different names, got {', '.join(run.name for run in runs)}")
    here: dict[str, Curves] = {}
    sweep(partial(_one, folder, here), named, seeds=(0,), folder=folder / "cases", workers=workers, say=say)
    return {(run.case.name, run.seed): here.get(run.name) or trained(folder, run) for run in runs}


def _one(folder: Path, here: dict[str, Curves], run: Run, _: int) -> xr.Dataset:
    """Train one; `here` keeps the curves of what this process trains, other processes have a copy of their own."""
    here[run.name] = trained(folder, run)
    return xr.Dataset({"steps": run.case.recipe.steps})


def place_of(folder: Path, run: Run) -> Path:
    """Where a run lies in a study's folder."""
    return folder / "runs" / run.name


def trained(folder: Path, run: Run) -> Curves:
    """Curves of a network that is trained here, as far as it is not yet."""
    import torch

    from eigenclock.comparison.probe import Probe
    from eigenclock.training.devices import find_device
    from eigenclock.training.loop import train
    from eigenclock.training.probing.cadence import log_steps
    from eigenclock.training.streams import RandomPairs, Stream, WithReplacement, stream_seed

    case, seed, recipe, place = run.case, run.seed, run.case.recipe, place_of(folder, run)
    samples, spectrum = case.source.load()
    network = recipe.network.build(samples.shape[1:], spectrum=spectrum, seed=stream_seed(seed, Stream.INIT))
    records = [step for step in recipe.records if step <= recipe.steps]
    probe = Probe(
        spectrum,
        sampler=recipe.sampler,
        steps=records or log_steps(1, recipe.steps, recipe.probes),
        n_samples=recipe.probe_samples,
        seed=seed,
        data=samples,
        sigma=np.geomspace(recipe.sampler.sigma_min, recipe.sampler.sigma_max, recipe.gain_levels)
        if recipe.gain_levels
        else (),
        gain_samples=recipe.probe_samples,
        also={name: make(samples) for name, make in case.also},
        keep_samples=8,
    )
    kind = WithReplacement if recipe.replacement else RandomPairs
    tensor = torch.as_tensor(np.ascontiguousarray(samples), dtype=torch.float32, device=find_device("auto"))
    reach = (recipe.sampler.sigma_min, recipe.sampler.sigma_max)
    for stop in sorted({recipe.steps, *(step for look in case.looks for step in look.steps)}):
        result = train(
            network,
            samples,
            objective=recipe.objective,
            optimizer=recipe.optimizer,
            steps=stop,
            options=LoopOptions(batch_size=recipe.batch_size, ema=recipe.ema, checkpoint_every=500),
            probe=probe,
            seed=seed,
            spectrum=spectrum,
            pairs=kind(tensor, recipe.batch_size, recipe.objective.density, reach, seed),
            folder=place,
            resume=True,
            settings={
                "network": str(recipe.network),
                "objective": str(recipe.objective),
                "source": str(case.source),
                "replacement": recipe.replacement,
                "watched": repr((replace(recipe, steps=1), case.also)),
            },
        )
        for look in case.looks:
            if result.step == stop and stop in look.steps:
                look(place, stop, result.denoiser, samples)
    return {key: probe.curve(key) for key in probe.names}


def losses(place: Path) -> tuple[Any, Any]:
    """Steps and losses of a run's folder."""
    from eigenclock.training.log import read_metrics

    records = read_metrics(place / STREAM)
    return np.array([r["step"] for r in records], dtype=float), np.array([r["loss"] for r in records], dtype=float)
