"""How far along its path every mode is, and how fast it goes: a likelihood in ln variance on a grid, no inversion (T20)."""

from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Bool, Float

from .paths import STEP, Paths

SLOPES = np.array([0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0])
"""Speeds along a path, in ln theory time per ln time, among which the data choose."""

SLOPE_SPREAD, SLOPE_OWN = 0.75, 0.35
"""Standard deviations of the prior of the speed that all groups have in common, about 1, and of each about it."""

SLOPE_EFFECTIVE = 8.0
"""As how many independent groups all of them count in what they say of their common speed."""

FLOOR = 0.1
"""Error of theory's paths in ln variance, beside the samples' own."""

SURE = 0.8
"""A mode whose place, in ln theory time, has a smaller posterior spread than this has moved: it is informative."""

Groups = Float[np.ndarray, " group"]


@dataclass(frozen=True, eq=False)
class Observed:
    """What was measured of groups of modes.

    `log_variance`: (record, group) mean of ln variance in a window of the last records, `back`: (record,) their ln time less that
    of the last step, <= 0; `error`: (record, group) standard error; `start`, `way`: (group,) ln variance that a path starts from
    and what it covers.
    """

    log_variance: Float[np.ndarray, "record group"]
    back: Float[np.ndarray, " record"]
    error: Float[np.ndarray, "record group"]
    start: Groups
    way: Groups


@dataclass(frozen=True, eq=False)
class Progress:
    """Where groups of modes are on their paths.

    - `log_likelihood`: (grid, group) of the data, given that a group is at a grid point now, its speed integrated out.
    - `place`, `spread`: (group,) mean and standard deviation of the ln theory time now, under a flat prior.
    - `slope`, `slope_square`: (grid, group) mean and mean square of the speed at each place.
    - `informative`: groups that have moved far enough to be placed.
    """

    log_likelihood: Float[np.ndarray, "grid group"]
    place: Groups
    spread: Groups
    slope: Float[np.ndarray, "grid group"]
    slope_square: Float[np.ndarray, "grid group"]
    informative: Bool[np.ndarray, " group"]


def progress_of(paths: Paths, seen: Observed) -> Progress:
    """Grid likelihood of every group's place on its path, speeds weighed by their prior and integrated out."""
    variance = seen.error**2 + FLOOR**2
    constant = -0.5 * np.log(2 * np.pi * variance).sum(axis=0)
    joint = -0.5 * np.stack([_squares(paths, seen, variance, slope) for slope in SLOPES])
    joint += _speeds(joint)[:, None]
    likelihood = scipy.special.logsumexp(joint, axis=0)
    weight = np.exp(joint - likelihood)
    slope, square = (np.tensordot(power, weight, axes=1) for power in (SLOPES, SLOPES**2))
    posterior = np.exp(likelihood - likelihood.max(axis=0))
    posterior /= posterior.sum(axis=0)
    place = paths.grid @ posterior
    spread = np.sqrt(np.maximum((paths.grid**2) @ posterior - place**2, STEP**2 / 12))
    informative = (spread < SURE) & (posterior[0] < EDGE) & (posterior[-1] < EDGE)
    return Progress(likelihood + constant, place, spread, slope, square, informative)


def _speeds(likelihood: Float[np.ndarray, "slope grid group"]) -> Float[np.ndarray, "slope group"]:
    """ln prior of each group's speed, given what all others say of the speed that they have in common.

    Each alone says little of its speed before it has come far, and all of them together much: a run accelerates as a whole.
    """
    width = np.log(np.gradient(SLOPES))
    own = -0.5 * ((SLOPES - SLOPES[:, None]) / SLOPE_OWN) ** 2 + width  # common, own
    own -= scipy.special.logsumexp(own, axis=1, keepdims=True)
    each = scipy.special.logsumexp(likelihood, axis=1)
    given = scipy.special.logsumexp(own[:, :, None] + (each - each.max(axis=0)), axis=1)
    given /= max(1.0, given.shape[1] / SLOPE_EFFECTIVE)
    common = given.sum(axis=1, keepdims=True) - given + (width - 0.5 * ((SLOPES - 1) / SLOPE_SPREAD) ** 2)[:, None]
    common -= scipy.special.logsumexp(common, axis=0)
    return np.asarray(scipy.special.logsumexp(common[:, None] + own[:, :, None], axis=0))


EDGE = 1e-3
"""Posterior weight at an end of the grid above which a place is not known."""


def _squares(
    paths: Paths, seen: Observed, variance: Float[np.ndarray, "record group"], slope: float
) -> Float[np.ndarray, "grid group"]:
    """Sum over records of squared errors, in units of their variance, if a group is at each grid point now."""
    size = paths.grid.size
    total = np.zeros(paths.progress.shape)
    for log_variance, back, one in zip(seen.log_variance, slope * seen.back / STEP, variance, strict=True):
        whole = int(np.floor(back))
        way = back - whole
        rows = np.clip(np.arange(size + 1) + whole, 0, size - 1)
        shifted = paths.progress[rows]
        here = shifted[:-1] * (1 - way) + shifted[1:] * way
        here *= -seen.way / np.sqrt(one)
        here += (log_variance - seen.start) / np.sqrt(one)
        total += np.square(here, out=here)
    return total
