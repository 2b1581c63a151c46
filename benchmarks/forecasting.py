"""A forecast of many modes, beside reading the clocks of the same run."""

import tracemalloc
from collections.abc import Iterator

import numpy as np

import eigenclock as ec
from .measure import Row, seconds

MODES, RECORDS = 3072, 60
RECIPE = {"objective": ec.EDM(density=ec.LogNormal()), "sampler": ec.Heun(steps=20)}
LIMIT_SECONDS, LIMIT_MEMORY = 1.0, 200 / 1024
"""Of one forecast and its sentence, on one core."""


def _run() -> tuple[dict[str, ec.LearningCurve], ec.LearningCurve]:
    """All levels, and a run of 32×32×3 modes that the third of them describes, with noise."""
    spectrum = ec.Spectrum.power_law(MODES, exponent=1.2)
    levels = ec.predict_levels(spectrum, **RECIPE)
    theory, rng = levels["c"], np.random.default_rng(0)
    steps = np.geomspace(1, 2000, RECORDS)
    variance = np.stack([theory.variance_at(step / 50) for step in steps])
    dataset = theory.dataset.drop_dims("time").assign_coords(time=steps)
    dataset["variance"] = (("time", "mode"), variance * np.exp(0.1 * rng.standard_normal(variance.shape)))
    dataset["log_variance_error"] = (("time", "mode"), np.full(variance.shape, 0.1))
    dataset.attrs |= {"first_step": 0}
    return levels, ec.LearningCurve(dataset, recipe=None, source="measurement")


def speed() -> Iterator[Row]:
    """Seconds of a forecast and its sentence, against its limit."""
    levels, run = _run()
    ours = seconds(lambda: str(ec.forecast(levels, run)), 3)
    what = f"forecast of {MODES:,} modes from {RECORDS} records, five levels, and its sentence"
    yield Row(what, ours, LIMIT_SECONDS, "<= 1", ours <= LIMIT_SECONDS)


def memory() -> Iterator[Row]:
    """Peak memory of a forecast and its sentence, against its limit."""
    levels, run = _run()
    tracemalloc.start()
    str(ec.forecast(levels, run))
    used = tracemalloc.get_traced_memory()[1] / 2**30
    tracemalloc.stop()
    yield Row(
        f"peak memory of a forecast of {MODES:,} modes and its sentence",
        used,
        LIMIT_MEMORY,
        "<= 1",
        used <= LIMIT_MEMORY,
    )
