"""Convolutional networks against a dense peer that has the law: is it gone, do modes come at once, are they one convolution?"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from eigenclock.clocks.emergence import Emergence
from eigenclock.clocks.replicates import student_interval
from eigenclock.files import atomic
from eigenclock.spectrum.patches import patch_spectrum
from eigenclock.spectrum.spectrum import Spectrum
from eigenclock.training.network_options import MLP, ConvNet, Network, UNet
from eigenclock.training.optimizers import Adam
from ..networks import Case, Recipe, Run, place_of, runs_of, train_runs
from ..study import Part, Say
from . import images
from .images import Images
from .laws import DIRECTIONS, FEWEST, Law, counts, interval
from .verdicts import TINY, gone_verdict, linear_verdict, simultaneous_verdict

FIT_LEVELS = (0.05, 0.2, 0.5, 1.0, 3.0, 10.0)
"""Noise levels at which the network is set against one linear convolution."""

LINEAR = 0.9
"""A share explained above this is one linear convolution."""

LEFT = 0.02
"""Share of the network that one pixel must leave unexplained for more of it to be explained."""

FIT_IMAGES = 64

IMAGE, PEER, ZERO = "image modes", "MLP", "MLP, zero output"


@dataclass(frozen=True)
class Patches:
    """The spectrum of square patches of images."""

    size: int
    stride: int

    def __call__(self, samples: Any) -> Spectrum:
        return patch_spectrum(samples, size=self.size, stride=self.stride)


@dataclass(frozen=True)
class ConvolutionFits:
    """R² of one linear convolution of several kernels, at some steps, in fits.csv of the run's folder."""

    kernels: tuple[int, ...]
    steps: tuple[int, ...]

    def __call__(self, folder: Path, step: int, denoiser: Any, samples: Any) -> None:
        from eigenclock.training.convolution_fit import convolution_fit

        rows = [
            {"step": step, "kernel": kernel, "sigma": sigma, "r2": r2}
            for kernel in self.kernels
            for sigma, r2 in zip(
                FIT_LEVELS, convolution_fit(denoiser, samples[:FIT_IMAGES], sigma=FIT_LEVELS, size=kernel), strict=True
            )
        ]
        file = folder / "fits.csv"
        old = pd.read_csv(file).query(f"step < {step}") if file.exists() else pd.DataFrame()
        with atomic(file) as temporary:
            pd.concat([old, pd.DataFrame(rows)]).to_csv(temporary, index=False)


@dataclass(frozen=True)
class Options:
    """Networks by name, their training, patches followed, kernels fitted; `peer`: the part whose chain is the control."""

    networks: tuple[tuple[str, Network], ...]
    seeds: tuple[int, ...]
    recipe: Recipe
    peer: images.Options
    patches: tuple[tuple[int, int], ...] = ((3, 1), (4, 4), (8, 8))
    kernels: tuple[int, ...] = (1, 3, 5, 7, 11, 15)
    fit_steps: tuple[int, ...] = (10, 100, 1000)
    workers: int | None = None
    judged: bool = True

    def peers(self) -> dict[str, Case]:
        """The controls by name: the chain of the part on images, and the same from a last layer of zeros, as the others start."""
        chain = self.peer.case(self.peer.data[0])
        zero = replace(self.peer.recipe, network=replace(cast(MLP, self.peer.recipe.network), zero_output=True))
        return {PEER: chain, ZERO: Case("convolution_zero", chain.source, zero)}

    def cases(self) -> list[Case]:
        """Every network on the peers' images."""
        source = self.peer.case(self.peer.data[0]).source
        also = tuple((f"patch {p} stride {s}", Patches(p, s)) for p, s in self.patches)
        fits = ConvolutionFits(self.kernels, tuple(sorted({*self.fit_steps, self.recipe.steps})))
        return [
            Case(f"convolution_{label}", source, replace(self.recipe, network=network), also, (fits,))
            for label, network in self.networks
        ]


def _recipe(steps: int, batch_size: int, **more: Any) -> Recipe:
    adam = Adam(3e-4)
    return Recipe(**{"network": MLP(), "optimizer": adam, "gain_levels": 0, **more}, steps=steps, batch_size=batch_size)


PRESETS = {
    "tiny": Options(
        (("ConvNet", ConvNet(8, 1)),),
        (0,),
        _recipe(40, 16, probes=8, probe_samples=24),
        images.PRESETS["tiny"],
        ((3, 1),),
        (1, 3),
        (10,),
        workers=1,
        judged=False,
    ),
    "cpu": Options(
        (("UNet", UNet(16, (1, 2), 1)), ("ConvNet", ConvNet(16, 3))),
        (0, 1, 2),
        _recipe(1000, 64, probes=30, probe_samples=128),
        images.PRESETS["cpu"],
    ),
    "paper": Options(
        (("UNet", UNet(64, (1, 2, 2), 2, (8,))), ("ConvNet", ConvNet(64, 8))),
        (0, 1, 2),
        _recipe(50_000, 256, probes=60, probe_samples=512),
        images.PRESETS["paper"],
        ((3, 1), (8, 8), (16, 16)),
        fit_steps=(10, 100, 1000, 10_000),
    ),
}  # fmt: skip


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train every network under image modes and patch modes, and fit one linear convolution along the way."""
    peers, cases = options.peers(), options.cases()
    found = train_runs(folder, runs_of([*peers.values(), *cases], options.seeds), workers=options.workers, say=say)
    drawn = {label: [found[case.name, seed][""].emergence() for seed in options.seeds] for label, case in peers.items()}
    theirs = {d: {label: Law.of(tables, d) for label, tables in drawn.items()} for d in DIRECTIONS}
    laws: list[dict[str, Any]] = [
        {"network": label, "modes_of": IMAGE} | law.row() for known in theirs.values() for label, law in known.items()
    ]
    claims, fits = [], []
    for (label, _), case in zip(options.networks, cases, strict=True):
        for key in found[case.name, options.seeds[0]]:
            tables = [found[case.name, seed][key].emergence() for seed in options.seeds]
            here = {direction: Law.of(tables, direction) for direction in DIRECTIONS}
            laws += [{"network": label, "modes_of": key or IMAGE} | law.row() for law in here.values()]
            if not key:
                drawn[label] = tables
                for direction in DIRECTIONS:
                    if min(here[direction].modes) >= FEWEST or direction == "falling":
                        claims += _claims(label, here[direction], theirs[direction])
        of_seeds = [
            pd.read_csv(place_of(folder, Run(case, seed)) / "fits.csv").assign(network=label, seed=seed)
            for seed in options.seeds
        ]
        fits.append(pd.concat(of_seeds).drop_duplicates(["network", "seed", "step", "kernel", "sigma"]))
        claims.append(_fit_claim(label, options, fits[-1]))
    if not options.judged:
        claims = [claim | {"verdict": TINY} for claim in claims]
    fit = pd.concat(fits)
    figures = {"times": times_figure(drawn), "fits": fit_figure(fit)}
    return Part(claims, {"laws": pd.DataFrame(laws), "fits": fit}, figures, notes=_notes(options), shown=("laws",))


def _claims(label: str, law: Law, peers: dict[str, Law]) -> list[dict[str, str]]:
    """The law is gone; and modes come at nearly one time."""
    modes = f"{counts(law.modes)} modes, {counts(law.open)} not begun"
    less = [interval(peer.alpha.minus(law.alpha)) for peer in peers.values()]
    ratios = [interval(law.spread.over(peer.spread)) for peer in peers.values()]
    return [
        {
            "claim": f"{label}, {law.direction} modes: the law of the dense peer is gone",
            "paper": "α ≈ 0; MNIST patches: falling modes all at steps 60 to 150",
            "here": f"α = {interval(law.alpha.estimate)} ({modes})",
            "interval": f"peers' α less this one: {', '.join(less)}",
            "control": "; ".join(f"{name}: α = {interval(peer.alpha.estimate)}" for name, peer in peers.items()),
            "verdict": gone_verdict(law, list(peers.values())),
        },
        {
            "claim": f"{label}, {law.direction} modes: they come near-simultaneously",
            "paper": "near-simultaneous",
            "here": f"ln of the times of 90 % over 10 % of the modes: {interval(law.spread.estimate)}",
            "interval": f"over the peers': {', '.join(ratios)}",
            "control": "; ".join(f"{name}: {interval(peer.spread.estimate)}" for name, peer in peers.items()),
            "verdict": simultaneous_verdict(law, list(peers.values())),
        },
    ]


def beyond_a_pixel(fits: pd.DataFrame, kernel: int) -> pd.Series:
    """Of what a pixel by itself does not explain of the network, the share that one linear convolution does, by noise level.

    Only where a pixel leaves something to explain.
    """
    mean = fits.groupby(["sigma", "kernel"])["r2"].mean().unstack("kernel")
    left = 1 - mean[1]
    return ((mean[kernel] - mean[1]) / left)[left > LEFT]


def _fit_claim(label: str, options: Options, fits: pd.DataFrame) -> dict[str, str]:
    large, first, last = max(options.kernels), fits["step"].min(), fits["step"].max()
    early, late = (
        [beyond_a_pixel(fits[(fits["step"] == step) & (fits["seed"] == seed)], large) for seed in options.seeds]
        for step in (first, last)
    )
    words = [f"{pd.concat(shares).min():.2f} to {pd.concat(shares).max():.2f}" for shares in (early, late)]
    worst = student_interval([shares.min() for shares in early])
    later = student_interval([after.mean() - before.mean() for before, after in zip(early, late, strict=True)])
    return {
        "claim": f"{label}: early in training the network is one linear convolution, later less so (Fig. 14)",
        "paper": "U-Net, step 54, σ 5: a 15×15 kernel leaves .0072 of its error",
        "here": f"share that {large}×{large} explains of what one pixel leaves, over noise levels: step {first}: {words[0]}; "
        f"step {last}: {words[1]}",
        "interval": f"worst noise level early {interval(worst)}; change of the mean {interval(later)}",
        "control": "0 for what a 1×1 kernel explains already",
        "verdict": linear_verdict(worst, later, LINEAR),
    }


def times_figure(tables: dict[str, list[Emergence]]) -> Figure:
    """Emergence time against variance of every network, one seed, and the share of modes that have come by each step."""
    figure = Figure(figsize=(9.2, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for i, (label, seeds) in enumerate(tables.items()):
        colour = f"C{i}"
        for direction, mark in zip(DIRECTIONS, "^v", strict=True):
            use = seeds[0].select(direction)
            left.loglog(
                seeds[0].target[use], seeds[0].time[use], mark, color=colour, ms=3, mew=0, alpha=0.6,
                label=label if direction == "falling" else None,
            )  # fmt: skip
        for table in seeds:
            use = table.select("rising") | table.select("falling")
            if use.any():
                time = np.sort(table.time[use])
                right.step(time / np.median(time), np.linspace(0, 1, time.size), where="post", color=colour, alpha=0.7)
    left.set(xlabel="data variance of the mode", ylabel="emergence time (steps)")
    right.set(xscale="log", xlabel="time over the median mode's", ylabel="share of modes that have come")
    left.legend(frameon=False, fontsize=8)
    return figure


def fit_figure(fits: pd.DataFrame) -> Figure:
    """R² of one linear convolution against kernel size, by noise level, early and late."""
    networks = list(dict.fromkeys(fits["network"]))
    steps = sorted(fits["step"].unique())
    figure = Figure(figsize=(3.2 * len(steps), 3 * len(networks)), layout="constrained")
    axes = figure.subplots(len(networks), len(steps), squeeze=False, sharey=True)
    for row, network in zip(axes, networks, strict=True):
        for ax, step in zip(row, steps, strict=True):
            here = fits[(fits["network"] == network) & (fits["step"] == step)]
            mean = here.groupby(["sigma", "kernel"])["r2"].mean().unstack("sigma")
            for i, sigma in enumerate(mean.columns):
                ax.plot(mean.index, mean[sigma], "o-", ms=3, color=f"C{i}", label=f"σ = {sigma:g}")
            ax.set(
                title=f"{network}, step {step}",
                xlabel="kernel size (pixels)",
                ylim=(min(0, float(np.nanmin(mean))), 1.02),
            )
        row[0].set_ylabel("R² of one linear convolution")
    axes[0, -1].legend(frameon=False, fontsize=7)
    return figure


def _notes(options: Options) -> tuple[str, ...]:
    recipe, source = options.recipe, Images(options.peer.data[0])
    return (
        f"All on {source.name}. Convolutional networks: {recipe.optimizer}, batches of {recipe.batch_size}, {recipe.steps:,} "
        f"steps; the peer is {options.peer.recipe.network} of the part on images, and the same from a last layer of zeros. "
        "Exponents and spreads do not depend on the unit of time.",
        "A peer without a law of its own leaves the claims inconclusive: nothing can be gone that was not there. Modes of "
        "patches are in the table.",
    )
