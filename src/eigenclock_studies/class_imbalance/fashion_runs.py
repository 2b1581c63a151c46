"""Training an arm of the real images: losses, shares and copies of every class at every checkpoint."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
from jaxtyping import Float

from eigenclock.checks import InputError
from eigenclock.data.labelled import load_labelled
from eigenclock.observables.class_clocks import class_clocks
from eigenclock.recipe.objectives import Epsilon
from eigenclock.recipe.samplers import Euler
from eigenclock.spectrum.spectrum import Spectrum
from eigenclock.training.cadence import log_steps
from eigenclock.training.devices import device_of, find_device
from eigenclock.training.loop import train
from eigenclock.training.network_options import FeedForward, Network, UNet
from eigenclock.training.optimizers import Adam
from eigenclock.training.options import LoopOptions
from eigenclock.training.probe import Probe
from eigenclock.training.streams import RandomPairs, Stream, stream_seed
from ..study import Say
from ..sweep import sweep
from .fashion_data import ARMS, Judge, ThreeClasses, judge_of, synthetic, three_classes
from .mixtures import class_wiener_loss

TIMES = (0.1, 0.3, 1.0)
"""Noise times of the class losses; the primary clock is their mean."""

SPAN = (0.02, 3.0)
"""Noise times that training draws, evenly in ln t."""

NOISES = 4
SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class Options:
    """`data`: path of labelled images, "synthetic", or empty: not run. `d`: PCA coordinates, null for pixels."""

    data: str
    network: Network
    steps: int
    n: int = 600
    d: int | None = 32
    pca_from: int = 2000
    pool: int = 300
    seeds: tuple[int, ...] = (0, 1, 2)
    batch: int = 128
    lr: float = 1e-3
    checkpoints: int = 24
    first: int = 2
    samples: int = 1024
    sampler_steps: int = 60
    test: int = 1000
    limit_seconds: float = 360.0
    workers: int | None = None


PRESETS = {
    "tiny": Options(
        SYNTHETIC, FeedForward(32, 2, 8, "silu"), 60, 120, 8, 200, 60, (0,), 32, checkpoints=4, samples=64,
        sampler_steps=10, test=50, workers=1,
    ),
    "cpu": Options("", FeedForward(256, 3, 8, "silu"), 6000),
    "paper": Options(
        "", UNet(32, (1, 2, 2), 1, (7,)), 100_000, 3000, None, 2000, 1500, (0, 1, 2, 3, 4), 128, 2e-4, samples=2000,
        sampler_steps=100, limit_seconds=36_000,
    ),
}  # fmt: skip


COPIES_PRESETS = {
    "tiny": replace(PRESETS["tiny"], n=60),
    "cpu": replace(PRESETS["cpu"], n=100, steps=10_000, limit_seconds=400.0),
    "paper": replace(PRESETS["paper"], n=500),
}
"""Fewer images, longer: copies appear. Sizes from a run with seed 10,000, which is never reported."""


@dataclass(frozen=True)
class Setting:
    """One arm of one study."""

    options: Options
    arm: str


@lru_cache(maxsize=1)
def prepared(options: Options) -> tuple[ThreeClasses, Judge]:
    """Data and classifier, the same for all arms and seeds."""
    data = synthetic() if options.data == SYNTHETIC else load_labelled(options.data)
    classes = three_classes(data, d=options.d, pca_from=options.pca_from, pool=options.pool, seed=0)
    return classes, judge_of(classes)


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

    def __init__(self, sets: dict[str, list[Any]], shape: tuple[int, ...], seed: int) -> None:
        rng = np.random.default_rng([seed, int(Stream.DATA), 1])
        self.sets, self.shape = sets, shape
        self.noise = {name: [rng.standard_normal((NOISES, *x.shape)) for x in parts] for name, parts in sets.items()}

    def __call__(self, denoiser: Any) -> dict[str, float]:
        """test_0_0.1 … by set, class and time."""
        found = {}
        for name, parts in self.sets.items():
            for k, clean in enumerate(parts):
                for t in TIMES:
                    sigma = float(sigma_of(t))
                    xi = self.noise[name][k]
                    flat = (clean + sigma * xi).reshape(-1, *self.shape)
                    noisy = torch.as_tensor(flat, dtype=torch.float32, device=device_of(denoiser))
                    denoised = denoiser(noisy, torch.tensor(sigma)).cpu().double().numpy().reshape(xi.shape)
                    predicted = (clean + sigma * xi - denoised) / sigma
                    found[f"{name}_{k}_{t:g}"] = float((predicted**2 - 2 * predicted * xi).mean()) + 1  # |ξ|² is 1
        return found


def case(setting: Setting, seed: int) -> xr.Dataset:
    """Train one arm and return, at every checkpoint, losses, shares and copies by class."""
    options = setting.options
    data, judge = prepared(options)
    samples, control, counts = data.arm(setting.arm, options.n)
    edge = int(np.sqrt(samples.shape[1]))
    shape = samples.shape[1:] if options.d is not None else (edge, edge)
    shaped = samples.reshape(-1, *shape)
    parts = np.split(samples, np.cumsum(counts)[:-1])
    mixed = np.random.default_rng(seed).permutation(sum(min(options.test, len(x)) for x in data.test))
    tests = [x[: options.test] for x in data.test]
    shuffled = np.array_split(np.concatenate(tests)[mixed], 3)
    losses = ClassLosses({"test": tests, "train": parts, "shuffled": shuffled}, shape, seed)
    objective = Epsilon(path="vp")
    sampler = Euler(steps=options.sampler_steps, sigma_min=float(sigma_of(SPAN[0])), sigma_max=float(sigma_of(SPAN[1])))
    probe = Probe(
        Spectrum.from_samples(shaped),
        sampler=sampler,
        steps=log_steps(options.first, options.steps, options.checkpoints),
        n_samples=options.samples,
        keep_samples=options.samples,
        seed=seed,
        sigma=(),
        inspect={"loss": losses},
    )
    given = torch.as_tensor(shaped, dtype=torch.float32, device=find_device("auto"))
    trained = train(
        options.network.build(shape, seed=stream_seed(seed, Stream.INIT)),
        shaped,
        objective=objective,
        optimizer=Adam(options.lr),
        steps=options.steps,
        options=LoopOptions(batch_size=options.batch),
        probe=probe,
        seed=seed,
        pairs=LogTimePairs(given, options.batch, None, (1e-3, 1e3), seed),
    )
    del trained
    curve = probe.curve()
    known = {"proportions": counts / counts.sum(), "names": data.names}
    seen = class_clocks(curve, judge.strict, pass_rate=np.maximum(judge.pass_rate, 1e-3), **known)
    copied = class_clocks(curve, judge.nearest, train=shaped, control=control.reshape(shaped.shape), **known)
    assert copied.copied is not None
    assert copied.by_chance is not None

    def of(name: str) -> Any:
        return np.array([[curve.dataset[f"loss_{name}_{k}_{t:g}"].values for k in range(3)] for t in TIMES])

    best = np.array([[class_wiener_loss(c, t) for c in data.covariance] for t in TIMES])
    best_shuffled = np.array([[class_wiener_loss(np.cov(x.reshape(len(x), -1).T), t) for x in shuffled] for t in TIMES])
    dims = ("t", "class", "checkpoint")
    return xr.Dataset(
        {
            "step": ("checkpoint", curve.dataset["time"].values),
            "loss": (dims, of("test")),
            "train_loss": (dims, of("train")),
            "excess": (dims, ((of("test") - best[..., None]) / (1 - best[..., None]))),
            "excess_shuffled": (dims, (of("shuffled") - best_shuffled[..., None]) / (1 - best_shuffled[..., None])),
            "share": (("checkpoint", "class"), seen.share[0]),
            "f_mem": (("checkpoint", "class"), copied.copied[0]),
            "f_mem_control": (("checkpoint", "class"), copied.by_chance[0]),
            "proportion": ("class", counts / counts.sum()),
        },
        coords={"t": list(TIMES), "class": list(data.names)},
    )


def measure(options: Options, folder: Path, say: Say) -> xr.Dataset:
    """Every arm and seed: dims arm, replicate, class, checkpoint, t."""
    found = sweep(
        case,
        {arm: Setting(options, arm) for arm in ARMS},
        seeds=options.seeds,
        folder=folder / "runs" / f"fashion_n{options.n}",
        workers=options.workers,
        limit_seconds=options.limit_seconds,
        say=say,
    )
    arms = [arm for arm in ARMS if len(found.seeds_of(arm)) == len(options.seeds)]
    if not arms:
        raise InputError(f"limit_seconds must leave time for one arm, got {options.limit_seconds:g}")
    parts = [xr.concat(found.seeds_of(arm), "replicate", combine_attrs="drop") for arm in arms]
    data, judge = prepared(options)
    return xr.concat(parts, pd.Index(arms, name="arm")).assign_attrs(
        truncated=int(bool(found.dropped)),
        source=data.source,
        n=options.n,
        kept=data.kept,
        accuracy=judge.accuracy,
        traces=data.traces.tolist(),
        pass_rate=judge.pass_rate.tolist(),
    )
