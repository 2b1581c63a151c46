"""The refine clock: when the density of latents is learned, and the samples it is judged on."""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from ..checks import InputError, number, numeric_array
from ..clocks.passage import Clock, Passages
from ..curve.divergences import sliced_wasserstein
from ..training.streams import Stream

FLOOR_SHARE, STILL_FALLING = 0.2, 0.1
"""Last share of the records whose median is the floor of the refine clock, and the fall within it that makes it none."""

WITHIN = 2.0
"""A floor above this many distances of two real draws is no learned density, whatever fell before."""

NOISES = (3.0, 5.0)
"""By how many standard deviations the error must fall: of what real draws score, and of the records about a smooth course, which
few of them may understate. On noise alone, ten records, it does so in less than 1 %.
"""

REAL_DRAWS = 20
"""Real draws whose distances say what a perfect generator scores, and how much one score is uncertain."""

STILL = "its floor is not reached: the last records still fall"

HELD_OUT, MOST_HELD_OUT = 0.1, 1000
"""Share of the samples that judge the clocks where no X_val is given, and their largest number."""


def held_out(x: Float[np.ndarray, "n D"], seed: int) -> tuple[Float[np.ndarray, "a D"], Float[np.ndarray, "b D"]]:
    """Samples to train on, and a tenth of them, at most 1,000, to judge by."""
    order = np.random.default_rng([seed, int(Stream.DATA)]).permutation(len(x))
    cut = max(1, min(MOST_HELD_OUT, int(HELD_OUT * len(x))))
    return x[order[cut:]], x[order[:cut]]


def real_distances(
    train: Float[np.ndarray, "n d"], judges: Float[np.ndarray, "m d"], *, draws: int = REAL_DRAWS, seed: int = 0
) -> Float[np.ndarray, " draw"]:
    """Sliced Wasserstein distances of m real samples, drawn afresh from `train`, to the m that generated ones are judged by."""
    rng = np.random.default_rng([seed, int(Stream.DATA), 1])
    rows = [rng.choice(len(train), len(judges), replace=len(train) < len(judges)) for _ in range(draws)]
    return np.array([sliced_wasserstein(train[some], judges) for some in rows])


def scatter(error: Float[np.ndarray, " record"]) -> float:
    """Standard deviation of a record about a smooth course, from second differences; 0 of fewer than three."""
    bends = np.diff(error[np.isfinite(error)], 2)
    return float(np.sqrt((bends**2).mean() / 6)) if bends.size else 0.0


def refine_passage(step: Any, error: Any, delta: float, *, real: Any = None, within: float = WITHIN) -> Passages:
    """Refine clock of a record of density errors: its passage within `delta` of its floor, relative to where it started.

    It is reached only where all of these hold, else censored with the `reason`:

    - the errors of real draws, `real`, are known, and the errors finite: else nothing is known of the time;
    - the floor, the median of the last fifth of the records, is at most `within` times the mean of `real`: else right-censored;
    - the last fifth does not still fall by more than a tenth, or the floor is what real draws score, to a standard deviation:
      else later than the passage to that floor, as a lower one is passed later;
    - the fall from the first record to the floor exceeds three standard deviations of what real draws score, and five of the
      records about a smooth course: else left-censored where the first error is as near as a floor must be, unknown where not.

    **Parameters**

    - `step`: (record,) steps. - `error`: (record,) distances of generated samples from held-out ones.
    - `real`: (draw,) the same distances of real samples, such as `real_distances`.

    ```python
    >>> import numpy as np
    >>> from eigenclock.latents.refine import refine_passage
    >>> step = np.array([1, 2, 4, 8, 16, 32, 64, 128, 256, 512.0])
    >>> error = 0.05 + 0.4 * np.exp(-step / 10)
    >>> refine_passage(step, error, 0.1, real=[0.05, 0.055, 0.045]).time.round()  # 24 by e^{−t/10}, between two records
    array([26.])
    >>> refine_passage(step, error, 0.1, real=[0.01, 0.011, 0.009]).reason
    'its floor 0.05 is 5 times the distance 0.01 of two real draws, above 2'

    ```
    """
    number("within", within, above=0)
    steps, errors = (np.asarray(one, dtype=np.float64) for one in (step, error))
    last = max(2, int(FLOOR_SHARE * len(errors)))
    tail = errors[-last:]
    floor = float(np.median(tail))
    target = floor + delta * (float(errors[0]) - floor)
    known = None if real is None else _known(real)
    reason = _censored(errors, floor, tail, known, within)
    if reason in ("", STILL):
        found = Clock("density error", target, "falling", smooth="twice").of(steps, errors)
        return replace(found, high=np.array([np.inf]), reason=reason) if reason else found
    if known is None or known.size == 0 or not np.isfinite(target):
        low, high = 0.0, np.inf
    elif floor > within * known.mean():
        low, high = steps[-1], np.inf
    else:
        low, high = 0.0, steps[steps > 0].min(initial=np.inf) if errors[0] <= within * known.mean() else np.inf
    return Passages(np.array([low]), np.array([high]), target, "density error", reason)


def _known(real: Any) -> Float[np.ndarray, " draw"]:
    found = numeric_array("real", real, "distances of real draws >= 0").astype(np.float64).ravel()
    found = found[np.isfinite(found)]
    if found.size and found.min() < 0:
        raise InputError(f"real must be distances of real draws >= 0, got {found.min():g}")
    return found


def _censored(errors: Any, floor: float, tail: Any, real: Any, within: float) -> str:
    """Why the clock is not reached; empty where nothing speaks against it."""
    if real is None or real.size == 0:
        return "the distance of two real draws is not known"
    if not np.isfinite(floor) or not np.isfinite(errors[0]):
        return "its errors are not finite"
    typical = float(real.mean())
    if floor > within * typical:
        times = floor / typical if typical > 0 else np.inf
        return (
            f"its floor {floor:.3g} is {times:.3g} times the distance {typical:.3g} of two real draws, above {within:g}"
        )
    spreads = float(real.std(ddof=1)) if real.size > 1 else 0.0, scatter(errors)
    fall = float(errors[0]) - floor
    for noise, times, whose in zip(spreads, NOISES, ("real draws", "the records"), strict=True):
        if not fall > times * noise:
            return f"it falls by {fall:.3g}, within {times:g} standard deviations of {whose}, {noise:.3g}: more held-out samples"
    return STILL if tail[-1] < (1 - STILL_FALLING) * tail[0] and floor > typical + spreads[0] else ""
