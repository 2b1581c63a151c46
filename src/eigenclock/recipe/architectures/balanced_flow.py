"""Layers that start equal: their paths are pieces of three curves, which are tabulated once for each depth (T9).

With L equal layers x, dx/dq = −x^{L−1}(x^L − a^L) where training ends at a > 0, and −x^{L−1}(x^L + b^L) where zero bars the way.
In units of a, or of b, every mode and noise level runs along the same curve: rising to 1, falling to 1, or falling to 0.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Float

Elements = Float[np.ndarray, "mode sigma"]
Line = Float[np.ndarray, " node"]

FEWEST, DEEPEST = 3, 6
"""Numbers of layers that have tables: two have a closed form, of more the powers leave the range of a double."""

LOWEST, HIGHEST, LARGEST_LOG = -60.0, 40.0, 650.0
"""Ends of the coordinate, ln of the distance from 0 at one end and from 1 at the other: beyond them a double sees no more; and
largest logarithm of q."""

SPACING = 0.04
"""Distance of nodes, in e-folds of q: quintic interpolation between them is right to 1e-12."""

Curve = Literal["rising", "falling", "barred"]


@dataclass(frozen=True, eq=False)
class Table:
    """Along one curve: the coordinate s at evenly spaced nodes, q up to each, and dq/ds and its logarithmic slope there."""

    s: Line
    q: Line
    speed: Line
    bend: Line

    def at(self, q: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """s at given q within the table: quintic interpolation of the inverse, by its values and two derivatives."""
        i = np.clip(np.searchsorted(self.q, q, side="right") - 1, 0, self.q.size - 2)
        width = self.q[i + 1] - self.q[i]
        r = (q - self.q[i]) / width
        first, last = width / self.speed[i], width / self.speed[i + 1]  # ds/dr
        # d²s/dr², as d²s/dq² = −(d ln speed/ds)/speed²
        bent, bent_last = -self.bend[i] * first**2, -self.bend[i + 1] * last**2
        rise = self.s[1] - self.s[0]
        a = rise - first - bent / 2
        b, c = last - first - bent, bent_last - bent
        # s = s_i + first·r + bent/2·r² + r³·(three terms that meet the other end)
        cubic = (10 * a - 4 * b + c / 2) + r * ((-15 * a + 7 * b - c) + r * (6 * a - 3 * b + c / 2))
        return self.s[i] + r * (first + r * (bent / 2 + r * cubic))

    def of(self, s: Float[np.ndarray, "..."], depth: int, curve: Curve) -> Float[np.ndarray, "..."]:
        """q at given s within the table, by quadrature from the node before."""
        step = self.s[1] - self.s[0]
        i = np.clip(((s - self.s[0]) / step).astype(int), 0, self.s.size - 2)
        nodes, weights = np.polynomial.legendre.leggauss(6)
        rest = s - self.s[i]
        inside = sum(
            w * _speed(self.s[i] + rest * (1 + x) / 2, depth, curve)[0] for x, w in zip(nodes, weights, strict=True)
        )
        return self.q[i] + rest / 2 * inside


def _speed(s: Float[np.ndarray, "..."], depth: int, curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    """dq/ds, and its logarithmic slope."""
    if curve == "barred":  # x = e^{−s}: dq = t^{2L−3}/(1 + t^L) dt, t = e^s
        share = 1 / (1 + np.exp(-depth * s))
        log = (2 * depth - 2) * s - np.logaddexp(0, depth * s)
        return np.exp(log), 2 * depth - 2 - depth * share
    t, left = 1 / (1 + np.exp(-s)), 1 / (1 + np.exp(s))  # left = 1 − t
    powers = t ** np.arange(depth).reshape(-1, *(1,) * np.ndim(s))
    whole = powers.sum(axis=0)  # (1 − t^L)/(1 − t)
    mean = np.tensordot(np.arange(depth), powers, axes=1) / whole
    power = -(depth - 2) if curve == "rising" else 2 * depth - 2  # x = t, or 1/t
    return np.exp(power * -np.logaddexp(0, -s)) / whole, (power - mean) * left


@lru_cache(maxsize=32)
def table(depth: int, curve: Curve) -> Table:
    """The curve of this many layers; q counts from the middle where it rises, else from infinity, so that no digit is lost."""
    steepest = 2 * depth - 2
    reach = _reach(depth)
    low, high = -reach, reach if curve == "barred" else HIGHEST
    step = 2.0 ** np.floor(np.log2(SPACING / steepest))  # a power of two: nodes and their distances are exact
    s = low + step * np.arange(round((high - low) / step) + 1)
    nodes, weights = np.polynomial.legendre.leggauss(6)
    half = (s[1] - s[0]) / 2
    cell = sum(w * _speed(s[:-1] + half * (1 + x), depth, curve)[0] for x, w in zip(nodes, weights, strict=True)) * half
    if curve == "rising":
        middle = int(np.searchsorted(s, 0.0))
        before, after = np.cumsum(cell[:middle][::-1])[::-1], np.cumsum(cell[middle:])
        q = np.concatenate([-before, [0.0], after])
    else:
        first = np.exp(steepest * low) / steepest  # x runs as a power there
        q = np.concatenate([[first], first + np.cumsum(cell)])
    return Table(s, q, *_speed(s, depth, curve))


def _reach(depth: int) -> float:
    """e-folds of x on either side of 1 that a table holds."""
    return float(min(-LOWEST, LARGEST_LOG // (2 * depth - 2)))


def fits(depth: int, start: float, end: Elements, missed: Elements) -> bool:
    """Whether all paths lie within the tables."""
    if not FEWEST <= depth <= DEEPEST or not start > 0:
        return False
    reach = _reach(depth) - 1
    size = np.where(end > 0, end, np.where(missed > 0, missed ** (1 / depth), start))
    return bool((np.abs(np.log(start / size)) < reach).all())


def balanced(
    depth: int, start: float, end: Elements, missed: Elements, rate: Elements, time: Float[np.ndarray, " time"]
) -> Float[np.ndarray, "time mode sigma"]:
    """x^L at q = rate·time, of `depth` layers that are all `start` at time 0.

    - `end`: (mode, sigma) where a layer comes to rest. - `missed`: (mode, sigma) of those that end at zero, how far x^L is from
      the optimum there.
    """
    finite = np.minimum(time, np.finfo(float).max)[:, None, None]
    with np.errstate(over="ignore"):
        wanted = rate * finite
    out = np.empty(np.broadcast_shapes(wanted.shape, (1, *end.shape)))
    barred = (end == 0) & (missed > 0)
    free = (end == 0) & ~barred
    chosen: dict[Curve, np.ndarray] = {
        "rising": (end > 0) & (end >= start),
        "falling": (end > 0) & (end < start),
        "barred": barred,
    }
    for curve, some in chosen.items():
        if some.any():
            unit = missed[some] ** (1 / depth) if curve == "barred" else end[some]
            with np.errstate(over="ignore"):
                own = wanted[:, some] * unit ** (2 * depth - 2)
            out[:, some] = _along(depth, curve, start / unit, own) * unit**depth
    if free.any():
        power = 2 * depth - 2
        with np.errstate(over="ignore"):
            out[:, free] = (start**-power + power * wanted[:, free]) ** (-depth / power)
    return np.where(wanted == 0, start**depth, out)


def _along(
    depth: int, curve: Curve, start: Float[np.ndarray, " element"], q: Float[np.ndarray, "time element"]
) -> Float[np.ndarray, "time element"]:
    """(x/unit)^L after q, from x = start, in units of the end."""
    known = table(depth, curve)
    with np.errstate(divide="ignore", over="ignore"):
        if curve == "rising":
            first = -np.log(np.maximum(1 / start - 1, 0))  # t = x
        elif curve == "falling":
            first = -np.log(start - 1)  # t = 1/x
        else:
            first = -np.log(start)
    first = np.clip(first, known.s[0], known.s[-1])
    with np.errstate(over="ignore"):
        passed = known.of(first, depth, curve) + q
    s = known.at(np.minimum(passed, known.q[-1]))
    if curve == "barred":  # beyond the table t^{L−2}/(L−2) of q alone is left
        beyond = (np.log(np.maximum(passed, 1.0)) + np.log(depth - 2)) / (depth - 2)
        return np.exp(-depth * np.where(passed > known.q[-1], beyond, s))
    log = -np.logaddexp(0, -s)  # ln t
    arrived = passed >= known.q[-1]
    return np.where(arrived, 1.0, np.exp((depth if curve == "rising" else -depth) * log))
