"""Exact denoisers of distributions on curved manifolds, and what they become at small noise: the projection, then the density.

D_σ(x) = π(x) + σ²∇[log p(π(x)) − ½ log det(I − S_v)] + O(σ⁴), x = π(x) + v, S_v the shape operator. Our derivation.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from jaxtyping import Float

from ..checks import InputError, finite_array, integer_option, noise_level, number_option

Points = Float[np.ndarray, "n d"]

NODES = 4000
"""Of the trapezoidal rule on a closed curve, which converges faster than any power."""


def _points(x: Any, dimension: int) -> Points:
    """Points (n, dimension)."""
    found = finite_array("x", x, f"points (n, {dimension})")
    if found.ndim != 2 or found.shape[1] != dimension:
        raise InputError(f"x must have shape (n, {dimension}), got {found.shape}")
    return found


def _level(sigma: Any) -> float:
    """One noise level at which 1/σ² is a number."""
    return noise_level("sigma", sigma)


@dataclass(frozen=True)
class Circle:
    """Circle of a radius in the plane, density ∝ e^{κ cos θ} (von Mises).

    ```python
    >>> import numpy as np
    >>> from eigenclock.exact.manifolds import Circle
    >>> Circle(1.0).denoise(np.array([[2.0, 0.0]]), 0.1).round(4)  # off the circle: back to it, σ²/(2r) short
    array([[0.9975, 0.    ]])

    ```
    """

    radius: float = 1.0
    concentration: float = 0.0

    def __post_init__(self) -> None:
        number_option(self, "radius", above=0)
        number_option(self, "concentration")

    def denoise(self, x: Points, sigma: float) -> Points:
        """Posterior mean E[x₀ | x₀ + σz = x]: R·I₁/I₀(|a|)·a/|a|, a = Rx/σ² + (κ, 0)."""
        x, sigma = _points(x, 2), _level(sigma)
        a = self.radius * x / sigma**2 + np.array([self.concentration, 0.0])
        size = np.linalg.norm(a, axis=1, keepdims=True)
        ratio = scipy.special.ive(1, size) / scipy.special.ive(0, size)
        return self.radius * ratio * np.divide(a, size, out=np.zeros_like(a), where=size > 0)

    def correction(self, x: Points) -> Points:
        """(D − π)/σ² at first order: −κ sin θ/r along the tangent, −1/(2r) along the radius."""
        r, angle = np.linalg.norm(x, axis=1), np.arctan2(x[:, 1], x[:, 0])
        tangent, normal = np.stack([-np.sin(angle), np.cos(angle)], 1), np.stack([np.cos(angle), np.sin(angle)], 1)
        along, across = -self.concentration * np.sin(angle) / r, -1 / (2 * r)
        return along[:, None] * tangent + across[:, None] * normal

    def project(self, x: Points) -> Points:
        """Nearest point of the circle."""
        return self.radius * x / np.linalg.norm(x, axis=1, keepdims=True)

    def risk(self, sigma: float) -> float:
        """Bayes risk over σ² for the uniform circle: (R² − E|D|²)/σ², by quadrature over the noisy radius."""
        sigma = _level(sigma)
        scaled = self.radius / sigma**2

        def squared(r: float) -> float:
            ratio = scipy.special.ive(1, scaled * r) / scipy.special.ive(0, scaled * r)
            density = (
                r / sigma**2 * np.exp(-((r - self.radius) ** 2) / (2 * sigma**2)) * scipy.special.ive(0, scaled * r)
            )
            return float((1 - ratio**2) * density)

        reach = self.radius + 12 * sigma
        value, _ = scipy.integrate.quad(squared, 0, reach, points=[self.radius], epsabs=1e-13, epsrel=1e-12, limit=400)
        return float(self.radius**2 * value / sigma**2)


@dataclass(frozen=True)
class Sphere:
    """Uniform sphere S^k of a radius in k + 1 dimensions."""

    k: int = 2
    radius: float = 1.0

    def __post_init__(self) -> None:
        integer_option(self, "k", at_least=1)
        number_option(self, "radius", above=0)

    def denoise(self, x: Points, sigma: float) -> Points:
        """Posterior mean R·I_{(k+1)/2}/I_{(k−1)/2}(rR/σ²)·x/r, by scaled Bessel functions."""
        x, sigma = _points(x, self.k + 1), _level(sigma)
        r = np.linalg.norm(x, axis=1, keepdims=True)
        q = r * self.radius / sigma**2
        ratio = scipy.special.ive((self.k + 1) / 2, q) / scipy.special.ive((self.k - 1) / 2, q)
        return self.radius * ratio * x / r

    def expansion(self, x: Points, sigma: float) -> Points:
        """Its first order: (R − kσ²/(2r))·x/r."""
        r = np.linalg.norm(x, axis=1, keepdims=True)
        return (self.radius - self.k * sigma**2 / (2 * r)) * x / r


@dataclass(frozen=True)
class Ellipse:
    """Uniform in the angle (not in arc length) on (a cos t, b sin t)."""

    a: float = 1.5
    b: float = 1.0

    def __post_init__(self) -> None:
        number_option(self, "a", above=0)
        number_option(self, "b", above=0)

    def _points(self) -> tuple[Points, Float[np.ndarray, " node"]]:
        t = np.arange(NODES) * 2 * np.pi / NODES
        return np.stack([self.a * np.cos(t), self.b * np.sin(t)], 1), t

    def denoise(self, x: Points, sigma: float) -> Points:
        """Posterior mean by the trapezoidal rule over the angle."""
        x, sigma = _points(x, 2), _level(sigma)
        points, _ = self._points()
        log = -((x[:, None] - points) ** 2).sum(axis=2) / (2 * sigma**2)
        weight = np.exp(log - log.max(axis=1, keepdims=True))
        return weight @ points / weight.sum(axis=1, keepdims=True)

    def expansion(self, t: Float[np.ndarray, " n"], offset: float, sigma: float) -> Points:
        """First order at distance `offset` along the outward normal of the point of angle t: density and curvature.

        With arc length s: D = γ(t) + σ²·[(log p)'(s)·T/(1 + oκ) terms], from ∇(log p(π) − ½ log(1 + oκ)).
        """
        return self._gamma(t) + sigma**2 * self._gradient(t, offset)

    def _gamma(self, t: Float[np.ndarray, " n"]) -> Points:
        return np.stack([self.a * np.cos(t), self.b * np.sin(t)], 1)

    def _gradient(self, t: Float[np.ndarray, " n"], offset: float) -> Points:
        speed = np.sqrt((self.a * np.sin(t)) ** 2 + (self.b * np.cos(t)) ** 2)
        speed_t = (self.a**2 - self.b**2) * np.sin(t) * np.cos(t) / speed
        curvature = self.a * self.b / speed**3
        curvature_t = -3 * curvature * speed_t / speed
        tangent = np.stack([-self.a * np.sin(t), self.b * np.cos(t)], 1) / speed[:, None]
        normal = np.stack([tangent[:, 1], -tangent[:, 0]], 1)  # outward
        stretch = 1 + offset * curvature
        log_density_s = -speed_t / speed / speed  # p ∝ 1/speed per arc length
        along = (log_density_s - offset * curvature_t / speed / (2 * stretch)) / stretch
        across = -curvature / (2 * stretch)
        return along[:, None] * tangent + across[:, None] * normal

    def point(self, t: Float[np.ndarray, " n"], offset: float) -> Points:
        """The point at distance `offset` outside the point of angle t."""
        speed = np.sqrt((self.a * np.sin(t)) ** 2 + (self.b * np.cos(t)) ** 2)
        normal = np.stack([self.b * np.cos(t), self.a * np.sin(t)], 1) / speed[:, None]
        return self._gamma(t) + offset * normal
