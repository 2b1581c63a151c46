"""Training on real images: losses, shares and copies of every class at every checkpoint."""

import warnings
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
from jaxtyping import Float

from eigenclock.checks import InputError, InputWarning
from eigenclock.comparison.probe import Probe
from eigenclock.curve.learning_curve import LearningCurve
from eigenclock.data.labelled import load_labelled
from eigenclock.observables.class_clocks import class_clocks
from eigenclock.observables.class_gate import ClassGate
from eigenclock.recipe.objectives import Epsilon
from eigenclock.recipe.samplers import Euler
from eigenclock.spectrum.spectrum import Spectrum
from eigenclock.training.devices import device_of, find_device
from eigenclock.training.loop import train
from eigenclock.training.network_options import FeedForward, Network, UNet
from eigenclock.training.optimizers import Adam
from eigenclock.training.options import LoopOptions
from eigenclock.training.probing.cadence import log_steps
from eigenclock.training.streams import RandomPairs, Stream, stream_seed
from ..study import Say
from ..sweep import sweep
from .fashion_data import ARMS, Classes, classes_of, synthetic
from .mixtures import class_wiener_loss

TIMES = (0.1, 0.3, 1.0)
"""Noise times of the class losses; the primary clock is their mean."""

SPAN = (0.02, 3.0)
"""Noise times that training draws, evenly in ln t."""

NOISES, LEAST_ACCURACY = 4, 0.97
"""Draws of noise per test image; least accuracy of the classifier, below which other classes are asked for."""

SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class Options:
    """`data`: path of labelled images, "synthetic", or empty: not run. `d`: PCA coordinates, null for pixels.

    `three`: three classes in three arms, with samples; or all classes, balanced, by their losses alone.
    """

    data: str
    network: Network
    steps: int
    n: int = 600
    d: int | None = 32
    pca_from: int = 2000
    pool: int = 300
    three: bool = True
    seeds: tuple[int, ...] = field(default=(0, 1, 2), repr=False)
    batch: int = 128
    lr: float = 1e-3
    checkpoints: int = 24
    first: int = 2
    samples: int = 768
    sampler_steps: int = 60
    test: int = 1000
    limit_seconds: float = field(default=360.0, repr=False)
    workers: int | None = field(default=None, repr=False)


_TINY = Options(
    SYNTHETIC, FeedForward(16, 1, 8, "silu"), 30, 120, 8, 200, 60, seeds=(0,), batch=32, checkpoints=4, samples=40,
    sampler_steps=5, test=30, workers=1,
)  # fmt: skip
_CPU = Options("", FeedForward(256, 3, 8, "silu"), 5000, pool=1000)
_PAPER = Options(
    "", UNet(32, (1, 2, 2), 1, (7,)), 100_000, 3000, None, 2000, 1500, seeds=(0, 1, 2, 3, 4), lr=2e-4, samples=2000,
    sampler_steps=100, limit_seconds=36_000,
)  # fmt: skip
PRESETS = {"tiny": _TINY, "cpu": _CPU, "paper": _PAPER}
COPIES_PRESETS = {
    "tiny": replace(_TINY, n=60),
    "cpu": replace(_CPU, n=100, steps=10_000),
    "paper": replace(_PAPER, n=500),
}
"""Fewer images, longer: copies appear. Sizes from a run with seed 10,000, which is never reported."""

TEN_PRESETS = {
    "tiny": replace(_TINY, three=False),
    "cpu": replace(_CPU, three=False, n=3000, steps=600, seeds=tuple(range(110, 120)), checkpoints=40, test=400),
    "paper": replace(_PAPER, three=False, n=15_000, steps=20_000, checkpoints=60),
}


@dataclass(frozen=True)
class Setting:
    """One arm of one study."""

    options: Options
    arm: str


@lru_cache(maxsize=2)
def prepared(data: str, three: bool, d: int | None, pca_from: int, pool: int) -> Classes:
    """Data, the same for all arms and seeds."""
    labelled = synthetic() if data == SYNTHETIC else load_labelled(data)
    return classes_of(labelled, three=three, d=d, pca_from=pca_from, pool=pool, seed=0)


def data_of(options: Options) -> Classes:
    """The classes of a study's options."""
    return prepared(options.data, options.three, options.d, options.pca_from, options.pool)


@lru_cache(maxsize=2)
def gate_of(data: Classes) -> ClassGate:
    """A classifier of real images outside every training set; InputError if it is not accurate enough."""
    labels = np.repeat(np.arange(len(data.others)), [len(one) for one in data.others])
    gate = ClassGate.of(np.concatenate(data.others), labels)
    if gate.accuracy < LEAST_ACCURACY:
        raise InputError(
            f"the classifier must be right for {LEAST_ACCURACY:.0%} of images, got {gate.accuracy:.1%}: choose other classes"
        )
    return gate


def sigma_of(t: Any) -> Any:
    """Noise level σ of the variance-exploding frame at time t: √(e^{2t} − 1)."""
    return np.sqrt(np.expm1(2 * np.asarray(t)))


@dataclass(frozen=True, eq=False)
class LogTimePairs(RandomPairs):
    """Noise times evenly in ln t over `SPAN`."""

    def levels(self, step: int) -> Float[np.ndarray, " batch"]:
        """Noise levels of a step."""
        rng = np.random.default_rng([self.seed, int(Stream.LEVEL), step])
        low, high = (float(np.log(t)) for t in SPAN)
        return sigma_of(np.exp(rng.uniform(low, high, self.batch_size)))


class ClassLosses:
    """Noise-prediction loss of every class at `TIMES`, on fixed points with fixed noise, from a denoiser: for a probe."""

    def __init__(self, points: list[Any], shape: tuple[int, ...], seed: int) -> None:
        rng = np.random.default_rng([seed, int(Stream.DATA), 1])
        self.points, self.shape = points, shape
        self.noise = [rng.standard_normal((NOISES, *x.shape)) for x in points]

    def __call__(self, denoiser: Any) -> dict[str, float]:
        """0_0.1 … by class and time."""
        found = {}
        for k, (clean, xi) in enumerate(zip(self.points, self.noise, strict=True)):
            for t in TIMES:
                sigma = float(sigma_of(t))
                flat = (clean + sigma * xi).reshape(-1, *self.shape)
                noisy = torch.as_tensor(flat, dtype=torch.float32, device=device_of(denoiser))
                denoised = denoiser(noisy, torch.tensor(sigma)).cpu().double().numpy().reshape(xi.shape)
                predicted = (clean + sigma * xi - denoised) / sigma
                found[f"{k}_{t:g}"] = float((predicted**2 - 2 * predicted * xi).mean()) + 1  # |ξ|² is 1
        return found


def excess(curve: LearningCurve, covariance: list[Any]) -> Float[np.ndarray, "t K checkpoint"]:
    """Normalised excess of every class's loss over that of the best linear denoiser of the class."""
    loss = np.array([[curve.dataset[f"loss_{k}_{t:g}"].values for k in range(len(covariance))] for t in TIMES])
    best = np.array([[class_wiener_loss(c, t) for c in covariance] for t in TIMES])[..., None]
    return (loss - best) / (1 - best)


def trained(options: Options, samples: Any, losses: ClassLosses, shape: tuple[int, ...], seed: int) -> LearningCurve:
    """Train on samples (n, *shape) and return the probe's curve, with the losses of the classes and its samples."""
    levels = [float(sigma_of(t)) for t in SPAN]
    count = options.samples if options.three else 2
    probe = Probe(
        Spectrum.from_samples(samples),
        sampler=Euler(steps=options.sampler_steps if options.three else 2, sigma_min=levels[0], sigma_max=levels[1]),
        steps=log_steps(options.first, options.steps, options.checkpoints),
        n_samples=count,
        keep_samples=count,
        seed=seed,
        sigma=(),
        inspect={"loss": losses},
    )
    given = torch.as_tensor(samples, dtype=torch.float32, device=find_device("auto"))
    train(
        options.network.build(shape, seed=stream_seed(seed, Stream.INIT)),
        samples,
        objective=Epsilon(path="vp"),
        optimizer=Adam(options.lr),
        steps=options.steps,
        options=LoopOptions(batch_size=options.batch),
        probe=probe,
        seed=seed,
        pairs=LogTimePairs(given, options.batch, None, (1e-3, 1e3), seed),
    )
    return probe.curve()


def _shape(options: Options, samples: Any) -> tuple[int, ...]:
    edge = int(np.sqrt(samples.shape[1]))
    return tuple(samples.shape[1:]) if options.d is not None else (edge, edge)


def case(setting: Setting, seed: int) -> xr.Dataset:
    """Train one arm and return, at every checkpoint, losses, shares and copies by class."""
    options = setting.options
    data = data_of(options)
    gate = gate_of(data)
    samples, control, counts = data.arm(ARMS[setting.arm], options.n, seed)
    shape = _shape(options, samples)
    shaped = samples.reshape(-1, *shape)
    losses = ClassLosses([x[: options.test] for x in data.test], shape, seed)
    curve = trained(options, shaped, losses, shape, seed)
    known = {"proportions": counts / counts.sum(), "names": data.names}
    seen = class_clocks(curve, gate, pass_rate=np.maximum(gate.pass_rate, 1e-3), **known)
    with (
        warnings.catch_warnings()
    ):  # a copy counts for its nearest class, and noise for some class: no clock is read of that
        warnings.simplefilter("ignore", InputWarning)
        copied = class_clocks(curve, gate.nearest, train=shaped, control=control.reshape(shaped.shape), **known)
    assert copied.copied is not None
    assert copied.by_chance is not None
    dims = ("t", "class", "checkpoint")
    return xr.Dataset(
        {
            "step": ("checkpoint", curve.dataset["time"].values),
            "excess": (dims, excess(curve, data.covariance)),
            "share": (("checkpoint", "class"), seen.share[0]),
            "f_mem": (("checkpoint", "class"), copied.copied[0]),
            "f_mem_control": (("checkpoint", "class"), copied.by_chance[0]),
            "proportion": ("class", counts / counts.sum()),
        },
        coords={"t": list(TIMES), "class": list(data.names)},
    )


def balanced_case(setting: Setting, seed: int) -> xr.Dataset:
    """Train on all classes in equal shares and return the excess loss of each at every checkpoint."""
    options = setting.options
    data = data_of(options)
    samples, _, _ = data.arm(np.full(len(data.names), 1 / len(data.names)), options.n, seed)
    shape = _shape(options, samples)
    losses = ClassLosses([x[: options.test] for x in data.test], shape, seed)
    curve = trained(options, samples.reshape(-1, *shape), losses, shape, seed)
    return xr.Dataset(
        {
            "step": ("checkpoint", curve.dataset["time"].values),
            "excess": (("t", "class", "checkpoint"), excess(curve, data.covariance)),
        },
        coords={"t": list(TIMES), "class": list(data.names)},
    )


def measure(options: Options, folder: Path, say: Say) -> xr.Dataset:
    """Every arm and seed: dims arm, replicate, class, checkpoint, t."""
    arms: tuple[str, ...] = tuple(ARMS) if options.three else ("balanced",)
    found = sweep(
        case if options.three else balanced_case,
        {arm: Setting(options, arm) for arm in arms},
        seeds=options.seeds,
        folder=folder / "runs" / f"fashion_{'three' if options.three else 'all'}_n{options.n}",
        workers=options.workers,
        limit_seconds=options.limit_seconds,
        say=say,
    )
    whole = [arm for arm in arms if len(found.seeds_of(arm)) == len(options.seeds)]
    if not whole:
        raise InputError(f"limit_seconds must leave time for one arm, got {options.limit_seconds:g}")
    parts = [xr.concat(found.seeds_of(arm), "replicate", combine_attrs="drop") for arm in whole]
    data = data_of(options)
    about = {"source": data.source, "n": options.n, "kept": data.kept, "traces": data.traces.tolist()}
    if options.three:
        gate = gate_of(data)
        about |= {"accuracy": gate.accuracy, "pass_rate": gate.pass_rate.tolist()}
    return xr.concat(parts, pd.Index(whole, name="arm")).assign_attrs(truncated=int(bool(found.dropped)), **about)
