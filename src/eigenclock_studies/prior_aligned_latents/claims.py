"""Claims of the study: what was measured with its interval, where a claim needs it, and its controls."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from eigenclock.clocks.passage import Passages
from eigenclock.clocks.replicates import Estimate, LogRatio, mean_correlation
from ..claims import Claim, Measure, exact, factor, in_words, mean, ratio
from ..permutations import BY_CHANCE, by_chance, correlations
from .clocks import FEWEST_MODES, covariance_clock, exponents, joined, order_of_modes, own_clock, speedup
from .config import CONTROLS

Runs = Mapping[str, Sequence[xr.Dataset]]

GATE_L1 = 1.3
"""Most that an arm's reconstruction error may exceed the baseline's, for its generator to be compared at all."""

GATE = "whether a Fréchet distance of pixels can judge is the part gate's row"

SAME = 1.25
"""Factor within which a null must leave everything."""


def scalars(runs: Sequence[xr.Dataset], name: str) -> np.ndarray:
    """A scalar over seeds."""
    return np.array([float(run[name]) for run in runs])


def final(runs: Sequence[xr.Dataset], feature: str) -> np.ndarray:
    """Last Fréchet distance over seeds."""
    return np.array([float(run["fd"].sel(feature=feature)[-1]) for run in runs])


def own_gap(runs: Sequence[xr.Dataset]) -> np.ndarray:
    """Last distance from the arm's own reconstructions, in noise floors, over seeds."""
    return final(runs, "own") / np.array([float(run["fd_floor"].sel(feature="own")) for run in runs])


def faster(runs: Runs, arm: str) -> list[Claim]:
    """H3 for one arm, by the distance from its own reconstructions, and by consistency of classes; pixels to real ones beside."""
    base, ours = runs["none"], runs[arm]
    l1 = factor("reconstruction error over the baseline's", scalars(ours, "l1") / scalars(base, "l1"), below=GATE_L1)
    gap = in_words(factor("", own_gap(ours) / own_gap(base)).found)
    floors = in_words(factor("", _floor(ours) / _floor(base)).found)
    beside = f"{GATE}; floor of the distance to real images, which its decoder sets, over the baseline's {floors}"
    words = f"H3: alignment “{arm}” makes the generator faster"
    return [
        Claim(
            f"{words}, to its own reconstructions",
            (ratio("speed-up", speedup(ours, base, "own"), above=1),),
            (l1,),
            here=f"last distance in noise floors over the baseline's {gap}",
            beside=beside,
        ),
        Claim(
            f"{words}, to the slower one's consistency",
            (ratio("speed-up", speedup(ours, base, "consistency"), above=1),),
            (l1,),
        ),
    ]


def _floor(runs: Sequence[xr.Dataset]) -> np.ndarray:
    return np.array([float(run["fd_floor"].sel(feature="pix")) for run in runs])


def geometry(runs: Runs, omega: str) -> list[Claim]:
    """H1 and its null: the same information re-coded, and a rotation, which an MLP does not see."""
    base, ours, turned = runs["none"], runs[omega], runs["rotation"]
    floor = max(float(np.abs(a["fd_floor"][0] - b["fd_floor"][0])) for a, b in zip(base, ours, strict=True))
    same = exact("its reconstructions differ from the baseline's by", floor, below=1e-3)
    named = f"H1: the same information in another geometry is learned more slowly ({omega} against identity)"
    rows, null = [], []
    for words, read, above in (
        (f"{named}, by consistency", _consistency, 2.0),
        (f"{named}, by the distance to real images", _pixels, 1.5),
        (f"{named}, to its own reconstructions", _own, 2.0),
        (f"H1: a coupling makes the latent space less continuous ({omega})", _continuity, 1.8),
    ):
        found, nothing = read(base, ours), read(base, turned)
        null.append(replace(nothing, name=f"rotation: {nothing.name}", above=1 / SAME, below=SAME))
        beside = GATE if read in (_pixels, _own) else ""
        rows.append(Claim(words, (replace(found, above=above),), (same, null[-1]), beside=beside))
    return [*rows, Claim("H1, null: a rotation changes nothing for an MLP", tuple(null))]


def _consistency(base: Sequence[xr.Dataset], arm: Sequence[xr.Dataset]) -> Measure:
    return ratio("consistency clock over the baseline's", speedup(base, arm, "consistency"))


def _pixels(base: Sequence[xr.Dataset], arm: Sequence[xr.Dataset]) -> Measure:
    return factor("last pixel distance over the baseline's", final(arm, "pix") / final(base, "pix"))


def _own(base: Sequence[xr.Dataset], arm: Sequence[xr.Dataset]) -> Measure:
    return ratio("own clock over the baseline's", speedup(base, arm, "own"))


def _continuity(base: Sequence[xr.Dataset], arm: Sequence[xr.Dataset]) -> Measure:
    return factor("LPC over the baseline's", scalars(arm, "lpc") / scalars(base, "lpc"))


def properties(runs: Runs) -> list[Claim]:
    """H2: what each alignment does to the latent space's own numbers, beside what wrong priors do."""
    rows, base = [], runs["none"]
    wrong = [name for name in CONTROLS if name in runs]
    if "scr" in runs:
        gained = scalars(runs["scr"], "gsq") - scalars(base, "gsq")
        rivals = tuple(
            mean(f"gain beyond the {name} prior's", scalars(runs["scr"], "gsq") - scalars(runs[name], "gsq"), above=0)
            for name in wrong
        )
        rows.append(Claim("H2a: SCR raises global semantics (GSQ)", (mean("gain", gained, above=0.02),), rivals=rivals))
    continuous = _arm(runs, "mcr")
    if continuous:
        lpc, who = scalars(runs[continuous], "lpc"), "MCR" if continuous == "mcr" else TOGETHER
        rivals = tuple(
            factor(f"LPC over the {name} prior's", lpc / scalars(runs[name], "lpc"), below=1) for name in wrong
        )
        moved = factor("LPC over the baseline's", lpc / scalars(base, "lpc"), below=0.9)
        rows.append(Claim(f"H2b: {who}: the latent space is more continuous (lower LPC)", (moved,), rivals=rivals))
    spatial = _arm(runs, "ssr")
    if spatial:
        gained = scalars(runs[spatial], "ssc") - scalars(base, "ssc")
        readable = mean(
            "the baseline's SSC beyond chance", scalars(base, "ssc") - scalars(base, "ssc_chance"), above=0.1
        )
        who = "SSR" if spatial == "ssr" else TOGETHER
        rows.append(
            Claim(f"H2c: {who}: spatial structure (SSC) is higher", (mean("gain", gained, above=0),), (readable,))
        )
    return rows


TOGETHER = "the three losses together"


def _arm(runs: Runs, loss: str) -> str | None:
    """The arm of one loss alone; else that of all three together, if there is one."""
    return next((arm for arm in (loss, "all") if arm in runs), None)


def prior_controls(runs: Runs) -> list[Claim]:
    """Whether what an alignment gains, a wrong prior gains too."""
    if "scr" not in runs:
        return []
    gain = ratio("scr is faster than no alignment", speedup(runs["scr"], runs["none"], "own"), above=1)
    return [
        Claim(
            f"the prior matters: scr is faster than with a {name} prior, to own reconstructions",
            (ratio("speed-up", speedup(runs["scr"], runs[name], "own"), above=1),),
            here=f"against no alignment {in_words(gain.found)}",
            beside="last distance in noise floors: "
            + ", ".join(f"{one} {own_gap(runs[one]).mean():.2f}" for one in ("scr", name, "none")),
        )
        for name in CONTROLS
        if name in runs
    ]  # fmt: skip


def mode_order(runs: Runs) -> list[Claim]:
    """H4: the spectrum predicts mode clocks; and not sample quality."""
    plain = [name for name in runs if not name.startswith(("omega", "permutation"))]
    pairs = {name: [order_of_modes(run) for run in runs[name]] for name in plain}
    by_seed = np.array([[one for one, _ in several] for several in pairs.values()]).mean(axis=0)
    modes = min(n for several in pairs.values() for _, n in several)
    found = mean_correlation(by_seed) if np.isfinite(by_seed).all() else Estimate(np.nan, np.nan, np.nan, by_seed.size)
    slopes = np.array([exponents(run) for run in runs["none"]])
    seen = (
        slopes[np.isfinite(slopes).all(axis=1)].mean(axis=0)
        if np.isfinite(slopes).all(axis=1).any()
        else (np.nan, np.nan)
    )
    rows = [
        Claim(
            f"H4: the latent spectrum predicts mode clocks ({len(plain)} arms without a coupling)",
            (Measure("rank correlation over modes, mean of the arms", found, above=0.75),),
            (exact("uncensored modes, fewest of a run", modes, above=FEWEST_MODES - 1),),
            beside=f"exponents of τ in λ, not assumed: {seen[0]:.2f} of growing, {seen[1]:.2f} of shrinking modes",
        )
    ]  # fmt: skip
    for worst in [name for name in runs if name.startswith("omega")][-1:]:
        covariance = LogRatio.of(*(joined([covariance_clock(run) for run in runs[name]]) for name in (worst, "none")))
        slower = speedup(runs["none"], runs[worst], "consistency")
        rows.append(
            Claim(
                f"H4: the spectrum alone does not predict sample quality ({worst}: covariance sooner, classes later)",
                (ratio("consistency clock", slower, above=1),),
                (ratio("covariance clock", covariance, below=1),),
            )
        )
    return rows


def link_table(runs: Runs) -> pd.DataFrame:
    """Per arm and seed: time predicted from the spectrum, local continuity, and what was measured; inf: not reached."""
    return pd.DataFrame(
        [
            {
                "arm": name,
                "seed": i,
                "the latent spectrum": float(run["t_lin"]),
                "local continuity (LPC)": float(run["lpc"]),
                "covariance clock": _to_rank(covariance_clock(run)),
                "last distance in noise floors": float(own_gap([run])[0]),
                "classes lost at the end": 1 - float(run["consistency"][-1]),
            }
            for name, several in runs.items()
            for i, run in enumerate(several)
        ]
    )


def _to_rank(clock: Passages) -> float:
    """A time to rank: 0 where it was met at the first record, inf where it was not reached."""
    return float(np.inf if np.isinf(clock.high[0]) else clock.low[0])


CAUSES = ("the latent spectrum", "local continuity (LPC)")
EFFECTS = ("covariance clock", "last distance in noise floors", "classes lost at the end")


def links(table: pd.DataFrame) -> list[Claim]:
    """Rank correlation over arms, mean of seeds, of what the latents alone say with what was measured; against permuted arms.

    Seeds share the arms, which are few: arms are permuted once for all seeds. A clock that was not reached is tied at the end.
    """
    rows = []
    arms = table["arm"].nunique()
    for cause in CAUSES if arms > 2 else ():
        for effect in EFFECTS:
            one, other = (table.pivot(index="seed", columns="arm", values=name).to_numpy() for name in (cause, effect))
            rows.append(
                Claim(
                    f"ours: {cause} orders the arms by {effect}",
                    (
                        exact(
                            f"rank correlation over {arms} arms, mean of seeds",
                            correlations(one, other).mean(),
                            above=0,
                        ),
                    ),
                    rivals=(exact("permutation p", by_chance(one, other), below=BY_CHANCE),),
                )
            )
    return rows


def arm_table(runs: Runs) -> pd.DataFrame:
    """Means over seeds of everything, an arm a row."""
    names = {
        "l1": "L1",
        "ssc": "SSC",
        "lpc": "LPC",
        "gsq": "GSQ",
        "erank": "eRank",
        "participation_ratio": "participation",
        "t_lin": "T_lin",
    }
    rows: list[dict[str, Any]] = []
    for arm, several in runs.items():
        rows.append(
            {
                "arm": arm,
                **{words: scalars(several, name).mean() for name, words in names.items()},
                "floor to real": _floor(several).mean(),
                "FD to real": final(several, "pix").mean(),
                "FD to own, in noise floors": own_gap(several).mean(),
                "own clock": str(joined([own_clock(one) for one in several])),
                "consistency": np.mean([float(one["consistency"][-1]) for one in several]),
                "covariance clock": str(joined([covariance_clock(one) for one in several])),
                "explained by the prior": float(several[0]["explained"]),
            }
        )
    return pd.DataFrame(rows)
