"""Clocks of generators: steps to a Fréchet distance that lasts, to a consistency, to the covariance; and their ratios."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy
import xarray as xr

from eigenclock.checks import choice
from eigenclock.clocks.passage import Clock, Passages
from eigenclock.clocks.replicates import LogRatio
from eigenclock.theory.flow_clocks import CONVERGED, mode_clocks, second_order_distance

SUSTAINED = 1.05
"""A passage of a Fréchet distance counts if all later values stay below this times the target."""

OWN = 4.0
"""Noise floors within which a generator has come to what its decoder can show. From a pilot of seed 0, which is not reported:
of the arms none and scr it was 4.8 and 4.5 after 750 steps, 3.0 and 2.7 after 4,000."""

FEWEST_MODES = 30


def sustained(steps: Any, values: Any, target: float) -> Passages:
    """First passage below a target after which the record stays below 1.05 times it, log-interpolated; one run."""
    time, value = np.asarray(steps, dtype=float), np.asarray(values, dtype=float)
    beyond = np.flatnonzero(value > SUSTAINED * target)
    first = 0 if beyond.size == 0 else int(beyond[-1])
    if first == value.size - 1:
        return Passages(np.array([time[-1]]), np.array([np.inf]), target, "Fréchet distance")
    return Clock("Fréchet distance", target, "falling").of(time[first:], value[first:])


def joined(several: Sequence[Passages]) -> Passages:
    """Clocks of several runs as one over replicates."""
    low, high = (np.concatenate([getattr(one, side) for one in several]) for side in ("low", "high"))
    return Passages(low, high, several[0].target, several[0].observable)


def own_clock(run: xr.Dataset, times: float = OWN) -> Passages:
    """Steps until generated images are as near the arm's own reconstructions as some noise floors, to stay; one run.

    The noise floor is the distance of reconstructions of other images from them: what a perfect generator would have.
    """
    own, floor = run["fd"].sel(feature="own").values, float(run["fd_floor"].sel(feature="own"))
    return sustained(run["step"].values, own, times * floor)


def speedup(arm: Sequence[xr.Dataset], baseline: Sequence[xr.Dataset], observable: str) -> LogRatio:
    """ln(T(baseline)/T(arm)) paired by seed: > 0 where the arm is faster.

    `observable`: "own", steps until generated images are within `OWN` noise floors of the arm's own reconstructions; "pix",
    to the baseline's final Fréchet distance to real images; "consistency", to the slower arm's final one.
    """
    choice("observable", observable, ("own", "pix", "consistency"))
    base, other = [], []
    for ours, theirs in zip(arm, baseline, strict=True):
        if observable == "consistency":
            finals = [float(one["consistency"][-1]) for one in (ours, theirs)]
            clock = Clock("consistency", min(finals), "rising")
            both = [clock.of(one["step"].values, one["consistency"].values) for one in (theirs, ours)]
        elif observable == "own":
            both = [own_clock(one) for one in (theirs, ours)]
        else:
            target = float(theirs["fd"].sel(feature=observable)[-1])
            both = [
                sustained(one["step"].values, one["fd"].sel(feature=observable).values, target)
                for one in (theirs, ours)
            ]
        base.append(both[0])
        other.append(both[1])
    return LogRatio.of(joined(base), joined(other))


def measured_modes(run: xr.Dataset) -> Any:
    """Measured mode clocks of one run."""
    return mode_clocks(run["fine_step"].values, run["latent_var"].values, run["spectrum"].values)


def order_of_modes(run: xr.Dataset) -> tuple[float, int]:
    """Spearman's rank correlation of predicted and measured mode clocks, and how many of the measured ones are uncensored.

    Over all modes outside the gray zone: those that were there at the first record are tied in front, those that never came at
    the end.
    """
    found, predicted = measured_modes(run), run["tau_lin"].values
    root = np.sqrt(run["spectrum"].values)
    early = np.where(root >= 1, 1, -1) * (run["latent_var"].values[0] - root) >= 0
    seen, ranked = np.isfinite(found.time) & ~found.gray_zone, ~found.gray_zone
    n = int(seen.sum())
    if n < 3:
        return float("nan"), n
    time = np.where(seen, found.time, np.where(early, 0.0, np.inf))
    never = np.where(np.isfinite(predicted), predicted, np.inf)
    return float(scipy.stats.spearmanr(never[ranked], time[ranked]).statistic), n


def covariance_clock(run: xr.Dataset) -> Passages:
    """First step at which the generated covariance is within 0.02 of the latents' own, relative to its trace."""
    distance = second_order_distance(run["latent_var"].values, run["spectrum"].values)
    return Clock("second-order distance", CONVERGED, "falling").of(run["fine_step"].values, distance)


def exponents(run: xr.Dataset) -> tuple[float, float]:
    """Slopes of ln τ on ln λ of modes that grow and of modes that shrink."""
    found = measured_modes(run)
    return found.power_law("rising").exponent, found.power_law("falling").exponent
