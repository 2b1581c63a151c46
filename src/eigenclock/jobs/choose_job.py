"""The advice's job: data → spectrum → recipes ranked → calibrated on a network if asked for → page."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ..advice.calibration import calibrate
from ..advice.choose import CLOSE, choose
from ..advice.groups import MOST_PIXELS
from ..advice.result import Advice
from ..checks import InputError, flag, integer_option, seed_option
from ..files import load_yaml, locked, path_of, write_text
from ..recipe.samplers import Heun, Sampler
from ..report.advice_page import advice_page
from ..spectrum.spectrum import Spectrum
from ..training.network_options import MLP, Network
from ..training.optimizers import Adam, Descent
from ..training.options import LoopOptions
from .config import DataOptions
from .run_folder import REPORT, RunFolder
from .stages import Reporter, Stages, read_or_load

TABLE, RECIPE, SPECTRAL = "advice.csv", "recipe.yaml", "recipe_spectral.yaml"


@dataclass(frozen=True, kw_only=True)
class ChooseConfig(DataOptions):
    """Which recipe brings samples close to the data soonest, from their spectrum alone.

    Attributes:
        data: bundled name or path, as for `run`; or a spectrum that was saved (.nc)
        out: folder for the page, the table of all recipes, and the best one as a config for `run`
        sampler: how samples will be drawn
        close: distances from the data, as shares of their norm
        by: the one of them that ranks; the middle one unless said
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
    by: float | None = None
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
        place = path_of("out", config.out)
        if place.is_dir() and any(place.iterdir()) and not config.overwrite:
            raise InputError(f"out must be an empty or new folder, got {config.out}, which is not: use --overwrite")
        folder = RunFolder.claim(config.out, config_text, overwrite=config.overwrite, resume=False)
        advice, title = _advised(config, Stages(reporter))
        folder.begin()
        texts = {name: config_of(advice, config, row) for name, row in recipes_of(advice).items()}
        write_text(
            folder.path / TABLE, advice.table.set_axis(range(1, len(advice.table) + 1)).to_csv(index_label="rank")
        )
        for file, text in texts.items():
            write_text(folder.path / file, text)
        page = advice_page(advice, data=title, configs=texts, command=command)
        write_text(folder.path / REPORT, page)
    return advice


def _advised(config: ChooseConfig, stage: Stages) -> tuple[Advice, str]:
    with stage("spectrum") as report:
        dataset, spectrum = read_or_load(config.data, config, config.seed, report)
    if config.calibrate is not None and dataset is None:
        raise InputError(f"calibrate needs samples to train on, got the spectrum {config.data}")
    with stage("recipes") as report:
        tried = None if dataset is None else ALREADY.get(config.standardize)
        left = None if tried is None else applicable(tried, spectrum)
        advice = choose(
            spectrum, sampler=config.sampler, close=config.close, by=config.by, standardizations=left, progress=report
        )
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
    return advice, dataset.name if dataset is not None else config.data


ALREADY: dict[Any, tuple[str, ...]] = {True: ("none", "pixel"), "pixel": ("none",)}
"""What is left to try on data that were standardised when they were read."""


def applicable(tried: tuple[str, ...], spectrum: Spectrum) -> list[str]:
    """Those that the data are small enough for."""
    return [one for one in tried if one != "pixel" or spectrum.dimension <= MOST_PIXELS]


def recipes_of(advice: Advice) -> dict[str, int]:
    """Files of configs, and the rows that they hold: the best, and the best without the data's spectrum; none if none arrives."""
    if advice.table["verdict"].eq("unreachable").all():
        return {}
    return {RECIPE: advice.first_plain} | ({SPECTRAL: 0} if advice.first_plain else {})


def config_of(advice: Advice, config: ChooseConfig, row: int) -> str:
    """A recipe as a config for `run`, read from the data as the advice's were."""
    before = False if config.data.lower().endswith(".nc") else config.standardize
    text = advice.yaml(row, standardize=before)
    known = load_yaml(text, RECIPE)
    read = {one.name: getattr(config, one.name) for one in fields(DataOptions)}
    defaults = asdict(DataOptions())
    lines = [f"{name}: {value}" for name, value in read.items() if value != defaults[name] and name not in known]
    return text + "".join(f"{line}\n" for line in lines)
