"""Data sets on known manifolds, with projections, tangents and exact denoisers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from eigenclock.checks import InputError, choice, integer
from eigenclock.exact.manifolds import Circle
from eigenclock.observables.copies import nearest

Points = Float[np.ndarray, "n d"]
Chart = Float[np.ndarray, "n k"]

SPREAD = 0.25
"""Standard deviation of every mode of the mixtures, in the chart."""

WEIGHTS = np.array([0.30, 0.05, 0.25, 0.10, 0.20, 0.10])
STARTS, NEWTON = 20_000, 8
"""Random points of the chart that a projection starts from, and Gauss–Newton steps after it."""

EDGE, GRID = 2.4, (60, 240)
"""Reach of the quadrature in the chart, and its fewest and most points per direction: two for every σ between them."""

NAMES = ("wave2", "torus", "isotropic")


@dataclass(frozen=True, eq=False)
class Surface:
    """A chart: `embed` (n, k) → (n, m), its `jacobian` (n, m, k), and a mixture of `centres` (modes, k) with `weights`."""

    embed: Callable[[Chart], Points]
    jacobian: Callable[[Chart], Any]
    centres: Chart
    weights: Float[np.ndarray, " mode"]

    @property
    def k(self) -> int:
        """Intrinsic dimension."""
        return self.centres.shape[1]

    def draw(self, n: int, rng: np.random.Generator) -> Chart:
        """Coordinates in the chart."""
        return self.centres[rng.choice(self.weights.size, n, p=self.weights)] + SPREAD * rng.standard_normal(
            (n, self.k)
        )

    def density(self, u: Chart) -> Float[np.ndarray, " n"]:
        """Of the chart's coordinates."""
        apart = ((u[:, None] - self.centres) ** 2).sum(axis=2) / (2 * SPREAD**2)
        return np.exp(-apart) @ self.weights / (2 * np.pi * SPREAD**2) ** (self.k / 2)

    def project(self, y: Points) -> Chart:
        """Coordinates of the nearest point: the nearest of many, then Gauss–Newton steps that must not go uphill."""
        rng = np.random.default_rng(0)
        starts = self.draw(STARTS, rng) * 1.1
        u = starts[nearest(y, self.embed(starts), k=1)[1][:, 0]]
        left = y - self.embed(u)
        for _ in range(NEWTON):
            jacobian = self.jacobian(u)
            step = np.linalg.solve(
                np.einsum("nmk,nml->nkl", jacobian, jacobian), np.einsum("nmk,nm->nk", jacobian, left)[..., None]
            )[..., 0]
            moved = u + step
            after = y - self.embed(moved)
            better = (after**2).sum(axis=1) < (left**2).sum(axis=1)
            u, left = np.where(better[:, None], moved, u), np.where(better[:, None], after, left)
        return u

    def denoise(self, y: Points, sigma: float) -> Points:
        """Posterior mean at noise σ, by the midpoint rule in the chart, in blocks."""
        count = int(np.clip(np.ceil(4 * EDGE / sigma), *GRID))
        axis = (np.arange(count) + 0.5) / count * 2 * EDGE - EDGE
        grid = np.stack([one.ravel() for one in np.meshgrid(*[axis] * self.k, indexing="ij")], axis=1)
        weight = self.density(grid)
        seen = weight > 1e-9 * weight.max()
        points, log_weight = self.embed(grid[seen]), np.log(weight[seen])
        found = np.empty_like(y)
        norms = (points**2).sum(axis=1)
        for rows in np.array_split(np.arange(len(y)), max(1, len(y) // 100)):
            log = (y[rows] @ points.T - norms / 2) / sigma**2 + log_weight
            posterior = np.exp(log - log.max(axis=1, keepdims=True))
            found[rows] = posterior @ points / posterior.sum(axis=1, keepdims=True)
        return found


def _wave2() -> Surface:
    def embed(u: Chart) -> Points:
        a, b = u.T
        curved = [np.sin(2 * a), np.cos(2 * b), np.sin(a + b), np.cos(2 * a - b)]
        return np.stack([0.5 * a, 0.5 * b, *(0.5 * one for one in curved), 0.3 * a * b, 0.3 * (a**2 - b**2)], axis=1)

    def jacobian(u: Chart) -> Any:
        a, b = u.T
        half, zero = np.full_like(a, 0.5), np.zeros_like(a)
        by_a = [half, zero, np.cos(2 * a), zero, 0.5 * np.cos(a + b), -np.sin(2 * a - b), 0.3 * b, 0.6 * a]
        by_b = [zero, half, zero, -np.sin(2 * b), 0.5 * np.cos(a + b), 0.5 * np.sin(2 * a - b), 0.3 * a, -0.6 * b]
        return np.stack([np.stack(by_a, axis=1), np.stack(by_b, axis=1)], axis=2)

    angle = np.arange(6) * np.pi / 3
    return Surface(embed, jacobian, 1.2 * np.stack([np.cos(angle), np.sin(angle)], axis=1), WEIGHTS)


@dataclass(frozen=True)
class Torus:
    """Flat k-torus: k circles of radius 1 in a plane each, uniform: curved as one circle, whatever k."""

    k: int

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Points, Chart]:
        """Points (n, 2k), and their angles."""
        angle = rng.uniform(0, 2 * np.pi, (n, self.k))
        return np.stack([np.cos(angle), np.sin(angle)], axis=2).reshape(n, 2 * self.k), angle

    def denoise(self, y: Points, sigma: float) -> Points:
        """Posterior mean: that of a circle in every plane, as a product density's is."""
        return Circle(1.0).denoise(y.reshape(-1, 2), sigma).reshape(y.shape)


@dataclass(frozen=True, eq=False)
class ManifoldData:
    """Samples on a known manifold. Callables are None where a data set has none.

    `x` (n, D), `u` (n, k) chart coordinates; `project` (n, D) → nearest points (n, D); `chart` (n, D) → their coordinates;
    `tangent` (n, k) → orthonormal tangents (n, D, k); `denoise(x, sigma)` exact posterior mean.
    """

    x: Points
    k: int
    u: Chart | None = None
    project: Callable[[Points], Points] | None = None
    chart: Callable[[Points], Chart] | None = None
    tangent: Callable[[Chart], Any] | None = None
    denoise: Callable[[Points, float], Points] | None = None


def make_data(name: str, n: int, seed: int, *, D: int = 64, k: int = 2) -> ManifoldData:
    """A data set on a known manifold, in a random orthonormal embedding; other seeds give other samples and embeddings.

    `name`: "wave2" (a surface that curves in 8 dimensions, six modes on it), "torus" (flat, of `k` circles) or "isotropic" (the
    negative control: no manifold). Raises InputError for another name, or D too small.
    """
    choice("data", name, NAMES)
    integer("n", n, at_least=1)
    rng = np.random.default_rng([seed, 17])
    if name == "wave2":
        return _embedded(_wave2(), n, D, rng)
    if name == "isotropic":
        return ManifoldData(rng.standard_normal((n, D)) * 0.5, k)
    torus, frame = Torus(k), _frame(D, 2 * k, rng)
    points, angle = torus.draw(n, rng)
    return ManifoldData(
        points @ frame.T,
        k,
        angle,
        denoise=lambda x, sigma: torus.denoise(x @ frame, sigma) @ frame.T,
    )


def _frame(D: int, m: int, rng: np.random.Generator) -> Points:
    if m > D:
        raise InputError(f"D must be >= {m}, the dimension that the surface curves in, got {D}")
    return np.linalg.qr(rng.standard_normal((D, m)))[0]


def _embedded(surface: Surface, n: int, D: int, rng: np.random.Generator) -> ManifoldData:
    m = surface.embed(surface.centres).shape[1]
    frame = _frame(D, m, rng)
    u = surface.draw(n, rng)

    return ManifoldData(
        surface.embed(u) @ frame.T,
        surface.k,
        u,
        project=lambda x: surface.embed(surface.project(x @ frame)) @ frame.T,
        chart=lambda x: surface.project(x @ frame),
        tangent=lambda u: frame @ np.linalg.qr(surface.jacobian(u))[0],
        denoise=lambda x, sigma: surface.denoise(x @ frame, sigma) @ frame.T,
    )
