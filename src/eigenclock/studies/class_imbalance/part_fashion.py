"""Part: real images. Three classes of Fashion-MNIST, balanced and imbalanced, under a real network: learned, seen, copied."""

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
from jaxtyping import Float
from matplotlib.figure import Figure

from ...class_clocks import class_clocks
from ...data.labelled import load_labelled
from ...objectives import Epsilon
from ...passage import Clock, Passages
from ...replicates import LogRatio
from ...samplers import Euler
from ...spectrum import Spectrum
from ...sweep import sweep
from ...training.loop import train
from ...training.network_options import FeedForward, Network, UNet
from ...training.options import Adam, LoopOptions
from ...training.probe import Probe, log_steps
from ...training.streams import RandomPairs, Stream, stream_seed
from ..study import Part, Say
from .fashion_data import ARMS, Judge, ThreeClasses, judge_of, synthetic, three_classes
from .mixtures import class_wiener_loss
from .verdicts import factor, row

TIMES = (0.1, 0.3, 1.0)
"""Noise times of the class losses; the primary clock is their mean."""

SPAN = (0.02, 3.0)
"""Noise times that training draws, evenly in ln t."""

NOISES = 4
TARGETS = (0.5, 0.2)
EMERGED, COPIES = 0.5, 0.1
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
                    noisy = torch.as_tensor((clean + sigma * xi).reshape(-1, *self.shape), dtype=torch.float32)
                    denoised = denoiser(noisy, torch.tensor(sigma)).double().numpy().reshape(xi.shape)
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
    trained = train(
        options.network.build(shape, seed=stream_seed(seed, Stream.INIT)),
        shaped,
        objective=objective,
        optimizer=Adam(options.lr),
        steps=options.steps,
        options=LoopOptions(batch_size=options.batch),
        probe=probe,
        seed=seed,
        pairs=LogTimePairs(torch.as_tensor(shaped, dtype=torch.float32), options.batch, None, (1e-3, 1e3), seed),
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
    arms = [arm for arm in ARMS if found.seeds_of(arm)]
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


OBSERVABLES = {
    "e ≤ 0.5": ("excess", 0.5, "falling"),
    "e ≤ 0.2": ("excess", 0.2, "falling"),
    "emergence": ("share", EMERGED, "rising"),
    "copies": ("copies", COPIES, "rising"),
    "shuffled e ≤ 0.5": ("excess_shuffled", 0.5, "falling"),
    "shuffled e ≤ 0.2": ("excess_shuffled", 0.2, "falling"),
}


def passages(dataset: xr.Dataset, arm: str, clock: str, k: int, *, target: float | None = None) -> Passages:
    """A clock of a class in an arm, over replicates."""
    name, usual, direction = OBSERVABLES[clock]
    here = dataset.sel(arm=arm).isel({"class": k})
    if name == "copies":
        values = here["f_mem"] - here["f_mem_control"]
    elif name == "share":
        values = here["share"] / here["proportion"]
    else:
        values = here[name].mean("t")
    array = values.transpose("replicate", "checkpoint").values
    steps = here["step"].transpose("replicate", "checkpoint").values[0]
    return Clock(clock, usual if target is None else target, direction).of(steps, array)  # type: ignore[arg-type]


def clock_table(dataset: xr.Dataset) -> pd.DataFrame:
    """Every clock of every class in every arm, individual values and censoring."""
    rows = []
    for arm in dataset["arm"].values.tolist():
        for k, name in enumerate(dataset["class"].values.tolist()):
            row_: dict[str, Any] = {
                "arm": arm,
                "class": name,
                "share": float(dataset["proportion"].sel(arm=arm).isel({"class": k}).values.flat[0]),
            }
            for clock in OBSERVABLES:
                if not clock.startswith("shuffled"):
                    found = passages(dataset, arm, clock, k)
                    row_[clock] = ", ".join(_one(found, i) for i in range(len(found)))
            rows.append(row_)
    return pd.DataFrame(rows)


def _one(found: Passages, i: int) -> str:
    status = found.status[i]
    return {
        "hit": f"{found.low[i]:,.0f}",
        "right-censored": f"> {found.low[i]:,.0f}",
        "left-censored": f"≤ {found.high[i]:,.0f}",
    }.get(status, "–")


def claims(dataset: xr.Dataset) -> list[dict[str, str]]:
    """C7 and C6 on real images: reported either way, with three seeds never more than inconclusive."""
    arms, names = dataset["arm"].values.tolist(), dataset["class"].values.tolist()
    label = "synthetic stand-in" if dataset.attrs["source"] == SYNTHETIC else dataset.attrs["source"].replace("_", "-")
    label += f", n = {dataset.attrs['n']}"
    rows = []
    note = f"inconclusive ({dataset.sizes['replicate']} seeds, three classes: illustrates, cannot test a law)"
    for clock in ("e ≤ 0.5", "e ≤ 0.2", "emergence"):
        words, ratios = [], []
        for arm in arms:
            seen = [passages(dataset, arm, clock, k) for k in range(3)]
            ordered = np.argsort([one.low.mean() for one in seen], kind="stable").tolist()
            words.append(f"{arm}: " + ", ".join(f"{names[k]} {seen[k]}" for k in ordered))
            ratios.append(f"{arm}: {factor(LogRatio.of(seen[0], seen[2]))}")
        mixed = f"shuffled {clock}" if f"shuffled {clock}" in OBSERVABLES else "shuffled e ≤ 0.2"
        control = LogRatio.of(passages(dataset, arms[0], mixed, 0), passages(dataset, arms[0], mixed, 2))
        rows.append(
            row(
                f"C7 ({label}), {clock}: high variance first, the rare class later",
                "; ".join(words),
                f"{names[0]} (lowest variance) over {names[2]} (highest): " + "; ".join(ratios),
                f"shuffled labels: {factor(control)}",
                note,
            )
        )
    tops, words = [], []
    for arm in arms:
        here = dataset.sel(arm=arm)
        most = (here["f_mem"] - here["f_mem_control"]).max("checkpoint").mean("replicate").values
        tops.append(np.nanmax(most))
        words.append(
            f"{arm}: "
            + ", ".join(
                f"{n} {m:.2f} ({passages(dataset, arm, 'copies', k)})"
                for k, (n, m) in enumerate(zip(names, most, strict=True))
            )
        )
    windows = []
    for arm in arms:
        for i, j in permutations(range(3), 2):
            first, second = passages(dataset, arm, "copies", i), passages(dataset, arm, "e ≤ 0.2", j)
            open_ = LogRatio.of(second, first).low > 0
            if open_.any():
                windows.append(
                    f"{arm}: {names[i]} copied before {names[j]} is learned to 0.2 ({int(open_.sum())} of {open_.size})"
                )
    chance = float(dataset["f_mem_control"].max())
    rows.append(
        row(
            f"C6 ({label}): some classes are copied while others are not learned",
            "largest excess of copies, and when it passed 0.1: " + "; ".join(words),
            "; ".join(windows) or "no such window",
            f"the same samples against held-out images: at most {chance:.2f}",
            note if max(tops) >= COPIES else "memorisation not reached in this budget",
        )
    )
    return rows


def figure(dataset: xr.Dataset) -> Figure:
    """Excess loss, share and copies of each class, an arm per row."""
    arms, names = dataset["arm"].values.tolist(), dataset["class"].values.tolist()
    picture = Figure(figsize=(10.5, 2.7 * len(arms)), layout="constrained")
    axes = picture.subplots(len(arms), 3, sharex=True, sharey="col", squeeze=False)
    for line, arm in zip(axes, arms, strict=True):
        here = dataset.sel(arm=arm)
        steps = here["step"].transpose("replicate", "checkpoint").values[0]
        for k, colour in enumerate(("#0072B2", "#009E73", "#D55E00")):
            one = here.isel({"class": k})
            share = one["share"] / one["proportion"]
            for ax, values in zip(
                line, (one["excess"].mean("t"), share, one["f_mem"] - one["f_mem_control"]), strict=True
            ):
                ax.plot(steps, values.transpose("checkpoint", "replicate"), color=colour, lw=1, alpha=0.8)
            line[0].plot([], [], color=colour, lw=2, label=f"{names[k]}, {float(one['proportion'].values.flat[0]):.3g}")
        line[0].set(ylabel=f"{arm}\n excess loss", xscale="log", ylim=(-0.3, 1.1))
        line[1].set(ylabel="share/proportion", ylim=(0, 2))
        line[2].set(ylabel="copies beyond control")
        line[0].legend(frameon=False, fontsize=8)
        for ax, level in zip(line, (0.2, EMERGED, COPIES), strict=True):
            ax.axhline(level, color="0.6", lw=0.8, ls=":")
    for ax in axes[-1]:
        ax.set_xlabel("training step")
    return picture


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train, judge, draw; or say why it was not run."""
    if not options.data:
        reason = "needs Fashion-MNIST, given as --data path/to/fashion_mnist.npz or the folder of its IDX files"
        return Part([row("C7: holds with a real network on Fashion-MNIST", "–", "–", "–", f"not run: {reason}")])
    dataset = measure(options, folder, say)
    traces = ", ".join(f"{t:.1f}" for t in dataset.attrs["traces"])
    notes = (
        f"Classes by the trace of their covariance (all: {traces}), chosen before any training: "
        f"{', '.join(dataset['class'].values.tolist())}.",
        f"Classifier right for {100 * dataset.attrs['accuracy']:.1f} % of test images; PCA keeps "
        f"{100 * dataset.attrs['kept']:.0f} % of the variance.",
        "Real classes differ in anisotropy, centroid norm and overlap as well as in trace.",
        "The reference loss is that of the best linear denoiser of a class: a network can be better, and the excess negative.",
    )
    return Part(
        claims(dataset), {"clocks": clock_table(dataset)}, {"classes": figure(dataset)}, dataset, notes, ("clocks",)
    )
