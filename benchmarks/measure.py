"""How a benchmark is measured and shown."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Row:
    """One line of the table: what is compared, both seconds, the promise about their ratio, and whether it holds."""

    what: str
    ours: float
    peer: float
    promise: str
    holds: bool

    @property
    def ratio(self) -> float:
        """Ours over peer."""
        return self.ours / self.peer


def seconds(call: Callable[[], object], repeats: int = 5) -> float:
    """Median wall time of `repeats` calls, after one that is not counted."""
    call()
    return float(np.median([_once(call) for _ in range(repeats)]))


def _once(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun
