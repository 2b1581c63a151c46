"""Linear transport where the steps do not commute: one step of a matrix differential equation, and what a chain of steps
does to a Gaussian (T5, T6, T14)."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from jaxtyping import Inexact

Matrix = Inexact[np.ndarray, "*any d d"]

TAYLOR = 12
"""Degree of the exponential's Taylor polynomial, used below TAYLOR_REACH: the remainder is then 5e-14."""

COMMUTE = 1e-14
"""Entry of a commutator, beside exponents of order one, below which a step's matrices commute."""

TAYLOR_REACH = 0.54


def magnus_step(
    first: Any, middle: Any, last: Any, width: float, product: Callable[[Any, Any], Any], identity: Any
) -> Any:
    """Map of x' = A(t)x over a step, from A at its three Gauss nodes: sixth order (Blanes, Casas & Ros 2000, Eq. 3.10)."""
    mean = width * middle
    tilt = last - first
    tilt *= np.sqrt(15) / 3 * width
    bend = last + first
    bend -= 2 * middle
    bend *= 10 / 3 * width

    def bracket(a: Any, b: Any) -> Any:
        return product(a, b) - product(b, a)

    inner = bracket(mean, tilt)
    if product is np.matmul and np.abs(inner).max(initial=0.0) < COMMUTE:  # what is left out is smaller still
        return exponential(mean + bend / 12, identity, product)
    outer = -bracket(mean, 2 * bend + inner) / 60
    exponent = mean + bend / 12 + bracket(-20 * mean - bend + inner, tilt + outer) / 240
    return exponential(exponent, identity, product)


def along_first(a: Any, b: Any) -> Any:
    """Products of many small matrices whose rows and columns come first, (d, d, many): whole rows of numbers at a time."""
    out = a[:, 0, None] * b[None, 0]
    term = np.empty_like(out)
    for k in range(1, a.shape[1]):
        out += np.multiply(a[:, k, None], b[None, k], out=term)
    return out


def exponential(matrix: Any, identity: Any, product: Callable[[Any, Any], Any] = np.matmul) -> Any:
    """e^matrix of small matrices, laid out as `product` takes them: Taylor (Paterson–Stockmeyer) after halving, squared back.

    Powers tell how small a matrix is better than the matrix (Al-Mohy & Higham 2009): ‖A^k‖ ≤ max(‖A²‖^{1/2}, ‖A³‖^{1/3})^k.
    """
    square = product(matrix, matrix)
    cube = product(square, matrix)
    rows = 1 if product is along_first else -1

    def norm(power: Any) -> float:
        return float(np.abs(power).sum(axis=rows).max(initial=0.0))

    size = norm(matrix)
    if size > TAYLOR_REACH:
        size = min(size, max(norm(square) ** (1 / 2), norm(cube) ** (1 / 3)))
    halvings = max(0, int(np.ceil(np.log2(max(size, 1e-300) / TAYLOR_REACH))))
    a = matrix
    if halvings:
        a, square, cube = matrix / 2.0**halvings, square / 4.0**halvings, cube / 8.0**halvings
    factor = 1 / np.cumprod(np.arange(1, TAYLOR + 1, dtype=np.float64))
    c = np.concatenate([[1.0], factor])
    term = np.empty_like(a)

    def add(out: Any, k: int) -> Any:
        """out + c_k + c_{k+1}·a + c_{k+2}·a², in place."""
        out += np.multiply(a, c[k + 1], out=term)
        out += np.multiply(square, c[k + 2], out=term)
        out += c[k] * identity
        return out

    out = add(c[12] * cube, 9)
    for k in (6, 3, 0):
        out = add(product(cube, out), k)
    for _ in range(halvings):
        out = product(out, out)
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


def carried_along_first(steps: Iterable[tuple[Any, float]], start: float) -> Any:
    """Covariances (d, d, many) of N(0, start·I) after a chain of steps whose matrices are laid out alike."""
    covariance: Any = None
    chain: Any = None

    def applied() -> Any:
        adjoint = chain.conj().swapaxes(0, 1)
        if covariance is None:
            return start * along_first(chain, adjoint)
        return along_first(along_first(chain, covariance), adjoint)

    for step, noise in steps:
        chain = step if chain is None else along_first(step, chain)
        if noise > 0:
            covariance, chain = applied() + noise * np.eye(step.shape[0])[:, :, None], None
    return covariance if chain is None else applied()


def _apply(chain: Matrix, covariance: Any, mean: Any, start: float, homogeneous: bool) -> tuple[Any, Any]:
    linear = chain[..., :-1, :-1] if homogeneous else chain
    adjoint = linear.conj().swapaxes(-1, -2)
    carried = start * (linear @ adjoint) if covariance is None else linear @ covariance @ adjoint
    if not homogeneous:
        return carried, None
    shift = chain[..., :-1, -1]
    return carried, shift if mean is None else shift + np.einsum("...ij,...j->...i", linear, mean)
