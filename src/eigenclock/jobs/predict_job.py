"""The theory's job: data → spectrum → prediction → brute-force check → comparison → report."""

import time as clock
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ..checks import InputError
from ..comparison.compare import Comparison, compare
from ..curve.learning_curve import LearningCurve
from ..data import DataSet, load
from ..recipe.architectures import OneLayer, TiedTwoLayer
from ..recipe.optimizers import GradientDescent, GradientFlow, Optimizer
from ..recipe.recipe import Recipe
from ..report.html import kind_of
from ..simulation.simulate import simulate
from ..spectrum.spectrum import Spectrum
from ..theory.predict import predict
from .config import DataOptions, PredictConfig, TheoryOptions
from .report_job import write_report
from .run_folder import MANIFEST, METRICS, PREDICTED, SIMULATED, RunFolder, manifest

DEFAULT_ARCHITECTURE = OneLayer(0.0)
"""Where an EDM-preconditioned network usually starts."""

STABLE_SHARE = 1 / 3
"""Default learning rate, as a share of the largest stable one."""

MOST_STEPS, EMERGED_SHARE = 5000, 0.95
"""Default number of steps: enough for this share of the modes to emerge, but no more than MOST_STEPS."""

RECORDS, MIXED_RECORDS = 200, 60
"""Recorded times of a prediction; fewer where the network mixes modes, since each then goes by whole matrices."""

MOST_MIXED = 512
"""Coordinates up to which the generated covariance of a network that mixes modes is kept, for its samples."""

LOSS_LEVELS = 6
"""Noise levels at which a run keeps the loss."""

CLOSE = 0.1
"""Distance from the data, as a share of their root-mean-square norm, that a report calls close."""

FRACTIONS = (0.5, 0.75, 0.9, 0.95, 0.99)
"""Shares of the variance whose emergence is reported."""

AGREEMENT = ("rank_correlation", "time_scale", "median_error", "error_90", "slope", "explained")
"""Numbers of a comparison that a run keeps."""

IMAGES_KEPT = 16
"""Simulated samples kept for the report."""

Report = Callable[..., None]
"""report(done, total, words=""); total is None where it is not known."""

Reporter = Callable[[str], AbstractContextManager[Report]]
"""Opens a named stage and gives a function to report progress with."""


@dataclass(frozen=True, eq=False)
class RunResult:
    """What a run found, and where it is."""

    folder: RunFolder
    predicted: LearningCurve
    simulated: LearningCurve | None
    comparison: Comparison | None
    metrics: dict[str, Any]


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


def read(data: str, options: DataOptions, seed: int = 0) -> tuple[DataSet, Spectrum]:
    """The data set and its spectrum."""
    dataset = load(data, image_size=options.image_size).limited(options.n, seed=seed)
    dataset = dataset.standardized() if options.standardize else dataset
    return dataset, Spectrum.from_samples(dataset.samples, basis=options.basis, test=dataset.test)


def resolve(training: TheoryOptions, spectrum: Spectrum) -> tuple[Recipe, int]:
    """The recipe and the number of steps, with the defaults that depend on the data filled in."""
    architecture = training.architecture or DEFAULT_ARCHITECTURE
    if isinstance(architecture, TiedTwoLayer) and architecture.init == 0:
        raise InputError(
            "architecture.init must be > 0 for TiedTwoLayer, got 0: a fixed point, nothing is ever learned"
        )
    optimizer = training.optimizer or GradientDescent(stable_learning_rate(training, spectrum))
    recipe = Recipe(training.objective, architecture, optimizer, training.sampler)
    return recipe, training.steps or enough_steps(recipe, spectrum)


def stable_learning_rate(training: TheoryOptions, spectrum: Spectrum) -> float:
    """A third of the largest learning rate at which gradient descent converges, rounded to two digits."""
    architecture = training.architecture or DEFAULT_ARCHITECTURE
    curvature = architecture.largest_curvature(training.objective, spectrum, training.sampler.levels)
    largest = GradientDescent().stable_step / curvature
    return float(f"{STABLE_SHARE * largest:.2g}")


def enough_steps(recipe: Recipe, spectrum: Spectrum) -> int:
    """Steps until 95 % of the modes with variance have emerged by prediction, rounded up to two digits; at most 5000."""
    curve = predict(spectrum, time=np.geomspace(1, MOST_STEPS, 100), **vars(_flowing(recipe)))
    table = curve.emergence()
    times = np.where(table.gray_zone, 0, np.where(table.censored, np.inf, table.time))[table.target > 0]
    last = float(np.quantile(times, EMERGED_SHARE, method="higher"))
    if not np.isfinite(1.2 * last) or 1.2 * last >= MOST_STEPS:
        return MOST_STEPS
    digits = 10 ** max(0, int(np.floor(np.log10(max(1.2 * last, 1)))) - 1)
    return int(-(-max(1.2 * last, 20) // digits) * digits)


def _flowing(recipe: Recipe) -> Recipe:
    """The same recipe under gradient flow, of the same speed where steps are small: an estimate costs no stepping."""
    momentum = getattr(recipe.optimizer, "momentum", 0.0)
    flow: Optimizer = GradientFlow(recipe.optimizer.lr / (1 - momentum))
    return Recipe(recipe.objective, recipe.architecture, flow, recipe.sampler)


def record_times(recipe: Recipe, steps: int, count: int) -> Float[np.ndarray, " time"]:
    """0 and `count` log-spaced times up to `steps`; whole steps for a discrete optimizer."""
    if isinstance(recipe.optimizer, GradientFlow):
        return np.concatenate([[0.0], np.geomspace(min(1e-2, steps / 10), steps, count)])
    return np.concatenate([[0.0], np.unique(np.round(np.geomspace(1, steps, count)))])


def predict_and_check(config: PredictConfig, config_text: str, command: str, reporter: Reporter = silent) -> RunResult:
    """Predict in `config.out`, and check by brute force if asked for; finished stages of a resumed run are read, not done again.

    `config_text` is the config as YAML and `command` what repeats the run; both are kept with it.
    """
    folder = RunFolder.claim(config.out, config_text, overwrite=config.overwrite, resume=config.resume)
    stage = Stages(reporter)

    with stage("spectrum"):
        dataset, spectrum = read(config.data, config, config.seed)
        recipe, steps = resolve(config, spectrum)
        sigma = np.geomspace(max(recipe.sampler.sigma_min, 1e-3), min(recipe.sampler.sigma_max, 1e3), LOSS_LEVELS)
    parts = {**vars(recipe), "sigma": sigma, "keep_loss": True}

    with stage("predict"):
        mixes = recipe.architecture.mixes(spectrum)
        times = record_times(recipe, steps, MIXED_RECORDS if mixes else RECORDS)
        keep = mixes and spectrum.dimension <= MOST_MIXED
        predicted = folder.curve(PREDICTED, lambda: predict(spectrum, time=times, keep_covariance=keep, **parts))

    simulated, skipped = None, _why_not(config, spectrum, recipe)
    if not skipped:
        with stage("simulate") as progress:
            simulated = folder.curve(
                SIMULATED,
                lambda: simulate(
                    spectrum,
                    time=record_times(recipe, steps, config.simulation.records),
                    samples=dataset.samples,
                    batch_size=config.simulation.batch_size,
                    n_particles=config.simulation.particles,
                    keep_particles=IMAGES_KEPT,
                    seed=config.seed,
                    progress=progress,
                    **parts,
                ),
            )

    with stage("compare"):
        comparison = None if simulated is None else compare(predicted, simulated)
        metrics = {
            "data": {"name": dataset.name, "source": dataset.source, "samples": len(dataset.samples)},
            "objective": type(recipe.objective).__name__,
            "steps": steps,
            "brute_force_skipped": skipped,
            **measure(predicted, simulated, comparison),
        }
        folder.write_json(METRICS, metrics)
    folder.write_json(MANIFEST, manifest(command, config.seed, stage.seconds))
    with stage("report"):
        write_report(folder)
    return RunResult(folder, predicted, simulated, comparison, metrics)


def _why_not(config: PredictConfig, spectrum: Spectrum, recipe: Recipe) -> str:
    """Why the brute-force check is left out; empty if it is not."""
    if not config.simulation.enabled:
        return "not asked for"
    if spectrum.dimension > config.simulation.max_dimension:
        return (
            f"{spectrum.dimension} coordinates are more than simulation.max_dimension = {config.simulation.max_dimension}: "
            "one full matrix per noise level would take too long"
        )
    if isinstance(recipe.optimizer, GradientFlow):
        return "minibatches need a discrete optimizer, not GradientFlow"
    return ""


def first_close(curve: LearningCurve) -> float:
    """First recorded time of a Wasserstein distance below a tenth of the data's root-mean-square norm; NaN if there is none."""
    near = curve.wasserstein().values < CLOSE * np.sqrt(curve.target.values.sum())
    return float(curve.time.values[near.argmax()]) if near.any() else float("nan")


def measure(predicted: LearningCurve, other: LearningCurve | None, comparison: Comparison | None) -> dict[str, Any]:
    """The numbers of a run: when each share of the variance emerges, when samples are close, exponents, agreement.

    `other` is what the prediction is set against: a simulation or a measurement.
    """
    curves = {"predicted": predicted} | ({} if other is None else {kind_of(other): other})
    result: dict[str, Any] = {}
    for name, curve in curves.items():
        table = curve.emergence()
        laws = {direction: table.power_law(direction) for direction in ("rising", "falling")}
        result[name] = {
            "close": first_close(curve),
            "variance_learned": {f"{fraction:g}": table.variance_learned(fraction) for fraction in FRACTIONS},
            "not_reached": int((table.censored & ~table.gray_zone).sum()),
            "gray_zone": int(table.gray_zone.sum()),
            "power_law": {
                direction: {**vars(law), "inverse_exponent": law.inverse_exponent} for direction, law in laws.items()
            },
        }
    if comparison is not None:
        result["comparison"] = {
            "modes": int(comparison.used.sum()),
            **{name: getattr(comparison, name) for name in AGREEMENT},
            "disagreeing": comparison.disagreeing.tolist(),
        }
    return result
