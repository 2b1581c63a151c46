"""What a level of theory leaves of the clocks of a case, beside what it must beat, on the same modes of every seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from eigenclock.clocks.emergence import Direction
from eigenclock.comparison.levels import Levels
from .laws import FEWEST
from .resampling import Resampled, difference, median, resampled

ONE_TIME = "one time for all"

RIVALS = ("a", "c", ONE_TIME)
"""What a level must beat: the plain theory, the same theory with one layer, and no order at all."""


@dataclass(frozen=True, eq=False)
class Errors:
    """|ln(measured/predicted)| after one constant, over the modes that all of `medians` time, in every seed.

    `medians`: of the level, of levels (a) to (d) and of one time for all, by name;
    `against`: of every rival, median of the level less the rival's, below 0 where the level is better. `modes`, `measured`: per
    seed, modes compared, and modes that emerged outside the gray zone.
    """

    level: str
    medians: dict[str, Resampled]
    against: dict[str, Resampled]
    modes: tuple[int, ...]
    measured: tuple[int, ...]

    @classmethod
    def of(cls, seeds: Sequence[Levels], level: str, direction: Direction | None = None) -> "Errors":
        """Errors of a level over the seeds of a case, of all modes or of one direction; nothing with too few modes."""
        names = [name for name in (*"abcd", level) if all(name in levels for levels in seeds)]
        used = []
        for levels in seeds:
            parts = [levels[name] if direction is None else levels[name].of(direction) for name in names]
            used.append(np.logical_and.reduce([part.used for part in parts]))
        modes = tuple(int(some.sum()) for some in used)
        left: dict[str, list[Float[np.ndarray, " mode"]]] = {name: [] for name in (*names, ONE_TIME)}
        for levels, some in zip(seeds, used, strict=True) if min(modes, default=0) >= FEWEST else ():
            for name in names:
                left[name].append(_remaining(levels[name].ratio, some))
            left[ONE_TIME].append(_remaining(levels[level].measured.time, some))
        own = left[level]
        return cls(
            level,
            {name: resampled(median, [(one, one) for one in errors]) for name, errors in left.items()},
            {
                rival: resampled(difference, list(zip(own, left[rival], strict=True)))
                for rival in RIVALS
                if rival != level
            },
            modes,
            tuple(_emerged(levels, direction) for levels in seeds),
        )


def _remaining(value: Float[np.ndarray, " mode"], some: np.ndarray) -> Float[np.ndarray, " mode"]:
    log = np.where(some, np.log(np.where(some, value, 1.0)), np.nan)
    return np.abs(log - np.nanmedian(log))


def _emerged(levels: Levels, direction: Direction | None) -> int:
    table = next(iter(levels.comparisons.values())).measured
    return int(sum(table.select(each).sum() for each in (("rising", "falling") if direction is None else (direction,))))
