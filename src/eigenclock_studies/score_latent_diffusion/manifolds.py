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

WEIGHTS = np.array([0.30, 0.05, 0.25, 0.10, 0.20, 0.10])
ANGLES = np.arange(6) * np.pi / 3
CENTRES, SPREAD = 1.2 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1), 0.25
"""Modes of the mixture, in the chart: weights, centres, standard deviation of each."""

STARTS, NEWTON = 20_000, 8
"""Random points of the chart that a projection starts from, and Gauss–Newton steps after it."""

EDGE, GRID = 2.4, (60, 240)
"""Reach of the quadrature in the chart, and its fewest and most points per direction: two for every σ between them."""

NAMES = ("wave2", "torus", "isotropic")


class Wave2:
    """A surface that curves in 8 dimensions, with a chart (n, 2), and a mixture of six modes on it."""

    k, m = 2, 8

    def draw(self, n: int, rng: np.random.Generator) -> Chart:
        """Coordinates in the chart."""
        return CENTRES[rng.choice(WEIGHTS.size, n, p=WEIGHTS)] + SPREAD * rng.standard_normal((n, self.k))

    def embed(self, u: Chart) -> Points:
        """Points (n, 8) of coordinates."""
        a, b = u.T
        curved = [np.sin(2 * a), np.cos(2 * b), np.sin(a + b), np.cos(2 * a - b)]
        return np.stack([0.5 * a, 0.5 * b, *(0.5 * one for one in curved), 0.3 * a * b, 0.3 * (a**2 - b**2)], axis=1)

    def jacobian(self, u: Chart) -> Any:
        """Derivatives (n, 8, 2) of the points."""
        a, b = u.T
        half, zero = np.full_like(a, 0.5), np.zeros_like(a)
        by_a = [half, zero, np.cos(2 * a), zero, 0.5 * np.cos(a + b), -np.sin(2 * a - b), 0.3 * b, 0.6 * a]
        by_b = [zero, half, zero, -np.sin(2 * b), 0.5 * np.cos(a + b), 0.5 * np.sin(2 * a - b), 0.3 * a, -0.6 * b]
        return np.stack([np.stack(by_a, axis=1), np.stack(by_b, axis=1)], axis=2)

    def density(self, u: Chart) -> Float[np.ndarray, " n"]:
        """Of the chart's coordinates."""
        apart = ((u[:, None] - CENTRES) ** 2).sum(axis=2) / (2 * SPREAD**2)
        return np.exp(-apart) @ WEIGHTS / (2 * np.pi * SPREAD**2)

    def project(self, y: Points) -> Chart:
        """Coordinates of the nearest point: the nearest of many, then Gauss–Newton steps that must not go uphill."""
        starts = self.draw(STARTS, np.random.default_rng(0)) * 1.1
        u = starts[nearest(y, self.embed(starts), k=1)[1][:, 0]]
        left = y - self.embed(u)
        for _ in range(NEWTON):
            jacobian = self.jacobian(u)
            square, slope = np.einsum("nmk,nml->nkl", jacobian, jacobian), np.einsum("nmk,nm->nk", jacobian, left)
            moved = u + np.linalg.solve(square, slope[..., None])[..., 0]
            after = y - self.embed(moved)
            better = (after**2).sum(axis=1) < (left**2).sum(axis=1)
            u, left = np.where(better[:, None], moved, u), np.where(better[:, None], after, left)
        return u

    def denoise(self, y: Points, sigma: float) -> Points:
        """Posterior mean at noise σ, by the midpoint rule in the chart, in blocks."""
        count = int(np.clip(np.ceil(4 * EDGE / sigma), *GRID))
        axis = (np.arange(count) + 0.5) / count * 2 * EDGE - EDGE
        grid = np.stack([one.ravel() for one in np.meshgrid(axis, axis, indexing="ij")], axis=1)
        weight = self.density(grid)
        seen = weight > 1e-9 * weight.max()
        points, log_weight = self.embed(grid[seen]), np.log(weight[seen])
        found, norms = np.empty_like(y), (points**2).sum(axis=1)
        for rows in np.array_split(np.arange(len(y)), max(1, len(y) // 100)):
            log = (y[rows] @ points.T - norms / 2) / sigma**2 + log_weight
            posterior = np.exp(log - log.max(axis=1, keepdims=True))
            found[rows] = posterior @ points / posterior.sum(axis=1, keepdims=True)
        return found


@dataclass(frozen=True)
class Torus:
    """Flat k-torus: k circles of radius 1 in a plane each, uniform: curved as one circle, whatever k."""

    k: int

    def draw(self, n: int, rng: np.random.Generator) -> Points:
        """Points (n, 2k)."""
        angle = rng.uniform(0, 2 * np.pi, (n, self.k))
        return np.stack([np.cos(angle), np.sin(angle)], axis=2).reshape(n, 2 * self.k)

    def denoise(self, y: Points, sigma: float) -> Points:
        """Posterior mean: that of a circle in every plane, as a product density's is."""
        return Circle(1.0).denoise(y.reshape(-1, 2), sigma).reshape(y.shape)


@dataclass(frozen=True, eq=False)
class ManifoldData:
    """Samples on a known manifold. Callables are None where a data set has none.

    `x` (n, D); `project` (n, D) → nearest points (n, D); `tangent` (n, D) → orthonormal tangents (n, D, k) at the nearest points;
    `denoise(x, sigma)` exact posterior mean.
    """

    x: Points
    k: int
    project: Callable[[Points], Points] | None = None
    tangent: Callable[[Points], Any] | None = None
    denoise: Callable[[Points, float], Points] | None = None


def make_data(name: str, n: int, seed: int, *, D: int = 64, k: int = 2) -> ManifoldData:
    """A data set on a known manifold, in a random orthonormal embedding; other seeds give other samples and embeddings.

    `name`: "wave2" (a surface that curves in 8 dimensions, six modes on it), "torus" (flat, of `k` circles) or "isotropic" (the
    negative control: no manifold). The samples on the manifold are the same for every D. Raises InputError for another name, or
    D too small.
    """
    choice("data", name, NAMES)
    integer("n", n, at_least=1)
    rng = np.random.default_rng([seed, 17])
    if name == "isotropic":
        return ManifoldData(rng.standard_normal((n, D)) * 0.5, k)
    if name == "torus":
        torus = Torus(k)
        flat, frame = torus.draw(n, rng), _frame(D, 2 * k, rng)
        return ManifoldData(flat @ frame.T, k, denoise=lambda x, sigma: torus.denoise(x @ frame, sigma) @ frame.T)
    wave = Wave2()
    points, frame = wave.embed(wave.draw(n, rng)), _frame(D, wave.m, rng)
    return ManifoldData(
        points @ frame.T,
        wave.k,
        project=lambda x: wave.embed(wave.project(x @ frame)) @ frame.T,
        tangent=lambda x: frame @ np.linalg.qr(wave.jacobian(wave.project(x @ frame)))[0],
        denoise=lambda x, sigma: wave.denoise(x @ frame, sigma) @ frame.T,
    )


def _frame(D: int, m: int, rng: np.random.Generator) -> Points:
    if m > D:
        raise InputError(f"D must be >= {m}, the dimension that the surface curves in, got {D}")
    return np.linalg.qr(rng.standard_normal((D, m)))[0]
