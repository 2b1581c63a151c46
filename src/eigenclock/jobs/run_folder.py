"""A run folder: config, manifest, curves, metrics, figures and report, written so that a killed run resumes."""

import json
import os
import platform
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..checks import InputError
from ..curve.learning_curve import LearningCurve
from ..data.bundled import BUNDLED
from ..files import check_writable, differences, flat, load_yaml, path_of, read_text, write_text
from ..training.options import CHECKPOINT, STREAM
from ..training.renamed import renamed
from .config import defaults

CONFIG, MANIFEST, METRICS, REPORT = "config.yaml", "manifest.json", "metrics.json", "report.html"
PREDICTED, SIMULATED, SHOWN = "curve.nc", "simulated.nc", "best_level.nc"
RESULTS = (
    CHECKPOINT,
    PREDICTED,
    SIMULATED,
    SHOWN,
    "measured*.nc",
    METRICS,
    MANIFEST,
    REPORT,
    STREAM,
    "tensorboard/events.*",
    "forecasts.csv",
    "advice.csv",
    "recipe*.yaml",
    "training.json",
    "figures/*.png",
    "samples/*_step_*.png",
)
"""What a run writes, besides its config."""

PACKAGES = ("eigenclock", "numpy", "scipy", "xarray", "h5netcdf", "matplotlib", "plotly", "torch", "safetensors")


class RunFolder:
    """The folder of one run.

    A stage's result is a file: if the file is there on resume, the stage is not done again. Files are written whole or
    not at all, and nothing is written, or replaced, before the first stage has succeeded.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._config: str | None = None
        self._resume = False

    @classmethod
    def claim(
        cls, path: str | Path, config: str, *, overwrite: bool, resume: bool, may_grow: tuple[str, ...] = ()
    ) -> "RunFolder":
        """A folder for a run of the given config (YAML).

        Raises InputError if it holds anything and neither `overwrite` nor `resume` is given, if it is not a run's folder, or
        if `resume` finds another config. Of the numbers named in `may_grow` it takes larger ones, and keeps them.
        """
        folder = cls(path_of("out", path))
        folder._config, folder._resume = config, resume
        occupied = folder.path.is_dir() and any(not folder.is_temporary(file) for file in folder.path.iterdir())
        if folder.path.exists() and not folder.path.is_dir():
            raise InputError(f"out must be a folder, got {path}, which is a file")
        if occupied and not (overwrite or resume):
            raise InputError(
                f"out must be an empty or new folder, got {path}, which is not: use --resume or --overwrite"
            )
        if occupied and not (folder.path / CONFIG).is_file():
            raise InputError(
                f"out must be empty, new, or the folder of an earlier run, got {path}, which has no {CONFIG}"
            )
        if occupied and resume:
            written = read_text(folder.path / CONFIG, CONFIG)
            old, new = _settings(written), _settings(config)
            unasked = {key: value for key, value in defaults().items() if key not in old and new.get(key) == value}
            grown = {key: new[key] for key in may_grow if key in old and new.get(key, 0) > old[key]}
            different = differences(old | unasked | grown, new)
            if different:
                raise InputError(f"config differs from the run in {path}: {different}")
            if grown:
                write_text(folder.path / CONFIG, config)
        check_writable(folder.path / CONFIG)
        folder.clean()
        return folder

    def is_temporary(self, file: Path) -> bool:
        """Whether a file is what a killed write of a run's file left behind."""
        return any(file.match(f".{pattern.rsplit('/', 1)[-1]}.*") for pattern in (CONFIG, *RESULTS))

    def clean(self) -> None:
        """Remove what killed writes left behind."""
        for file in [*self.path.glob(".*"), *self.path.glob("*/.*")]:
            if file.is_file() and self.is_temporary(file):
                file.unlink()

    def curve(self, name: str, make: Callable[[], LearningCurve]) -> LearningCurve:
        """The curve in file `name`, made and written unless a resumed run has it already."""
        file = self.path / name
        if self._resume and file.exists():
            return LearningCurve.load(file)
        curve = make()
        self.begin()
        curve.save(file)
        return curve

    def begin(self) -> None:
        """Before the first write: put the config there, and take an overwritten run's results away."""
        self.clean()
        config, self._config = self._config, None
        if config is None or (self._resume and (self.path / CONFIG).exists()):
            return
        for pattern in RESULTS:  # the checkpoint first: whatever a kill leaves, old weights never meet a new config
            for file in self.path.glob(pattern):
                file.unlink()
        write_text(self.path / CONFIG, config)

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write a JSON file; NaN becomes null."""
        write_text(self.path / name, json.dumps(_jsonable(content), indent=2) + "\n")

    def read_json(self, name: str) -> dict[str, Any]:
        """Read a JSON file; InputError if it is missing or broken."""
        file = self.path / name
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            if not isinstance(content, dict):
                raise ValueError("not values by name")
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"not the folder of a finished run: {self.path} (cannot read {name}: {error})") from None
        return dict(content)


def open_run(path: str | Path) -> RunFolder:
    """The folder of an earlier run; InputError if it is not one."""
    folder = RunFolder(path_of("run", path))
    if not (folder.path / CONFIG).is_file():
        raise InputError(f"run must be the folder of a run, got {path}, which has no {CONFIG}")
    return folder


def manifest(command: str, seed: int, stages: dict[str, float]) -> dict[str, Any]:
    """What is needed to know how a run came about: versions, machine, seed, command, revision, seconds per stage."""
    return {
        "command": command,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "seconds": {name: round(seconds, 2) for name, seconds in stages.items()},
        "versions": {"python": platform.python_version(), **_versions()},
        "machine": {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()},
        "git_revision": _git_revision(),
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _git_revision() -> str | None:
    """Revision of the checkout that the package is imported from, if it is one."""
    try:
        result = subprocess.run(
            ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip() or None


def _settings(config: str) -> dict[str, Any]:
    """Flat settings of a config, without those that only say where and how to run; the data by where they lie."""
    given = load_yaml(config, CONFIG)
    if not isinstance(given, dict):
        raise InputError(f"{CONFIG} must hold options by name, got {type(given).__name__}")
    found = {key: value for key, value in flat(renamed(given)).items() if key not in HOW}
    return found | ({"data": lasting(found["data"])} if isinstance(found.get("data"), str) else {})


HOW = {
    "out",
    "overwrite",
    "resume",
    "max_pixels",
    "training.checkpoint_every",
    "training.checkpoint_minutes",
    "training.tensorboard",
    "training.threads",
}
"""Settings that change nothing of what a run finds."""


def lasting(data: str) -> str:
    """Data by a name that means the same from any folder: what lies on this disk by its absolute path."""
    if data in BUNDLED:
        return data
    name, colon, key = data.rpartition(":")
    for place, rest in ((data, ""), (name, colon + key)):
        with suppress(OSError, ValueError):
            if place and Path(place).expanduser().exists():
                return f"{Path(place).expanduser().resolve()}{rest}"
    return data


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _jsonable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(inner) for inner in value]
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    return value
