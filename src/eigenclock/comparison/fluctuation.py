"""How much a network's samples scatter from record to record: its modes swell and shrink together (*ours*, measured)."""

import numpy as np
from jaxtyping import Float

LATELY = 1.5
"""e-folds of the last records that are looked at."""

CALMS = 0.35
"""Power of time with which the scatter falls: networks that go on training at one rate calm down slowly."""

SWINGS = 1.2
"""How much further they swing than a few records show."""


def scatter(time: Float[np.ndarray, " time"], value: Float[np.ndarray, " time"]) -> float:
    """Standard deviation of a series about a smooth one, from each record's distance to the line between its neighbours.

    Over the last e-folds of `time` (increasing, above 0); exact in expectation for independent scatter about a line in ln time.
    0 where fewer than three records lie there.
    """
    known = time > 0
    log_time, value = np.log(time[known]), value[known]
    if log_time.size:
        lately = log_time >= log_time[-1] - LATELY
        log_time, value = log_time[lately], value[lately]
    if log_time.size < 3:
        return 0.0
    way = (log_time[1:-1] - log_time[:-2]) / (log_time[2:] - log_time[:-2])
    left = value[1:-1] - (1 - way) * value[:-2] - way * value[2:]
    return float(np.sqrt(np.mean(left**2 / (1 + way**2 + (1 - way) ** 2))))


def fluctuations(
    size: float, ahead: Float[np.ndarray, " time"], draws: int, seed: int
) -> Float[np.ndarray, "draw time"]:
    """Draws of what ln variance of all modes has in common, at ln times ahead: none now, smaller later on.

    Independent at every time, however near the next: just ahead there are more of them than a run has records.
    """
    half = np.random.default_rng(seed).standard_normal(((draws + 1) // 2, ahead.size))
    common = np.concatenate([half, -half])[:draws]
    return np.where(ahead > 0, SWINGS * size * np.exp(-CALMS * ahead) * common, 0.0)
