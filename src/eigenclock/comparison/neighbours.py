"""How modes lend to their neighbours: a Gaussian process of the shift between theory's clock and the run's (T20)."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import scipy
from jaxtyping import Bool, Float

COMMON = 3.0
"""Standard deviation of a shift, in ln time, that all modes share: theory's unit of time is not known."""

DIRECTION = 1.0
"""The same of a shift that all rising, or all falling, modes share."""

TREND = 0.25
"""Standard deviation of the shift's slope on ln predicted time: modes may be spread more, or less, than predicted."""

SMOOTH, LENGTHS, OWN = (0.0, 0.2, 0.5), (0.7, 2.0), (0.05, 0.12, 0.3)
"""Sizes of a smooth deviation, its lengths in ln predicted time, and sizes of each mode's own, among which the data choose."""

SMOOTH_SPREAD = 0.5
"""Standard deviation of the prior of the smooth deviation's size about 0."""

Groups = Float[np.ndarray, " group"]


@dataclass(frozen=True, eq=False)
class Shifts:
    """Shift of every group of modes, as far as its neighbours tell, before its own data are looked at.

    `mean`: (group,), `covariance`: (group, group) of what neighbours share, `own`: standard deviation of what each has alone;
    `log_evidence` of the shifts that were seen.
    """

    mean: Groups
    covariance: Float[np.ndarray, "group group"]
    own: float
    log_evidence: float

    @property
    def spread(self) -> Groups:
        """Standard deviation of each group's shift."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 1e-6) + self.own**2)


def lend(
    shift: Groups,
    error: Groups,
    seen: Bool[np.ndarray, " group"],
    middle: Groups,
    rising: Bool[np.ndarray, " group"],
    size: Groups,
) -> Shifts:
    """What the shifts of the groups that were `seen`, with their errors, say of all.

    **Parameters**

    - `middle`: ln predicted time half-way, by which groups are neighbours. - `rising`: groups of one direction share more.
    - `size`: modes in each group.
    """
    centre, middle_seen = float(np.median(shift[seen])), float(np.median(middle[seen]))
    place, away = middle - middle_seen, shift[seen] - centre
    fixed = COMMON**2 + TREND**2 * np.outer(place, place)
    same = rising[:, None] == rising
    distance = (place[:, None] - place) ** 2
    best: Shifts | None = None
    pairs = np.ix_(seen, seen)
    for smooth, length, own in product(SMOOTH, LENGTHS, OWN):
        if smooth == 0 and length != LENGTHS[0]:
            continue
        kernel = fixed + same * (DIRECTION**2 + smooth**2 * np.exp(-distance / (2 * length**2)))
        noise = error[seen] ** 2 + own**2 / size[seen]
        factor = scipy.linalg.cho_factor(kernel[pairs] + np.diag(noise), lower=True)
        solved = scipy.linalg.cho_solve(factor, away)
        evidence = -0.5 * away @ solved - np.log(np.diag(factor[0])).sum() - 0.5 * away.size * np.log(2 * np.pi)
        evidence -= 0.5 * (smooth / SMOOTH_SPREAD) ** 2
        if best is not None and evidence <= best.log_evidence:
            continue
        cross = kernel[:, seen]
        left = kernel - cross @ scipy.linalg.cho_solve(factor, cross.T)
        best = Shifts(centre + cross @ solved, (left + left.T) / 2, own, float(evidence))
    assert best is not None
    return best
