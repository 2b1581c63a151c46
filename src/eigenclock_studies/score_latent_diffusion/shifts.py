"""How far learning curves in the number of samples lie apart along ln n, as a number or, where they do not overlap, a bound."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Shift(NamedTuple):
    """ln of how many times more samples one curve needs than another: equal bounds where the curves overlap."""

    low: float
    high: float


class Parallel(NamedTuple):
    """Curves ln e = intercept − slope·ln n of one common slope: the intercept of each, and that slope."""

    intercepts: Float[np.ndarray, " curve"]
    slope: float


def slopes(n: Float[np.ndarray, " size"], error: Float[np.ndarray, "curve size"]) -> Float[np.ndarray, " curve"]:
    """How steeply each curve falls: −d ln e/d ln n by least squares."""
    log = np.log(n) - np.log(n).mean()
    return np.asarray(-(np.log(error) @ log) / (log @ log))


def parallel(n: Float[np.ndarray, " size"], error: Float[np.ndarray, "curve size"]) -> Parallel:
    """Least squares of ln e = a_c − s·ln n over all curves at once."""
    slope = float(slopes(n, error).mean())  # all curves have the same n, so that the joint slope is the mean one
    return Parallel(np.log(error).mean(axis=1) + slope * np.log(n).mean(), slope)


def shift(n: Float[np.ndarray, " size"], error: Float[np.ndarray, "curve size"]) -> Shift:
    """ln of the factor in n by which the last curve lies behind the first: difference of intercepts over the common slope.

    What exceeds the range of n was not measured, as no two points of the curves have the same error: then only known to be
    beyond that range, on the side of the higher curve. A common slope that does not fall leaves everything open.
    """
    fit, reach = parallel(n, error), float(np.log(np.max(n) / np.min(n)))
    apart = float(fit.intercepts[-1] - fit.intercepts[0])
    if not fit.slope > 0:
        return Shift(-np.inf, np.inf)
    if abs(apart) > fit.slope * reach:
        return Shift(reach, np.inf) if apart > 0 else Shift(-np.inf, -reach)
    return Shift(apart / fit.slope, apart / fit.slope)
