"""Data sets on known manifolds: charts with their Jacobians, densities in the chart, projections, and exact denoisers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from eigenclock.checks import InputError, integer, shown
from eigenclock.exact.manifolds import Circle
from eigenclock.observables.copies import nearest

Points = Float[np.ndarray, "n d"]
Chart = Float[np.ndarray, "n k"]

SPREAD = 0.25
"""Standard deviation of every mode of the mixtures, in the chart."""

WEIGHTS = np.array([0.30, 0.05, 0.25, 0.10, 0.20, 0.10])
STARTS, NEWTON = 20_000, 8
"""Random points of the chart that a projection starts from, and Gauss–Newton steps after it."""

EDGE, GRID = 2.4, {1: 4000, 2: 220}
"""Reach of the quadrature in the chart, and its points per direction."""


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

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Chart, Int[np.ndarray, " n"]]:
        """Coordinates in the chart, and modes."""
        mode = rng.choice(self.weights.size, n, p=self.weights)
        return self.centres[mode] + SPREAD * rng.standard_normal((n, self.k)), mode

    def density(self, u: Chart) -> Float[np.ndarray, " n"]:
        """Of the chart's coordinates."""
        apart = ((u[:, None] - self.centres) ** 2).sum(axis=2) / (2 * SPREAD**2)
        return np.exp(-apart) @ self.weights / (2 * np.pi * SPREAD**2) ** (self.k / 2)

    def project(self, y: Points) -> Chart:
        """Coordinates of the nearest point: the nearest of many, then Gauss–Newton steps that must not go uphill."""
        rng = np.random.default_rng(0)
        starts = self.draw(STARTS, rng)[0] * 1.1
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
        """Posterior mean at noise σ, by the midpoint rule in the chart (k <= 2), in blocks."""
        if self.k not in GRID:
            raise InputError(f"the exact denoiser is by quadrature in at most 2 dimensions, got k = {self.k}")
        axis = (np.arange(GRID[self.k]) + 0.5) / GRID[self.k] * 2 * EDGE - EDGE
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


def _wave(k: int, rng: np.random.Generator) -> Surface:
    rows = rng.standard_normal((4 * k, k))
    frequency = 1.5 * rows / np.linalg.norm(rows, axis=1, keepdims=True)
    phase = rng.uniform(0, 2 * np.pi, 4 * k)

    def embed(u: Chart) -> Points:
        return np.concatenate([0.5 * u, 0.4 * np.cos(u @ frequency.T + phase)], axis=1)

    def jacobian(u: Chart) -> Any:
        curved = -0.4 * np.sin(u @ frequency.T + phase)[..., None] * frequency
        return np.concatenate([np.broadcast_to(0.5 * np.eye(k), (len(u), k, k)), curved], axis=1)

    centres = np.zeros((3, k))
    centres[:, 0] = (-1.0, 0.0, 1.0)
    return Surface(embed, jacobian, centres, np.array([0.5, 0.2, 0.3]))


@dataclass(frozen=True, eq=False)
class ManifoldData:
    """Samples on a known manifold. Callables are None where a data set has none.

    `x` (n, D), `u` (n, k) chart coordinates, `mode` (n,); `project` (n, D) → nearest points (n, D); `chart` (n, D) → their
    coordinates; `log_density` of the intrinsic density at chart coordinates; `tangent` (n, k) → orthonormal tangents (n, D, k);
    `denoise(x, sigma)` exact posterior mean; `weights` of the modes, `centres` in the chart.
    """

    x: Points
    k: int
    u: Chart | None = None
    mode: Int[np.ndarray, " n"] | None = None
    project: Callable[[Points], Points] | None = None
    chart: Callable[[Points], Chart] | None = None
    log_density: Callable[[Chart], Any] | None = None
    tangent: Callable[[Chart], Any] | None = None
    denoise: Callable[[Points, float], Points] | None = None
    weights: Float[np.ndarray, " mode"] | None = None
    centres: Float[np.ndarray, "_ k"] | None = None

    def modes_of(self, x: Points) -> Int[np.ndarray, " n"]:
        """Nearest mode of samples, after projection."""
        assert self.chart is not None
        assert self.centres is not None
        return ((self.chart(x)[:, None] - self.centres) ** 2).sum(axis=2).argmin(axis=1)


def make_data(name: str, n: int, seed: int, *, D: int = 64, lam: tuple[float, ...] = (1.0, 0.5)) -> ManifoldData:
    """A data set on a known manifold, in a random orthonormal embedding; other seeds give other samples and embeddings.

    `name`: "wave2", "wave1", "wave2k", "wave4" (wave(k) of the specification), "circle", "gauss" (variances `lam`) or
    "isotropic" (the negative control: no manifold). Raises InputError for another name, or D too small.
    """
    integer("n", n, at_least=1)
    rng = np.random.default_rng([seed, 17])
    surfaces: dict[str, Callable[[], Surface]] = {
        "wave2": _wave2,
        "wave1": lambda: _wave(1, rng),
        "wave2k": lambda: _wave(2, rng),
        "wave4": lambda: _wave(4, rng),
    }
    if name in surfaces:
        return _embedded(surfaces[name](), n, D, rng)
    if name == "circle":
        circle = Circle(1.0, 0.8)
        frame = _frame(D, 2, rng)
        angle = rng.vonmises(0.0, 0.8, n)
        points = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return ManifoldData(
            points @ frame.T,
            1,
            angle[:, None],
            project=lambda x: circle.project(x @ frame) @ frame.T,
            denoise=lambda x, sigma: circle.denoise(x @ frame, sigma) @ frame.T,
        )
    if name == "gauss":
        frame, power = _frame(D, len(lam), rng), np.asarray(lam)
        u = rng.standard_normal((n, len(lam))) * np.sqrt(power)
        return ManifoldData(
            u @ frame.T,
            len(lam),
            u,
            project=lambda x: x @ frame @ frame.T,
            denoise=lambda x, sigma: (x @ frame * (power / (power + sigma**2))) @ frame.T,
        )
    if name == "isotropic":
        return ManifoldData(rng.standard_normal((n, D)) * 0.5, 2)
    raise InputError(f"data must be one of {', '.join([*surfaces, 'circle', 'gauss', 'isotropic'])}, got {shown(name)}")


def _frame(D: int, m: int, rng: np.random.Generator) -> Points:
    if m > D:
        raise InputError(f"D must be >= {m}, the dimension that the surface curves in, got {D}")
    return np.linalg.qr(rng.standard_normal((D, m)))[0]


def _embedded(surface: Surface, n: int, D: int, rng: np.random.Generator) -> ManifoldData:
    m = surface.embed(surface.centres).shape[1]
    frame = _frame(D, m, rng)
    u, mode = surface.draw(n, rng)

    def log_density(u: Chart) -> Any:
        jacobian = surface.jacobian(u)
        volume = np.linalg.slogdet(np.einsum("nmk,nml->nkl", jacobian, jacobian))[1] / 2
        return np.log(surface.density(u)) - volume

    return ManifoldData(
        surface.embed(u) @ frame.T,
        surface.k,
        u,
        mode,
        project=lambda x: surface.embed(surface.project(x @ frame)) @ frame.T,
        chart=lambda x: surface.project(x @ frame),
        log_density=log_density,
        tangent=lambda u: frame @ np.linalg.qr(surface.jacobian(u))[0],
        denoise=(lambda x, sigma: surface.denoise(x @ frame, sigma) @ frame.T) if surface.k in GRID else None,
        weights=surface.weights,
        centres=surface.centres,
    )
