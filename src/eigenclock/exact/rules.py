"""Data with an exactly checkable rule: bits of which a known, tiny share is valid."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from jaxtyping import Bool, Float, Int

from ..checks import InputError, choice, instance, integer, integer_option, need_memory, numeric_array

Layout: TypeAlias = Literal["contiguous", "strided", "random"]
MOST_BITS = 64
"""Bits of a sample: what packs into one 64-bit word."""

LAYOUT_SEED = 7
"""Of the one permutation of layout "random"."""


class Rule(ABC):
    """A rule on D bits. Subclasses are frozen dataclasses.

    `D`: bits. `size`: number of valid samples. `n_groups`: parts that are valid or not by themselves. `chance_group`,
    `chance_sample`: share of valid ones among uniform bits, for a group and for a whole sample.
    """

    D: int

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of valid samples."""

    @property
    @abstractmethod
    def n_groups(self) -> int:
        """Number of groups."""

    @property
    @abstractmethod
    def chance_group(self) -> float:
        """Share of valid groups among uniform bits."""

    @property
    def chance_sample(self) -> float:
        """Share of valid samples among uniform bits."""
        return self.size / 2**self.D

    @abstractmethod
    def sample(self, n: int, rng: np.random.Generator) -> Int[np.ndarray, "n D"]:
        """n samples (n, D) of 0 and 1, exactly uniform on the valid ones, independent."""

    @abstractmethod
    def _groups_valid(self, bits: Int[np.ndarray, "n D"]) -> Bool[np.ndarray, "n groups"]: ...

    def group_valid(self, bits: Any) -> Bool[np.ndarray, "n groups"]:
        """(n, groups): whether each group obeys the rule. InputError for anything but 0 and 1, or another width."""
        return self._groups_valid(self._checked(bits))

    def valid(self, bits: Any) -> Bool[np.ndarray, " n"]:
        """(n,): whether each sample obeys the rule in every group."""
        return np.asarray(self.group_valid(bits).all(axis=1))

    def encode(self, bits: Any) -> Float[np.ndarray, "n D"]:
        """Bits as −1 and +1, for a denoiser."""
        return 2.0 * self._checked(bits) - 1.0

    def decode(self, values: Any) -> Int[np.ndarray, "n D"]:
        """Real values as bits: 1 where > 0. InputError for NaN and infinity."""
        array = numeric_array("values", values, "numbers (n, D)").astype(np.float64)
        if array.ndim < 1:
            raise InputError("values must have shape (n, D), got ()")
        array = array.reshape(len(array), -1)
        if not np.isfinite(array).all():
            raise InputError("values must be finite to be read as bits, got NaN or inf")
        return (array > 0).astype(np.int64)

    def split(self, n: int, rng: np.random.Generator, *, allow_chance: bool = False) -> tuple[Any, Any]:
        """A training set and a disjoint control set of n different valid samples each, both uniform.

        Raises InputError if 2n exceeds half the support, or, unless `allow_chance`, if n is more than `MOST_CHANCE` of it:
        a perfect rule learner would then hit the training set by chance too often.
        """
        integer("N", n, at_least=1)
        if n > self.size / 4:
            raise InputError(f"N must be at most a quarter of the {self.size:,} valid samples, got {n:,}")
        if n / self.size > MOST_CHANCE and not allow_chance:
            raise InputError(
                f"N must be at most {MOST_CHANCE:g} of the {self.size:,} valid samples, got {n:,}: "
                "a perfect rule learner would copy by chance; allow_chance=True takes it"
            )
        chosen = np.empty((0, self.D), dtype=np.int64)
        while len(chosen) < 2 * n:
            chosen = np.unique(np.concatenate([chosen, self.sample(2 * n, rng)]), axis=0)
        chosen = chosen[rng.permutation(len(chosen))]
        return chosen[:n], chosen[n : 2 * n]

    def checked_draw(self, n: Any, rng: Any) -> int:
        """Number of samples; InputError unless it is one, fits in memory, and `rng` is a NumPy Generator."""
        instance("rng", rng, np.random.Generator, "a NumPy Generator, np.random.default_rng(seed)")
        count = integer("n", n, at_least=0)
        need_memory(f"n = {count:,}", 24.0 * count * self.D)
        return count

    def _checked(self, bits: Any) -> Int[np.ndarray, "n D"]:
        array = numeric_array("bits", bits, "bits (n, D) of 0 and 1")
        if array.ndim != 2 or array.shape[1] != self.D:
            raise InputError(f"bits must have shape (n, {self.D}), got {array.shape}")
        if array.size and not ((array == 0) | (array == 1)).all():
            bad = array[(array != 0) & (array != 1)].flat[0]
            raise InputError(f"bits must be 0 or 1, got {bad}")
        return array.astype(np.int64)


MOST_CHANCE = 0.02
"""Largest share of the valid samples that a training set may be."""


@dataclass(frozen=True)
class _Grouped(Rule):
    """D bits in D/G groups of G, laid out in one of three ways."""

    D: int
    G: int
    layout: Layout = "contiguous"

    def __post_init__(self) -> None:
        _check_width(self.D)
        integer_option(self, "G", at_least=2)
        if self.D % self.G:
            raise InputError(f"G must divide D = {self.D}, got {self.G}")
        choice("layout", self.layout, get_args(Layout))

    @property
    def n_groups(self) -> int:
        return self.D // self.G

    @property
    def places(self) -> Int[np.ndarray, "groups G"]:
        """(groups, G): which bits make up each group."""
        bits = np.arange(self.D)
        match self.layout:
            case "strided":
                return bits.reshape(self.G, -1).T
            case "random":
                return np.random.default_rng(LAYOUT_SEED).permutation(self.D).reshape(-1, self.G)
            case _:
                return bits.reshape(-1, self.G)

    def grouped(self, values: Any) -> Any:
        """(n, D) → (n, groups, G)."""
        return np.asarray(values)[:, self.places]

    def ungrouped(self, values: Any) -> Any:
        """(n, groups, G) → (n, D), the inverse of `grouped`."""
        out = np.empty((len(values), self.D), dtype=np.asarray(values).dtype)
        out[:, self.places] = values
        return out


@dataclass(frozen=True)
class GroupParity(_Grouped):
    """Every group of G bits has an even number of ones. Invisible to any G − 1 bits of a group.

    **Parameters**

    - `D`: bits, at most 64. - `G`: bits per group, divides D.
    - `layout`: "contiguous" groups, "strided" (bit i in group i mod D/G), or "random" (one fixed permutation).

    ```python
    >>> import numpy as np
    >>> import eigenclock as ec
    >>> rule = ec.GroupParity(24, 4)
    >>> bits = rule.sample(3, np.random.default_rng(0))
    >>> rule.size, rule.chance_sample, rule.valid(bits).all()
    (262144, 0.015625, np.True_)

    ```
    """

    @property
    def size(self) -> int:
        return 2 ** (self.D - self.n_groups)

    @property
    def chance_group(self) -> float:
        return 0.5

    @property
    def sign(self) -> int:
        """Product of a valid group's ±1: chi = (−1)^G."""
        return -1 if self.G % 2 else 1

    def sample(self, n: int, rng: np.random.Generator) -> Int[np.ndarray, "n D"]:
        n = self.checked_draw(n, rng)
        groups = rng.integers(0, 2, (n, self.n_groups, self.G))
        groups[..., -1] = groups[..., :-1].sum(axis=-1) % 2
        return self.ungrouped(groups)

    def _groups_valid(self, bits: Int[np.ndarray, "n D"]) -> Bool[np.ndarray, "n groups"]:
        return self.grouped(bits).sum(axis=-1) % 2 == 0


@dataclass(frozen=True)
class GroupWeight(_Grouped):
    """Every group of G bits has exactly k ones. Visible in pair correlations, −1/(G − 1) for k = G/2.

    **Parameters**

    - as `GroupParity`, and `k`: ones per group, 1 to G − 1; default 2.
    """

    k: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        integer_option(self, "k", at_least=1)
        if self.k >= self.G:
            raise InputError(f"k must be 1 to G - 1 = {self.G - 1}, got {self.k}")

    @property
    def size(self) -> int:
        return math.comb(self.G, self.k) ** self.n_groups

    @property
    def chance_group(self) -> float:
        return math.comb(self.G, self.k) / 2**self.G

    def sample(self, n: int, rng: np.random.Generator) -> Int[np.ndarray, "n D"]:
        n = self.checked_draw(n, rng)
        ranks = rng.random((n, self.n_groups, self.G)).argsort(axis=-1)
        return self.ungrouped((ranks < self.k).astype(np.int64))

    def _groups_valid(self, bits: Int[np.ndarray, "n D"]) -> Bool[np.ndarray, "n groups"]:
        return self.grouped(bits).sum(axis=-1) == self.k


@dataclass(frozen=True)
class Permutation(Rule):
    """n × n bits with exactly one 1 in every row and column; the groups are the rows and columns.

    **Parameters**

    - `n`: 2 to 8.
    """

    n: int = 8

    def __post_init__(self) -> None:
        integer_option(self, "n", at_least=2)
        if self.n > 8:
            raise InputError(f"n must be 2 to 8, got {self.n}")

    @property
    def D(self) -> int:  # type: ignore[override]
        return self.n**2

    @property
    def size(self) -> int:
        return math.factorial(self.n)

    @property
    def n_groups(self) -> int:
        return 2 * self.n

    @property
    def chance_group(self) -> float:
        return self.n / 2**self.n

    def sample(self, n: int, rng: np.random.Generator) -> Int[np.ndarray, "n D"]:
        n = self.checked_draw(n, rng)
        columns = rng.random((n, self.n)).argsort(axis=1)
        return np.eye(self.n, dtype=np.int64)[columns].reshape(n, -1)

    def _groups_valid(self, bits: Int[np.ndarray, "n D"]) -> Bool[np.ndarray, "n groups"]:
        square = bits.reshape(len(bits), self.n, self.n)
        return np.concatenate([square.sum(axis=2) == 1, square.sum(axis=1) == 1], axis=1)


@dataclass(frozen=True)
class NoRule(Rule):
    """Uniform bits: every sample is valid. The control of every rule.

    **Parameters**

    - `D`: bits, at most 64.
    """

    D: int

    def __post_init__(self) -> None:
        _check_width(self.D)

    @property
    def size(self) -> int:
        return 2**self.D

    @property
    def n_groups(self) -> int:
        return self.D

    @property
    def chance_group(self) -> float:
        return 1.0

    def sample(self, n: int, rng: np.random.Generator) -> Int[np.ndarray, "n D"]:
        n = self.checked_draw(n, rng)
        return rng.integers(0, 2, (n, self.D))

    def _groups_valid(self, bits: Int[np.ndarray, "n D"]) -> Bool[np.ndarray, "n groups"]:
        return np.ones(bits.shape, dtype=bool)


def _check_width(width: Any) -> None:
    integer("D", width, at_least=1)
    if width > MOST_BITS:
        raise InputError(f"D must be at most {MOST_BITS}, got {width}")
