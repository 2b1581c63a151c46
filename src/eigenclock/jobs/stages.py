"""Stages that every job goes through: timed, reported, and the first of them, reading the data."""

import time as clock
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

from ..checks import InputError
from ..data import DataSet, load
from ..recipe.objectives import Objective
from ..recipe.recipe import SpectralEDM
from ..spectrum.spectrum import Spectrum
from .config import DataOptions

Report = Callable[..., None]
"""report(done, total, words=""); total is None where it is not known."""

Reporter = Callable[[str], AbstractContextManager[Report]]
"""Opens a named stage and gives a function to report progress with."""


@contextmanager
def silent(_: str) -> Iterator[Report]:
    """A reporter that reports nothing."""
    yield lambda done, total, words="": None


class Stages:
    """`with stages(name) as report:` times the stages of a job."""

    def __init__(self, reporter: Reporter) -> None:
        self.seconds: dict[str, float] = {}
        self._reporter = reporter

    @contextmanager
    def __call__(self, name: str) -> Iterator[Report]:
        """Open a stage."""
        begun = clock.perf_counter()
        with self._reporter(name) as report:
            yield report
        self.seconds[name] = clock.perf_counter() - begun


def read(
    data: str, options: DataOptions, seed: int = 0, report: Report = lambda done, total, words="": None
) -> tuple[DataSet, Spectrum]:
    """The data set and its spectrum."""
    dataset = load(
        data,
        image_size=options.image_size,
        color=options.color,
        n=options.n,
        seed=seed,
        max_pixels=options.max_pixels,
        progress=lambda done, total: report(done, total, "pictures read"),
    )
    dataset = dataset.standardized(each=options.standardize == "pixel") if options.standardize else dataset
    return dataset, Spectrum.from_samples(dataset.samples, basis=options.basis, test=dataset.test)


def read_or_load(
    data: str, options: DataOptions, seed: int = 0, report: Report = lambda done, total, words="": None
) -> tuple[DataSet | None, Spectrum]:
    """The data set and its spectrum; of a file that holds a spectrum (.nc) that alone, as it was saved."""
    if not data.lower().endswith(".nc"):
        return read(data, options, seed, report)
    for name in ("n", "image_size", "color"):
        if getattr(options, name) is not None:
            raise InputError(f"{name} applies to samples, got it with the spectrum {data}")
    return None, Spectrum.load(data)


def with_spectrum(objective: Objective, spectrum: Spectrum, samples: Any) -> Objective:
    """The objective; a `SpectralEDM` with what it assumes of the data: the job's spectrum, cross-validated (T22)."""
    if not isinstance(objective, SpectralEDM) or objective.spectrum is not None:
        return objective
    return replace(objective, spectrum=spectrum.cross_validated(samples))
