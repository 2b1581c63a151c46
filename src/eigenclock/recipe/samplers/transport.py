"""Linear transport where the steps do not commute: one step of a matrix differential equation, and what a chain of steps
does to a Gaussian (T5, T6, T14)."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from jaxtyping import Inexact

Matrix = Inexact[np.ndarray, "*any d d"]

TAYLOR = 12
"""Degree of the exponential's Taylor polynomial, used below TAYLOR_REACH: the remainder is then 1e-16."""

TAYLOR_REACH = 0.5


def magnus_step(
    first: Any, middle: Any, last: Any, width: float, product: Callable[[Any, Any], Any], identity: Any
) -> Any:
    """Map of x' = A(t)x over a step, from A at its three Gauss nodes: sixth order (Blanes, Casas & Ros 2000, Eq. 3.10)."""
    mean = width * middle
    tilt = (np.sqrt(15) / 3 * width) * (last - first)
    bend = (10 / 3 * width) * (last - 2 * middle + first)

    def bracket(a: Any, b: Any) -> Any:
        return product(a, b) - product(b, a)

    inner = bracket(mean, tilt)
    outer = -bracket(mean, 2 * bend + inner) / 60
    exponent = mean + bend / 12 + bracket(-20 * mean - bend + inner, tilt + outer) / 240
    return exponential(exponent, identity)


def exponential(matrix: Matrix, identity: Any) -> Matrix:
    """e^matrix of a stack of small matrices: Taylor (Paterson–Stockmeyer) after halving, then squared back."""
    size = np.abs(matrix).sum(axis=-1).max(initial=0.0)
    halvings = max(0, int(np.ceil(np.log2(max(size, 1e-300) / TAYLOR_REACH))))
    a = matrix / 2.0**halvings
    square = a @ a
    cube = square @ a
    factor = 1 / np.cumprod(np.arange(1, TAYLOR + 1, dtype=np.float64))
    c = np.concatenate([[1.0], factor])
    out = c[9] * identity + c[10] * a + c[11] * square + c[12] * cube
    for k in (6, 3, 0):
        out = cube @ out + c[k] * identity + c[k + 1] * a + c[k + 2] * square
    for _ in range(halvings):
        out = out @ out
    return out


def transported(
    steps: Iterable[tuple[Matrix, float]], start: float, identity: Matrix, homogeneous: bool
) -> tuple[Inexact[np.ndarray, "*batch n n"], Inexact[np.ndarray, "*batch n"] | None]:
    """Covariance, and mean where steps are homogeneous, of N(0, start·I) after a chain of steps x ← map·x + noise.

    Homogeneous steps act on (x, 1). Between two steps with noise the maps are multiplied first, so that small variances come
    out of large ones without cancellation.
    """
    covariance: Any = None
    mean: Any = None
    chain = identity
    for step, noise in steps:
        chain = step @ chain
        if noise > 0:
            covariance, mean = _apply(chain, covariance, mean, start, homogeneous)
            covariance = covariance + noise * np.eye(covariance.shape[-1])
            chain = identity
    return _apply(chain, covariance, mean, start, homogeneous)


def _apply(chain: Matrix, covariance: Any, mean: Any, start: float, homogeneous: bool) -> tuple[Any, Any]:
    linear = chain[..., :-1, :-1] if homogeneous else chain
    adjoint = linear.conj().swapaxes(-1, -2)
    carried = start * (linear @ adjoint) if covariance is None else linear @ covariance @ adjoint
    if not homogeneous:
        return carried, None
    shift = chain[..., :-1, -1]
    return carried, shift if mean is None else shift + np.einsum("...ij,...j->...i", linear, mean)
