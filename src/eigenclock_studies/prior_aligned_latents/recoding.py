"""Exact re-codings of latents: the same information, another geometry."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from eigenclock.checks import InputError, choice, number

Latents = Float[np.ndarray, "n *shape"]

KINDS = ("identity", "rotation", "channel_rotation", "coupling", "permutation")
LEVELS = 8
"""Permutations that tokens are laid out by."""


@dataclass(frozen=True, eq=False)
class Recoding:
    """`forward` and `inverse` of latents (n, *shape), each the other's exact inverse up to rounding."""

    kind: str
    forward: Callable[[Latents], Latents]
    inverse: Callable[[Latents], Latents]


def recode(kind: str, dim: int | tuple[int, ...], *, seed: int, omega: float | None = None) -> Recoding:
    """A re-coding of standardised latents.

    **Parameters**

    - `kind`: "identity"; "rotation", one orthogonal matrix on all D numbers; "channel_rotation", one on the channels of every
      token; "coupling", halves of every token's channels shifted by sines of frequency `omega` of each other; "permutation" of
      tokens, chosen by the mean of channel 0, which it leaves as it was.
    - `dim`: D, or the shape (d, h, w). - `omega`: of a coupling, > 0. - `seed`: of its matrices.

    Raises InputError for an odd d with a coupling, or kinds that need tokens without a shape.

    ```python
    >>> import numpy as np
    >>> from eigenclock_studies.prior_aligned_latents import recode
    >>> z = np.random.default_rng(0).standard_normal((5, 4, 2, 2))
    >>> scrambled = recode("coupling", (4, 2, 2), seed=0, omega=3.0)
    >>> bool(np.abs(scrambled.inverse(scrambled.forward(z)) - z).max() < 1e-12)
    True

    ```
    """
    choice("kind", kind, KINDS)
    shape = (dim,) if isinstance(dim, int) else tuple(dim)
    rng = np.random.default_rng([seed, 41])
    if kind in ("channel_rotation", "permutation") and len(shape) != 3:
        raise InputError(f"dim must be (d, h, w) for a {kind}, got {dim}")
    if (omega is not None) != (kind == "coupling"):
        raise InputError(f"omega must be given for a coupling and only there, got {omega} for {kind}")

    def unchanged(z: Latents) -> Latents:
        return z

    match kind:
        case "rotation":
            q = _orthogonal(int(np.prod(shape)), rng)
            return Recoding(
                kind,
                lambda z: (z.reshape(len(z), -1) @ q).reshape(z.shape),
                lambda z: (z.reshape(len(z), -1) @ q.T).reshape(z.shape),
            )
        case "channel_rotation":
            r = _orthogonal(shape[0], rng)
            return Recoding(
                kind, lambda z: np.einsum("nd...,de->ne...", z, r), lambda z: np.einsum("ne...,de->nd...", z, r)
            )
        case "coupling":
            return _coupling(shape[0], omega, rng)
        case "permutation":
            return _permutation(shape, rng)
        case _:
            return Recoding(kind, unchanged, unchanged)


def _orthogonal(d: int, rng: np.random.Generator) -> Float[np.ndarray, "d d"]:
    return np.linalg.qr(rng.standard_normal((d, d)))[0]


def _coupling(d: int, omega: Any, rng: np.random.Generator) -> Recoding:
    number("omega", omega, above=0)
    if d % 2:
        raise InputError(f"d must be even for a coupling, got {d}")
    half = d // 2
    first, second = _orthogonal(half, rng), _orthogonal(half, rng)

    def shift(matrix: Any, part: Any) -> Any:
        return np.sin(omega * np.einsum("ij,nj...->ni...", matrix, part))

    def forward(z: Latents) -> Latents:
        a, b = z[:, :half], z[:, half:]
        b = b + shift(first, a)
        return np.concatenate([a + shift(second, b), b], axis=1)

    def inverse(z: Latents) -> Latents:
        a, b = z[:, :half], z[:, half:]
        a = a - shift(second, b)
        return np.concatenate([a, b - shift(first, a)], axis=1)

    return Recoding("coupling", forward, inverse)


def _permutation(shape: tuple[int, ...], rng: np.random.Generator) -> Recoding:
    tokens = shape[1] * shape[2]
    orders = np.array([rng.permutation(tokens) for _ in range(LEVELS)])
    back = np.argsort(orders, axis=1)

    def arranged(z: Latents, table: Any) -> Latents:
        flat = z.reshape(*z.shape[:2], tokens)
        mean = np.sort(flat[:, 0], axis=1).mean(axis=1)  # sorted: the same to the bit in any order of tokens
        level = np.floor(mean * np.sqrt(tokens) * LEVELS / 2).astype(int) % LEVELS
        return np.take_along_axis(flat, table[level][:, None], axis=2).reshape(z.shape)

    return Recoding("permutation", lambda z: arranged(z, orders), lambda z: arranged(z, back))
