"""The parts of the study: whether its scores can judge, and every arm's autoencoder and generator."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from ..claims import Claim, exact, share
from ..figures import CYCLE, legend, panels
from ..study import Part, Say
from ..sweep import sweep
from . import claims, figures
from .claims import Runs
from .config import PriorLatentsConfig
from .networks import accuracy, judge
from .runs import HELD_OUT_SEED, ArmSetting, case
from .scores import LADDER, Scorer, harshness, ladder, rises
from .sprites import make_sprites

LEAST_ACCURACY = 0.93
EVEN = 10.0
"""Most that one blur may weigh against noise of 0.2, or the reverse: beyond it a score sees one kind of fault alone."""


def gate(config: PriorLatentsConfig, folder: Path, say: Say) -> Part:
    """Whether the scores can judge: they rise with every corruption, and mind blur and noise alike."""
    say("training the judge")
    network = judge(folder, config.fd_steps, config.variant)
    held_out = make_sprites(config.n_heldout, HELD_OUT_SEED, variant=config.variant)[0]
    scorer = Scorer.of(network, held_out.images)
    others = make_sprites(min(config.n_samples, config.n_heldout), HELD_OUT_SEED - 1, variant=config.variant)[0]
    table = ladder(scorer, others.images)
    named = round(accuracy(network, held_out) * len(held_out.labels))
    rows = [
        Claim("the judge names held-out shapes", (share("share", named, len(held_out.labels), above=LEAST_ACCURACY),))
    ]
    for feature, words in (("pix", "pooled pixels"), ("cls", "the judge's features")):
        up = sum(rises(table, feature, kind) for kind in LADDER)
        even = exact("one blur over noise of 0.2", harshness(table, feature), above=1 / EVEN, below=EVEN)
        rising = exact(f"ladders that rise, of {len(LADDER)}", up, above=len(LADDER) - 0.5)
        rows.append(Claim(f"the Fréchet distance of {words} can judge samples", (rising, even)))
    notes = ("Only distances that pass are used: the other one prefers noise to blur, or does not rise.",)
    return Part(rows, {"ladder": table}, {"ladder": _ladder_figure(table)}, None, notes, ("ladder",))


def arms(config: PriorLatentsConfig, folder: Path, say: Say) -> Part:
    """Train every arm, judge, draw."""
    judge(folder, config.fd_steps, config.variant)  # once, before workers ask for it
    settings = {arm: ArmSetting(arm, config, folder=str(folder)) for arm in config.all_arms()}
    found = sweep(case, settings, seeds=config.seeds, folder=folder / "runs", workers=config.workers, say=say)
    runs: Runs = {arm: found.seeds_of(arm) for arm in settings}
    coded = [arm for arm in runs if arm.startswith(("rotation", "omega", "permutation"))]
    trained = [arm for arm in runs if arm not in coded]
    rows: list[Claim] = []
    if coded:
        rows += claims.geometry(runs, coded[-1] if coded[-1].startswith("omega") else f"omega={max(config.omegas):g}")
    rows += claims.properties(runs)
    for arm in trained[1:]:
        if arm in config.arms:
            rows += claims.faster(runs, arm)
    rows += claims.prior_controls(runs) + claims.mode_order(runs)
    link = claims.link_table(runs)
    rows += claims.links(link)
    pictures = {
        "alignment": figures.curves(runs, trained),
        "samples": figures.sample_grid(runs, [*trained[:3], *coded[-1:]]),
        "continuity": figures.continuity(runs),
        "link": figures.link(link),
        "spectra": figures.spectra(runs),
    }
    if coded:
        pictures["recoding"] = figures.curves(runs, ["none", *coded])
    notes = (
        f"Prior: {config.prior} teacher; a supervised one leaks labels and is an upper bound. Every arm starts from the same "
        "warm start and has the same number of steps after it; re-coded arms have the baseline's autoencoder.",
        "Own clock: steps until generated images are within four noise floors of the arm's own reconstructions of held-out "
        "images, so that what an arm's decoder cannot show is not held against its generator.",
        "An MLP is blind to the layout of tokens; 4×4 tokens are few for spatial structure to be read.",
        "Predictions need no generator: `eigenclock.diagnose_latents` gives them for any latents.",
    )
    return Part(rows, {"arms": claims.arm_table(runs), "link": link}, pictures, gathered(runs), notes, ("arms",))


def gathered(runs: Runs) -> xr.Dataset:
    """All runs with dims arm, seed: what has the same shape everywhere."""
    several = [xr.concat(list(one), dim="seed") for one in runs.values()]
    return xr.concat(several, dim=pd.Index(list(runs), name="arm"))


def _ladder_figure(table: pd.DataFrame) -> Figure:
    picture, axes = panels(2, width=4.4, height=3.4)
    for ax, feature, words in zip(axes, ("pix", "cls"), ("pooled pixels", "the judge's features"), strict=True):
        start = float(table[feature].iloc[0])
        rungs = table[table["corruption"] != "none"].groupby("corruption", sort=False)
        for (kind, one), tone in zip(rungs, CYCLE, strict=False):
            ax.plot(np.arange(len(one) + 1), [start, *one[feature]], "o-", ms=4, color=tone, label=str(kind))
        ax.set(yscale="log", xlabel="rung of the ladder (0: real images)", ylabel=f"Fréchet distance, {words}")
        ax.set_xticks(range(5))
    legend(axes[0])
    return picture
