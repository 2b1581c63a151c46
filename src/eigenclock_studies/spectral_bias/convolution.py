"""Convolutional networks against a dense peer that has the law: is it gone, do modes come at once?"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from eigenclock.clocks.emergence import Emergence
from eigenclock.spectrum.patches import patch_spectrum
from eigenclock.spectrum.spectrum import Spectrum
from eigenclock.training.network_options import MLP, ConvNet, Network, UNet
from eigenclock.training.optimizers import Adam
from ..claims import Claim
from ..figures import CYCLE, legend, panels
from ..networks import Case, Recipe, runs_of, train_runs
from ..study import Part, Say
from . import images
from .claims import gone_claims
from .images import Images
from .laws import DIRECTIONS, Law

IMAGE, PEER, ZERO = "image modes", "MLP", "MLP, zero output"


@dataclass(frozen=True)
class Patches:
    """The spectrum of square patches of images."""

    size: int
    stride: int

    def __call__(self, samples: Any) -> Spectrum:
        return patch_spectrum(samples, size=self.size, stride=self.stride)


@dataclass(frozen=True)
class Options:
    """Networks by name, their training, patches followed; `peer`: the part whose chain is the control."""

    networks: tuple[tuple[str, Network], ...]
    seeds: tuple[int, ...]
    recipe: Recipe
    peer: images.Options
    patches: tuple[tuple[int, int], ...] = ((3, 1), (4, 4), (8, 8))
    workers: int | None = None

    def peers(self) -> dict[str, Case]:
        """The controls by name: the chain of the part on images, and the same from a last layer of zeros, as the others start."""
        chain = self.peer.case(self.peer.data[0])
        zero = replace(self.peer.recipe, network=replace(cast(MLP, self.peer.recipe.network), zero_output=True))
        return {PEER: chain, ZERO: Case("convolution_zero", chain.source, zero)}

    def cases(self) -> list[Case]:
        """Every network on the peers' images."""
        source = self.peer.case(self.peer.data[0]).source
        also = tuple((f"patch {p} stride {s}", Patches(p, s)) for p, s in self.patches)
        return [
            Case(f"convolution_{label}", source, replace(self.recipe, network=network), also)
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
        workers=1,
    ),
    "cpu": Options(
        (("UNet", UNet(16, (1, 2), 1)), ("ConvNet", ConvNet(16, 3))),
        (0, 1),
        _recipe(350, 64, probes=24, probe_samples=96),
        images.PRESETS["cpu"],
    ),
    "paper": Options(
        (("UNet", UNet(64, (1, 2, 2), 2, (8,))), ("ConvNet", ConvNet(64, 8))),
        (0, 1, 2),
        _recipe(50_000, 256, probes=60, probe_samples=512),
        images.PRESETS["paper"],
        ((3, 1), (8, 8), (16, 16)),
    ),
}  # fmt: skip


def run(options: Options, folder: Path, say: Say) -> Part:
    """Train every network under image modes and patch modes, and set its law beside those of its dense peers."""
    peers, cases = options.peers(), options.cases()
    found = train_runs(folder, runs_of([*peers.values(), *cases], options.seeds), workers=options.workers, say=say)
    drawn = {label: [found[case.name, seed][""].emergence() for seed in options.seeds] for label, case in peers.items()}
    theirs = {d: {label: Law.of(tables, d) for label, tables in drawn.items()} for d in DIRECTIONS}
    laws: list[dict[str, Any]] = [
        {"network": label, "modes_of": IMAGE} | law.row() for known in theirs.values() for label, law in known.items()
    ]
    claims: list[Claim] = []
    for (label, _), case in zip(options.networks, cases, strict=True):
        for key in found[case.name, options.seeds[0]]:
            tables = [found[case.name, seed][key].emergence() for seed in options.seeds]
            here = {direction: Law.of(tables, direction) for direction in DIRECTIONS}
            laws += [{"network": label, "modes_of": key or IMAGE} | law.row() for law in here.values()]
            if not key:
                drawn[label] = tables
                claims += [one for d in DIRECTIONS for one in gone_claims(label, here[d], theirs[d])]
    return Part(
        claims, {"laws": pd.DataFrame(laws)}, {"times": times_figure(drawn)}, notes=_notes(options), shown=("laws",)
    )


def times_figure(tables: dict[str, list[Emergence]]) -> Figure:
    """Emergence time against variance of every network, one seed, and the share of modes that have come by each step."""
    figure, (left, right) = panels(2, width=4.5, height=3.8)
    for (label, seeds), colour in zip(tables.items(), CYCLE, strict=False):
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
    legend(left)
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
