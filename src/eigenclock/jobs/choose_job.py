"""The advice's job: data → spectrum → recipes ranked → calibrated on a network if asked for → page."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from ..advice.calibration import calibrate
from ..advice.choose import CLOSE, choose
from ..advice.result import Advice
from ..checks import InputError, flag, integer_option, seed_option
from ..files import load_yaml, locked, write_text
from ..recipe.samplers import Heun, Sampler
from ..report.advice_page import advice_page
from ..training.network_options import MLP, Network
from ..training.optimizers import Adam, Descent
from ..training.options import LoopOptions
from .config import DataOptions
from .run_folder import REPORT, RunFolder
from .stages import Reporter, Stages, read_or_load

TABLE, RECIPE = "advice.csv", "recipe.yaml"


@dataclass(frozen=True, kw_only=True)
class ChooseConfig(DataOptions):
    """Which recipe brings samples close to the data soonest, from their spectrum alone.

    Attributes:
        data: bundled name or path, as for `run`; or a spectrum that was saved (.nc)
        out: folder for the page, the table of all recipes, and the best one as a config for `run`
        sampler: how samples will be drawn
        close: distances from the data, as shares of their norm; the middle one ranks
        calibrate: train the first three recipes for so many steps, and say how many the others need
        network: what is trained for that
        optimizer: how
        training: how the loop runs
        seed: of everything that is random
        overwrite: replace what an earlier call left in `out`
    """

    data: str
    out: str | None = None
    sampler: Sampler = field(default_factory=lambda: Heun(steps=20))
    close: tuple[float, ...] = CLOSE
    calibrate: int | None = None
    network: Network = field(default_factory=lambda: MLP(256, 5))
    optimizer: Descent = field(default_factory=lambda: Adam(3e-4))
    training: LoopOptions = field(default_factory=LoopOptions)
    seed: int = 0
    overwrite: bool = False

    def __post_init__(self) -> None:
        DataOptions.__post_init__(self)
        seed_option(self)
        flag("overwrite", self.overwrite)
        if self.calibrate is not None:
            integer_option(self, "calibrate", at_least=10)


def choose_and_report(config: ChooseConfig, config_text: str, command: str, reporter: Reporter) -> Advice:
    """The advice; with `out` also its page, its table, and the best recipe as a config.

    InputError where calibration is asked for a spectrum, which has no samples to train on.
    """
    if config.out is None:
        return _advised(config, Stages(reporter))[0]
    with locked(config.out):
        folder = RunFolder.claim(config.out, config_text, overwrite=config.overwrite, resume=False)
        advice, name, deviations = _advised(config, Stages(reporter))
        folder.begin()
        text = config_of(advice, config)
        write_text(folder.path / TABLE, advice.table.to_csv(index_label="rank"))
        write_text(folder.path / RECIPE, text)
        page = advice_page(advice, data=name, deviations=deviations, config=text, command=command)
        write_text(folder.path / REPORT, page)
    return advice


def _advised(config: ChooseConfig, stage: Stages) -> tuple[Advice, str, Any]:
    with stage("spectrum") as report:
        dataset, spectrum = read_or_load(config.data, config, config.seed, report)
    if config.calibrate is not None and dataset is None:
        raise InputError(f"calibrate needs samples to train on, got the spectrum {config.data}")
    with stage("recipes") as report:
        advice = choose(spectrum, sampler=config.sampler, close=config.close, progress=report)
    if config.calibrate is not None and dataset is not None:
        with stage("calibration") as report:
            advice = calibrate(
                advice,
                dataset.samples,
                steps=config.calibrate,
                network=config.network,
                optimizer=config.optimizer,
                options=config.training,
                seed=config.seed,
                progress=report,
            )
    name = dataset.name if dataset is not None else config.data
    return advice, name, np.sqrt(spectrum.variance)


def config_of(advice: Advice, config: ChooseConfig) -> str:
    """The best recipe as a config for `run`, read from the data as the advice's were."""
    text = advice.yaml(scaled=config.standardize is True)
    known = load_yaml(text, RECIPE)
    read = {one.name: getattr(config, one.name) for one in fields(DataOptions)}
    defaults = asdict(DataOptions())
    lines = [f"{name}: {value}" for name, value in read.items() if value != defaults[name] and name not in known]
    return text + "".join(f"{line}\n" for line in lines)
