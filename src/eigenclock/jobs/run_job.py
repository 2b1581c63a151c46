"""The main job: data → spectrum → prediction → training under the probe → comparison and forecasts → report."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks import InputError
from ..clocks.emergence import Direction
from ..comparison.forecast import forecast
from ..comparison.forecast_check import check_forecasts
from ..comparison.forecast_result import Forecast
from ..comparison.levels import Levels, compare_levels, predict_level, predict_levels
from ..curve.learning_curve import LearningCurve
from ..data import DataSet
from ..files import atomic, locked
from ..spectrum.patches import patch_spectrum
from ..spectrum.spectrum import Spectrum
from ..training.network_options import need_torch
from ..training.options import MEASURED, STREAM, LoopOptions
from .config import RunConfig
from .report_job import write_report
from .run_folder import MANIFEST, METRICS, PREDICTED, SHOWN, RunFolder, manifest
from .stages import Reporter, Stages, read, silent, with_spectrum
from .summary import measure

if TYPE_CHECKING:
    from ..comparison.probe import Probe

GAIN_LEVELS = 8
"""Noise levels at which a run measures the gain."""

DIRECTIONS: tuple[Direction, Direction] = ("rising", "falling")

FORECASTS, TRAINING = "forecasts.csv", "training.json"


@dataclass(frozen=True, eq=False)
class MainResult:
    """What a run found, and where it is."""

    folder: RunFolder
    predicted: LearningCurve
    measured: LearningCurve
    levels: Levels
    metrics: dict[str, Any]
    outlook: Forecast


def make_probe(config: RunConfig, dataset: DataSet, spectrum: Spectrum, device: Any) -> "Probe":
    """The probe that a config asks for; InputError if it asks for losses of held-out samples of data that have none."""
    import torch

    from ..comparison.probe import Probe
    from ..training.probing.cadence import log_steps

    if config.probe.test and dataset.test is None:
        raise InputError(f"probe.test needs held-out samples, got {dataset.name}, which has none")
    also: dict[str, Any] = {}
    if config.probe.fourier:
        also["fourier"] = Spectrum.from_samples(dataset.samples, basis="fourier")
    for size in config.probe.patches:
        also[f"patch {size}"] = patch_spectrum(dataset.samples, size=size)
    levels = np.geomspace(max(config.sampler.sigma_min, 1e-3), min(config.sampler.sigma_max, 1e3), GAIN_LEVELS)
    return Probe(
        spectrum,
        sampler=config.sampler,
        steps=log_steps(1, config.steps, config.probe.count),
        n_samples=config.probe.samples,
        budget=config.probe.budget,
        seed=config.seed,
        data=dataset.samples,
        test=dataset.test if config.probe.test else None,
        sigma=levels if config.probe.gain else (),
        also=also,
        device=device,
        dtype=torch.float64 if config.training.precision == "float64" else torch.float32,
        batch_size=config.training.batch_size,
    )


def run(config: RunConfig, config_text: str, command: str, reporter: Reporter = silent) -> MainResult:
    """Do the main job in `config.out`. A resumed run goes on exactly where it stopped.

    `config_text` is the config as YAML and `command` what repeats the run; both are kept with it.
    """
    stage = Stages(reporter)
    with locked(config.out):
        return compare_stages(train_stages(config, config_text, command, stage), stage)


def train_stages(config: RunConfig, config_text: str, command: str, stage: Stages) -> RunFolder:
    """Spectrum, prediction and training under the probe, in a folder that is `locked`."""
    need_torch()
    from ..training.devices import find_device
    from ..training.loop import train
    from ..training.streams import Stream, stream_seed

    # a run of one learning rate that goes on is one that was longer from the start
    may_grow = ("steps",) if config.training.decay == 0 else ()
    folder = RunFolder.claim(
        config.out, config_text, overwrite=config.overwrite, resume=config.resume, may_grow=may_grow
    )
    device, schedule = find_device(config.training.device), config.training.schedule(config.steps)
    with stage("spectrum") as report:
        dataset, spectrum = read(config.data, config, config.seed, report)
        seed = stream_seed(config.seed, Stream.INIT)
        network = config.network.build(dataset.samples.shape[1:], spectrum=spectrum, seed=seed)
        probe = make_probe(
            config, dataset, spectrum, device
        )  # whatever is wrong is said before an old run is overwritten
    with stage("predict"):
        objective = with_spectrum(config.objective, spectrum, dataset.samples)
        recipe = (objective, config.sampler, config.network.architecture)
        folder.curve(PREDICTED, lambda: predict_level("c", spectrum, *recipe))
        curves = predict_levels(spectrum, *recipe)
    with stage("train") as report:
        trained = train(
            network,
            dataset.samples,
            objective=objective,
            optimizer=config.optimizer,
            steps=config.steps,
            options=config.training,
            probe=probe,
            seed=config.seed,
            sigma_range=(max(config.sampler.sigma_min, 1e-3), min(config.sampler.sigma_max, 1e3)),
            folder=folder.path,
            resume=config.resume,
            settings={"network": str(config.network), "objective": str(config.objective)},
            progress=report,
            message=lambda probe: str(forecast(curves, probe.curve(), schedule=schedule)),
        )
    details = {
        "name": dataset.name,
        "source": dataset.source,
        "samples": len(dataset.samples),
        "network": str(config.network),
        "parameters": sum(p.numel() for p in network.parameters()),
        "optimizer": str(config.optimizer),
        "batch_size": config.training.batch_size,
        "steps": config.steps,
        "decay": config.training.decay,
        "sampler": str(config.sampler),
        "device": str(device),
        "probe_samples": probe.n_samples,
        "probe_share": trained.probe_seconds / max(trained.seconds, 1e-9),
        "steps_per_second": trained.steps_done / max(trained.seconds - trained.probe_seconds, 1e-9),
    }
    if trained.steps_done or not (folder.path / TRAINING).exists():  # a finished run keeps its own timings
        folder.write_json(TRAINING, details)
    folder.write_json(MANIFEST, manifest(command, config.seed, stage.seconds))
    return folder


def in_steps(curve: LearningCurve, scale: float, measured: LearningCurve) -> LearningCurve:
    """A level's curve in the steps of a run, its start known at every step before its first.

    Times of a level may begin after the first records of a run: its untrained model stands for those.
    """
    known = curve.rescaled(scale if np.isfinite(scale) else 1.0)
    time, recorded = known.time.values.copy(), measured.time.values
    if time[0] == 0 and time.size > 1 and (recorded > 0).any():
        time[0] = min(time[1], recorded[recorded > 0][0]) / 2
    return LearningCurve(known.dataset.assign_coords(time=time), recipe=known.recipe, source=known.source)


def compare_stages(folder: RunFolder, stage: Stages) -> MainResult:
    """Comparison at every level, forecasts against what came, and the report, from the files of a trained run."""
    from ..training.log import read_metrics

    with stage("compare"):
        if not (folder.path / MEASURED).exists():
            raise InputError(f"run must be the folder of a trained run, got {folder.path}, which has no {MEASURED}")
        predicted, measured = (LearningCurve.load(folder.path / name) for name in (PREDICTED, MEASURED))
        details, recipe = folder.read_json(TRAINING), predicted.recipe
        if recipe is None:
            raise InputError(f"the prediction in {folder.path} has no recipe: run it again")
        levels = compare_levels(
            measured, objective=recipe.objective, sampler=recipe.sampler, architecture=recipe.architecture
        )
        losses = read_metrics(folder.path / STREAM)
        loss = (np.array([r["step"] for r in losses], dtype=float), np.array([r["loss"] for r in losses], dtype=float))
        schedule = LoopOptions(decay=details.get("decay", 0.0)).schedule(details["steps"])
        checks = check_forecasts(levels.before, measured, loss=loss if losses else None, schedule=schedule)
        outlook = forecast(levels.before, measured, schedule=schedule)
        with atomic(folder.path / FORECASTS) as temporary:
            checks.to_csv(temporary, index=False, float_format="%.6g")
        best = levels.best
        scale = levels[best].time_scale
        shown = in_steps(levels.curves[best], scale, measured)
        shown.save(folder.path / SHOWN)
        metrics = {
            "data": {key: details[key] for key in ("name", "source", "samples")},
            "training": {key: value for key, value in details.items() if key not in ("name", "source", "samples")},
            "objective": type(recipe.objective).__name__,
            "steps": details["steps"],
            **measure(shown, measured, levels[best]),
            "levels": levels.to_dataframe().to_dict("records"),
            "levels_by_direction": {d: levels.to_dataframe(d).to_dict("records") for d in DIRECTIONS},
            "best_level": best,
            "forecasts": checks.to_dict("records"),
            "outlook": str(outlook),
        }
        folder.write_json(METRICS, metrics)
    with stage("report"):
        write_report(folder)
    return MainResult(folder, predicted, measured, levels, metrics, outlook)
