"""The theory's job: data → spectrum → prediction → brute-force check → comparison → report."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ..checks import InputError
from ..comparison.compare import Comparison, compare
from ..curve.learning_curve import LearningCurve
from ..data import DataSet
from ..files import locked
from ..recipe.optimizers import GradientDescent, GradientFlow, Optimizer
from ..recipe.recipe import Recipe
from ..simulation.simulate import simulate
from ..spectrum.spectrum import Spectrum
from ..theory.predict import predict
from ..theory.stable import stable_lr
from .config import DEFAULT_ARCHITECTURE, PredictConfig, TheoryOptions
from .report_job import write_report
from .run_folder import MANIFEST, METRICS, PREDICTED, SIMULATED, RunFolder, manifest
from .stages import Reporter, Stages, read_or_load, silent, with_spectrum
from .summary import measure

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

IMAGES_KEPT = 16
"""Simulated samples kept for the report."""


@dataclass(frozen=True, eq=False)
class RunResult:
    """What a run found, and where it is."""

    folder: RunFolder
    predicted: LearningCurve
    simulated: LearningCurve | None
    comparison: Comparison | None
    metrics: dict[str, Any]


def resolve(training: TheoryOptions, spectrum: Spectrum) -> tuple[Recipe, int]:
    """The recipe and the number of steps, with the defaults that depend on the data filled in."""
    architecture = training.architecture or DEFAULT_ARCHITECTURE
    curve = architecture.follows()
    if curve is not None and curve.shape == "logistic" and curve.init == 0:
        raise InputError(
            f"architecture.init must be > 0 for {type(architecture).__name__}, got 0: a fixed point, nothing is ever learned"
        )
    optimizer = training.optimizer or GradientDescent(stable_learning_rate(training, spectrum))
    recipe = Recipe(training.objective, architecture, optimizer, training.sampler)
    return recipe, training.steps or enough_steps(recipe, spectrum)


def stable_learning_rate(training: TheoryOptions, spectrum: Spectrum) -> float:
    """A third of the largest learning rate at which gradient descent converges, rounded to two digits."""
    architecture = training.architecture or DEFAULT_ARCHITECTURE
    largest = stable_lr(
        spectrum, objective=training.objective, architecture=architecture, sigma=training.sampler.levels
    )
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
    with locked(config.out):
        return _in_folder(config, config_text, command, reporter)


def _in_folder(config: PredictConfig, config_text: str, command: str, reporter: Reporter) -> RunResult:
    folder = RunFolder.claim(config.out, config_text, overwrite=config.overwrite, resume=config.resume)
    stage = Stages(reporter)

    with stage("spectrum") as report:
        dataset, spectrum = read_or_load(config.data, config, config.seed, report)
        if dataset is not None:
            config = replace(config, objective=with_spectrum(config.objective, spectrum, dataset.samples))
        recipe, steps = resolve(config, spectrum)
        sigma = np.geomspace(max(recipe.sampler.sigma_min, 1e-3), min(recipe.sampler.sigma_max, 1e3), LOSS_LEVELS)
    parts = {**vars(recipe), "sigma": sigma, "keep_loss": True}

    with stage("predict"):
        mixes = recipe.architecture.mixes(spectrum)
        times = record_times(recipe, steps, MIXED_RECORDS if mixes else RECORDS)
        keep = mixes and spectrum.dimension <= MOST_MIXED
        predicted = folder.curve(PREDICTED, lambda: predict(spectrum, time=times, keep_covariance=keep, **parts))

    simulated, skipped = None, _why_not(config, dataset, spectrum, recipe)
    if dataset is not None and not skipped:
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
            "data": described(config.data, dataset, spectrum),
            "objective": type(recipe.objective).__name__,
            "steps": steps,
            "brute_force_skipped": skipped,
            "whose_steps": whose_steps(recipe),
            **measure(predicted, simulated, comparison),
        }
        folder.write_json(METRICS, metrics)
    folder.write_json(MANIFEST, manifest(command, config.seed, stage.seconds))
    with stage("report"):
        write_report(folder)
    return RunResult(folder, predicted, simulated, comparison, metrics)


def whose_steps(recipe: Recipe) -> str:
    """Of what machine the steps of a prediction are, in a sentence."""
    optimizer = recipe.optimizer
    kind = "gradient flow" if isinstance(optimizer, GradientFlow) else "gradient descent"
    return (
        f"steps of {kind} (lr {optimizer.lr:g}) on a linear layer ({type(recipe.architecture).__name__}); for another optimizer "
        "or network only their ratios carry over: calibrate them with `eigenclock run` or a Probe"
    )


def described(data: str, dataset: DataSet | None, spectrum: Spectrum) -> dict[str, Any]:
    """What a report says of the data."""
    if dataset is None:
        return {"name": Path(data).stem, "source": f"{Path(data).name}, a spectrum", "samples": spectrum.n_samples or 0}
    return {"name": dataset.name, "source": dataset.source, "samples": len(dataset.samples)}


def _why_not(config: PredictConfig, dataset: DataSet | None, spectrum: Spectrum, recipe: Recipe) -> str:
    """Why the brute-force check is left out; empty if it is not."""
    if not config.simulation.enabled:
        return "not asked for"
    if dataset is None:
        return "a spectrum has no samples to train on"
    if spectrum.dimension > config.simulation.max_dimension:
        return (
            f"{spectrum.dimension} coordinates are more than simulation.max_dimension = {config.simulation.max_dimension}: "
            "one full matrix per noise level would take too long"
        )
    if isinstance(recipe.optimizer, GradientFlow):
        return "minibatches need a discrete optimizer, not GradientFlow"
    return ""
