"""A scalar that runs monotonically to a fixed point: time as an integral over it, and the inverse of that integral (T9).

dx/dq = −R(x)·(x·R(x) − x_∞·R(x_∞) + missed) from `start` to `end` = x_∞, with R(x) = Π√(x² + c_i) and q = 2η·rate·curvature·τ.
The path is cut into panels in a coordinate in which both its ends are smooth, q is integrated over each by Gauss–Legendre,
and every wanted time is inverted inside its panel by Newton's method.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

Elements = Float[np.ndarray, "mode sigma"]

NODES = 10
"""Gauss–Legendre nodes per panel."""

PANEL = 0.5
"""Widest panel, in e-folds of the variable or of its distance from the end; divided by the depth beyond 4."""

SETTLED = 38.0
"""e-folds of approach after which a double cannot tell x from its limit."""

CHUNK = 2**21
"""Integrand values held at a time."""


@dataclass(frozen=True, eq=False)
class ScalarFlow:
    """The path of every mode and noise level.

    **Parameters**

    - `start`: x at time 0, >= 0, the same for all.
    - `end`: (mode, sigma) where it comes to rest.
    - `missed`: (mode, sigma) x·R(x) at `end` minus the optimum: zero, unless x = 0 bars the way to it.
    - `differences`: (others,) the constants c_i >= 0.
    """

    start: float
    end: Elements
    missed: Elements
    differences: Float[np.ndarray, " others"]

    @property
    def scale(self) -> Elements:
        """Size of x below which R no longer changes: x = scale·sinh θ."""
        c = self.differences[0] if self.differences.size else 0.0
        if c > 0:
            return np.full_like(self.end, np.sqrt(c))
        return np.where(self.end > 0, np.minimum(self.start, self.end), self.start)

    def take(self, columns: slice) -> "ScalarFlow":
        """Some of the elements, flattened."""
        return ScalarFlow(
            self.start, self.end.reshape(-1, 1)[columns], self.missed.reshape(-1, 1)[columns], self.differences
        )

    def distance(self, x: Elements | float) -> Elements:
        """|θ − θ_end| of a point of the path."""
        return np.abs(np.arcsinh(x / self.scale) - np.arcsinh(self.end / self.scale))

    def point(self, remaining: Float[np.ndarray, "*any mode sigma"]) -> tuple[np.ndarray, np.ndarray]:
        """x, and x − end without cancellation, at a remaining distance in θ."""
        scale, last = self.scale, np.arcsinh(self.end / self.scale)
        side = np.where(self.end >= self.start, -1.0, 1.0)
        away = side * remaining
        shift = 2 * scale * np.cosh(last + away / 2) * np.sinh(away / 2)
        return scale * np.sinh(last + away), shift

    def density(self, s: Float[np.ndarray, "*any mode sigma"]) -> Float[np.ndarray, "*any mode sigma"]:
        """dq/ds, with s from `coordinate`."""
        remaining = np.logaddexp(0, -s)
        x, shift = self.point(remaining)
        others, others_end, log_ratio = np.ones_like(x), np.ones_like(self.end), np.zeros_like(x)
        for c in self.differences:  # one factor per layer
            rest = self.end**2 + c
            others *= np.sqrt(x**2 + c)
            others_end *= np.sqrt(rest)
            known = np.where(rest > 0, rest, 1.0)
            change = np.where(rest > 0, shift * (x + self.end) / known, 0.0)
            far = change < -0.5  # x² + c is then small beside its end, and not a difference of the two
            plain = np.log(np.where(far, x**2 + c, 1.0) / np.where(far, known, 1.0))
            log_ratio += np.where(far, plain, np.log1p(np.where(far, 0.0, change))) / 2
        excess = shift * others + self.end * others_end * np.expm1(log_ratio) + self.missed
        speed = others * np.abs(excess)
        travelled = np.sqrt(x**2 + self.scale**2) / (1 + np.exp(s))  # dx/ds = dx/dθ · dθ/ds
        return travelled / np.maximum(speed, np.finfo(float).tiny)

    def time_to(self, x: Elements) -> Elements:
        """q until x is reached; NaN where it lies off the path."""
        start, level = np.broadcast_to(np.asarray(self.start), self.end.shape), x
        ahead = (level - start) * (self.end - level)
        first, last = (np.minimum(coordinate(self.distance(point)), SETTLED) for point in (self.start, x))
        panels = _panel_count(last - first, self.differences.size)
        nodes, weights, _ = _rule()
        width = (last - first) / panels
        middle = first + (np.arange(panels)[:, None, None] + 0.5) * width
        values = self.density(middle + (nodes[:, None, None, None] / 2) * width)
        total = np.einsum("n,npms->ms", weights, values) * width / 2
        passed = np.where(ahead > 0, total, np.where(level == self.end, np.inf, np.nan))
        return np.where(level == start, 0.0, passed)


def coordinate(remaining: Elements) -> Elements:
    """s with remaining = ln(1 + e^{−s}): −remaining far from the end, −ln remaining near it."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.where(remaining > 30, -remaining, -np.log(np.expm1(np.minimum(remaining, 30))))


def integrate(
    flow: ScalarFlow, rate: Elements, time: Float[np.ndarray, " time"]
) -> Float[np.ndarray, "time mode sigma"]:
    """x·R(x) at q = rate·time, in chunks of elements."""
    shape, flat_rate = flow.end.shape, rate.reshape(-1, 1)
    longest = coordinate(flow.distance(flow.start)).min()
    per_element = (
        NODES * _panel_count(np.array([[SETTLED - min(longest, SETTLED)]]), flow.differences.size) + 10 * time.size
    )
    size = max(1, CHUNK // per_element)
    out = np.empty((time.size, flow.end.size, 1))
    for first in range(0, flow.end.size, size):
        columns = slice(first, first + size)
        out[:, columns] = _integrate(flow.take(columns), flat_rate[columns], time)
    return out.reshape(time.size, *shape)


def _integrate(
    flow: ScalarFlow, rate: Elements, time: Float[np.ndarray, " time"]
) -> Float[np.ndarray, "time mode sigma"]:
    first = np.minimum(coordinate(flow.distance(flow.start)), SETTLED)
    panels = _panel_count(SETTLED - first, flow.differences.size)
    width = (SETTLED - first) / panels
    nodes, _, antiderivative = _rule()
    middle = first + (np.arange(panels)[:, None, None] + 0.5) * width
    # coefficients of q(s) inside each panel, in powers of the panel's own coordinate in [-1, 1]
    values = flow.density(middle + (nodes[:, None, None, None] / 2) * width)
    powers = np.einsum("kn,npms->kpms", antiderivative, values) * (width / 2)
    edges = np.concatenate([np.zeros_like(width)[None], np.cumsum(2 * powers[::2].sum(axis=0), axis=0)])
    finite = np.minimum(time, np.finfo(float).max)[:, None, None]
    with np.errstate(over="ignore"):
        wanted = rate * finite
    panel = _panel_of(edges, wanted)
    inside = np.minimum(panel, panels - 1)
    own = np.take_along_axis(powers, inside[None], axis=1)
    missing = wanted - np.take_along_axis(edges, inside, axis=0)
    missing = np.where(panel >= panels, 0.0, missing)
    place = _invert(own, missing)
    s = np.take_along_axis(np.broadcast_to(middle, (panels, *width.shape)), inside, axis=0) + place * width / 2
    x, _ = flow.point(np.logaddexp(0, -s))
    x = np.where(panel >= panels, flow.end, x)
    x = np.where(wanted == 0, flow.start, x)
    return x * np.prod(np.sqrt(x**2 + flow.differences.reshape(-1, 1, 1, 1)), axis=0)


def _panel_of(edges: Float[np.ndarray, "edge mode sigma"], wanted: Float[np.ndarray, "time mode sigma"]) -> np.ndarray:
    """Index of the panel that holds each value; the number of panels beyond the last edge. By bisection."""
    low, high = np.zeros(wanted.shape, dtype=np.intp), np.full(wanted.shape, len(edges), dtype=np.intp)
    while (high - low).max() > 1:
        half = (low + high) // 2
        beyond = wanted >= np.take_along_axis(edges, half, axis=0)
        low, high = np.where(beyond, half, low), np.where(beyond, high, half)
    return low


def _invert(powers: Float[np.ndarray, "power time mode sigma"], value: np.ndarray) -> np.ndarray:
    """y in [-1, 1] with polynomial(y) − polynomial(−1) = value, for increasing polynomials; Newton, kept in bracket.

    `powers[k]` multiplies y^{k+1} + (−1)^k, so that the polynomial vanishes at −1.
    """
    total = powers[::2].sum(axis=0) * 2
    y = np.clip(2 * value / np.where(total > 0, total, 1) - 1, -1, 1)
    low, high = -np.ones_like(y), np.ones_like(y)
    for _ in range(12):
        height, slope = np.zeros_like(y), np.zeros_like(y)
        for k in range(len(powers) - 1, -1, -1):  # Horner, in the polynomial and its derivative
            slope = slope * y + height + powers[k]
            height = (height + powers[k]) * y
        height += (powers[::2].sum(axis=0) - powers[1::2].sum(axis=0)) - value
        low, high = np.where(height <= 0, y, low), np.where(height > 0, y, high)
        moved = y - height / np.where(slope > 0, slope, 1)
        moved = np.where((slope > 0) & (moved >= low) & (moved <= high), moved, (low + high) / 2)
        if np.abs(moved - y).max(initial=0) < 1e-15:
            return moved
        y = moved
    return y


def _panel_count(length: Elements, others: int) -> int:
    widest = PANEL / max(1.0, (others + 1) / 4)
    return max(1, int(np.ceil(np.max(length, initial=0.0) / widest)))


@lru_cache(maxsize=1)
def _rule() -> tuple[Float[np.ndarray, " node"], Float[np.ndarray, " node"], Float[np.ndarray, "power node"]]:
    """Nodes, weights, and the matrix from values at nodes to the powers of the antiderivative."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    inverse = np.linalg.inv(np.vander(nodes, increasing=True))
    return nodes, weights, inverse / np.arange(1, NODES + 1)[:, None]
