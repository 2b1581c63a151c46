"""Spectrum of the feature covariance of mixtures, from coupled scalar equations, and the times that it predicts.

One class: Theorem 3.1 of Bonnaire et al. (arXiv:2505.17638). K classes: our reconstruction, with isotropic classes whose
centroids have norms of order 1.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Complex, Float

from eigenclock.checks import InputError, number, shown
from .mixtures import check_classes, noise, noised_variance, signal

NODES = 80
"""Gauss–Hermite nodes of each expectation."""

LADDER = (10, 3, 1, 0.3, 0.1, 0.03, 0.01, 0.003)
"""Imaginary parts that a solution on the real axis is followed down."""

TOLERANCE, STEPS = 1e-13, 20_000


@dataclass(frozen=True)
class Coefficients:
    """What φ does to a class at noise time t: E[φφᵀ] in its linear, noise and nonlinear parts.

    `a` = E[φ u/c], `b` = E[v φ], `v2`, `s2` the nonlinear parts kept between and lost across noises, `kappa` = E[φ'],
    `total` = E[φ²].
    """

    a: float
    b: float
    v2: float
    s2: float
    kappa: float
    total: float


def hermite_coefficients(var: float, t: float, phi: Any = np.tanh) -> Coefficients:
    """Coefficients of a class of variance `var` at time `t`; expectations over normal variables by Gauss–Hermite."""
    number("var", var, above=0)
    x, weight = np.polynomial.hermite_e.hermegauss(NODES)
    weight = weight / weight.sum()
    c, spread = signal(t) * np.sqrt(var), np.sqrt(noise(t))
    inner = phi(c * x[:, None] + spread * x[None, :])
    over_noise = inner @ weight
    both = float(weight @ over_noise**2)
    a, b = float(weight @ (over_noise * x)) / c, float(weight @ inner @ (weight * x))
    total = float(weight @ inner**2 @ weight)
    v2 = both - a**2 * c**2
    size = np.sqrt(noised_variance(var, t))
    kappa = float(weight @ (phi(size * x) * x)) / size  # Stein: E[φ'(Gu)] = E[φ(Gu) u]/G
    return Coefficients(a, b, v2, total - a**2 * c**2 - v2 - b**2, float(kappa), total)


def rf_resolvent(
    z: Any, var: Any, pi: Any, psi_p: float, psi_n: float, t: float
) -> tuple[Complex[np.ndarray, " z"], Float[np.ndarray, " z"]]:
    """q(z) = (1/p) Tr(U − z)^{-1} of a mixture, and the residual of the last equation.

    **Parameters**

    - `z`: (z,) complex, or real below the spectrum; followed from above the axis down. - `var`, `pi`: (K,) class variances and
      proportions. - `psi_p`, `psi_n`: p/d and n/d. - `t`: noise time.

    Raises InputError for parameters out of range, or a point where the iteration does not settle.
    """
    variances, shares = check_classes(var, pi)
    number("psi_p", psi_p, above=0)
    number("psi_n", psi_n, above=0)
    points = np.atleast_1d(np.asarray(z, dtype=np.complex128))
    equations = _Equations.of(variances, shares, psi_p, psi_n, t)
    down = [step for step in LADDER if step > points.imag.min()]
    start = points + 10j
    q = r = -1 / start
    for step in down:
        here = points.real + 1j * np.maximum(step, points.imag)
        q, r = equations.solve(here, q, r, TOLERANCE if here is points else 1e-8)
    q, r = equations.solve(points, q, r, TOLERANCE)
    residual = np.abs(equations.last(points, q, r))
    return q, residual


def rf_density(
    lam: Float[np.ndarray, " lam"], var: Any, pi: Any, psi_p: float, psi_n: float, t: float, *, height: Any = 0.003
) -> Float[np.ndarray, " lam"]:
    """Density of eigenvalues of U at `lam`, smoothed over `height` (one, or one each): Im q/π just above the axis."""
    q, _ = rf_resolvent(np.asarray(lam) + 1j * np.asarray(height), var, pi, psi_p, psi_n, t)
    return q.imag / np.pi


@dataclass(frozen=True, eq=False)
class _Equations:
    """The coupled equations of q and R = (1/p) Tr(Wᵀ (U − z)^{-1} W)/d."""

    shares: Float[np.ndarray, " K"]
    linear: Float[np.ndarray, " K"]
    v2: Float[np.ndarray, " K"]
    bb: float
    ss: float
    psi_p: float
    psi_n: float

    @classmethod
    def of(cls, variances: Any, shares: Any, psi_p: float, psi_n: float, t: float) -> "_Equations":
        found = [hermite_coefficients(float(v), t) for v in variances]
        linear = np.array([c.a**2 * np.exp(-2 * t) * v for c, v in zip(found, variances, strict=True)])
        bb = float(sum(s * c.b**2 for s, c in zip(shares, found, strict=True)))
        ss = float(sum(s * c.s2 for s, c in zip(shares, found, strict=True)))
        return cls(shares, linear, np.array([c.v2 for c in found]), bb, ss, psi_p, psi_n)

    def _zeta(self, q: Any, r: Any) -> Any:
        return 1 / (1 + self.psi_p / self.psi_n * (self.linear[:, None] * r + self.v2[:, None] * q))

    def _right(self, z: Any, zeta: Any) -> Any:
        return self.psi_p * (self.ss - z) + self.psi_p * (self.shares * self.v2) @ zeta

    def last(self, z: Any, q: Any, r: Any) -> Any:
        """The last equation, 0 at the solution."""
        return self._right(z, self._zeta(q, r)) + (1 - self.psi_p) / q - r / q**2

    def solve(self, z: Any, q: Any, r: Any, tolerance: float) -> tuple[Any, Any]:
        """Damped iteration until neither moves."""
        for _ in range(STEPS):
            zeta = self._zeta(q, r)
            shat = self.bb * self.psi_p + 1 / q
            new_r = 1 / (shat + self.psi_p * (self.shares * self.linear) @ zeta)
            r_next = (r + new_r) / 2
            zeta = self._zeta(q, r_next)
            new_q = ((self.psi_p - 1) + r_next / q) / self._right(z, zeta)
            q_next = 0.7 * q + 0.3 * new_q
            moved = max(np.max(np.abs(q_next - q) / np.abs(q)), np.max(np.abs(r_next - r) / np.abs(r)))
            q, r = q_next, r_next
            if moved < tolerance:
                return q, r
        raise InputError(f"the equations of the spectrum do not settle at z = {z[0]} …: move z away from the real axis")


@dataclass(frozen=True)
class SharedPhase:
    """The first phase, in which one number m(tau) grows for all classes: where each class is best, and when."""

    kappa: tuple[float, ...]
    variance: tuple[float, ...]
    S2: float
    mean_kappa: float
    t: float

    @classmethod
    def of(cls, var: Any, pi: Any, t: float) -> "SharedPhase":
        """Of class variances and proportions at a noise time."""
        variances, shares = check_classes(var, pi)
        kappa = np.array([hermite_coefficients(float(v), t).kappa for v in variances])
        second = float(shares @ (kappa**2 * noised_variance(variances, t)))
        return cls(tuple(kappa), tuple(variances), second, float(shares @ kappa), t)

    def loss(self, tau: Any, k: int) -> Any:
        """Loss of class k in this phase."""
        m = self.mean_kappa / self.S2 * -np.expm1(-2 * noise(self.t) * self.S2 * np.asarray(tau))
        kappa, size = self.kappa[k], noised_variance(self.variance[k], self.t)
        return 1 - 2 * noise(self.t) * kappa * m + noise(self.t) * kappa**2 * m**2 * size

    def best_time(self, k: int) -> float:
        """When class k is best; NaN where this phase ends before."""
        wanted = 1 / (self.kappa[k] * noised_variance(self.variance[k], self.t))
        if wanted >= self.mean_kappa / self.S2:
            return float("nan")
        return float(-np.log1p(-wanted * self.S2 / self.mean_kappa) / (2 * noise(self.t) * self.S2))


def overfitting_edge(var: float, pi: float, psi_p: float, psi_n: float, mean_s2: float, t: float) -> float:
    """Lowest eigenvalue of the modes that overfit a class, ss + v2 (√(psi_p/psi_n) − √pi)²; classes taken as decoupled."""
    if not 0 < pi <= 1:
        raise InputError(f"pi must be in (0, 1], got {shown(pi)}")
    v2 = hermite_coefficients(var, t).v2
    return mean_s2 + v2 * (np.sqrt(psi_p / psi_n) - np.sqrt(pi)) ** 2
