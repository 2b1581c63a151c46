"""At which steps of a run something is looked at, and what that costs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from ...checks import InputError, finite_array, integer, need_memory, shown

ASSUMED_BATCH, PASSES = 64, 3
"""Batch of a training step where it is not known, and forward passes that its forward and backward are worth."""

FEWEST, MOST = 64, 2048
"""Samples that a probe draws at least, and at most, unless it is told how many."""

GAIN_SAMPLES = 512
"""Clean samples behind a measured gain, at most, unless it is told how many."""

LAST = 2**53
"""Largest step: beyond it float64, in which curves keep their times, skips whole numbers."""


def log_steps(first: int, last: int, count: int) -> Int[np.ndarray, " step"]:
    """At most `count` different whole steps from `first` to `last`, evenly spread in the logarithm.

    ```python
    >>> import eigenclock as ec
    >>> ec.log_steps(1, 1000, 7)
    array([   1,    3,   10,   32,  100,  316, 1000])

    ```
    """
    integer("first", first, at_least=1)
    integer("last", last, at_least=first)
    integer("count", count, at_least=1)
    need_memory(f"count = {count:,}", 32.0 * count)
    return np.unique(np.round(np.geomspace(first, last, count)).astype(int))


def whole_steps(steps: Any) -> Int[np.ndarray, " step"]:
    """Increasing whole steps >= 0; InputError for anything else."""
    given = finite_array("steps", steps, "whole steps >= 0")
    if (
        given.ndim != 1
        or given.size == 0
        or given.min() < 0
        or given.max() > LAST
        or (given != np.floor(given)).any()
        or (np.diff(given) <= 0).any()
    ):
        raise InputError(f"steps must be increasing whole numbers >= 0, got {shown(steps)}")
    return given.astype(int)


@dataclass(frozen=True)
class Passes:
    """How many samples go through the denoiser at a probed step, of how many are drawn: `passes(n)`, n a number or an array.

    - `sampler`, `others`: evaluations of the probe's own sampler, and of all others, which draw a quarter as many.
    - `levels`: noise levels of the gain. - `gain_samples`: clean samples behind it; None for as many as are drawn, at most
      `GAIN_SAMPLES`. - `data`: clean samples that there are, None for any number. - `test`: held-out ones, as many of which, at
      most, go through as clean ones.
    """

    sampler: int
    others: int
    levels: int
    gain_samples: int | None
    data: int | None
    test: int

    def __call__(self, n: Any) -> Any:
        return self.sampler * n + self.others * self.fewer(n) + self.levels * (self.clean(n) + self.held_out(n))

    def fewer(self, n: Any) -> Any:
        """Samples that another sampler draws."""
        return np.maximum(2, n // 4)

    def clean(self, n: Any) -> Any:
        """Clean samples behind the gain."""
        wanted = np.minimum(n, GAIN_SAMPLES) if self.gain_samples is None else self.gain_samples
        return wanted if self.data is None else np.minimum(wanted, self.data)

    def held_out(self, n: Any) -> Any:
        """Held-out samples."""
        return np.minimum(self.clean(n), self.test)

    def within(self, budget: float, steps: Int[np.ndarray, " step"], batch_size: int | None) -> int:
        """How many samples can be drawn at each of the steps (step,) for a share of training.

        Training up to the last step costs `training_passes`, of which `budget` is the share. The most samples from `FEWEST` to
        `MOST` that fit; `FEWEST` where none does.
        """
        n = np.arange(FEWEST, MOST + 1)
        fits = self(n) * float(steps.size) <= budget * training_passes(steps, batch_size)
        return int(n[fits].max(initial=FEWEST))


def training_passes(steps: Int[np.ndarray, " step"], batch_size: int | None) -> int:
    """What training up to the last of these steps costs, in samples that go through the denoiser; at least one step's.

    A step is worth `PASSES` passes of its batch, of `ASSUMED_BATCH` where it is not known.
    """
    return PASSES * (batch_size or ASSUMED_BATCH) * max(int(steps[-1]), 1)


def cost_in_words(
    evaluations: int, steps: Int[np.ndarray, " step"], n_samples: int, batch_size: int | None, budget: float | None
) -> str:
    """What a probed step costs, in training steps, and all of them, as a share of training.

    `budget`: the share that the number of samples was chosen for, None where the number was given.
    """
    batch, last = batch_size or ASSUMED_BATCH, int(steps[-1])
    assumed = "" if batch_size else " (another: batch_size=)"
    share = evaluations * steps.size / training_passes(steps, batch_size)
    over = budget is not None and share > budget
    fewest = (
        f", more than its budget of {_percent(budget or 0)}: no fewer than {FEWEST} samples are drawn" if over else ""
    )
    return (
        f"a probed step costs {evaluations:,} passes of the denoiser, as much as {evaluations / (PASSES * batch):,.3g} training "
        f"steps of batch {batch}{assumed}; {steps.size} steps are probed, n_samples={n_samples}: {_percent(share)} of training "
        f"up to step {last:,}{fewest}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:,.0f} %"
