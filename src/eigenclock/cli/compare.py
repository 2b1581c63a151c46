"""`eigenclock compare`: a trained run, or any two learning curves, side by side."""

from dataclasses import dataclass

from ..checks import InputError
from ..comparison.compare import compare
from ..curve.learning_curve import LearningCurve
from ..files import locked
from ..jobs.run_folder import open_run
from ..jobs.run_job import compare_stages
from ..jobs.stages import Stages
from .call import Call
from .progress import stage
from .run import print_trained


@dataclass(frozen=True, kw_only=True)
class CompareConfig:
    """Set a trained run, or any two learning curves, side by side.

    Attributes:
        run: folder of a trained run: compared at every level of theory, its report made again
        curve: instead of a run, NetCDF file of a predicted curve
        measured: and of a measured one
    """

    run: str | None = None
    curve: str | None = None
    measured: str | None = None

    def __post_init__(self) -> None:
        files = self.curve is not None and self.measured is not None
        if (self.run is None) != files or (self.curve is None) != (self.measured is None):
            raise InputError("compare needs either --run DIR or both --curve FILE and --measured FILE")


def command(config: CompareConfig, _: Call) -> None:
    """Compare and print the comparison with its laws."""
    if config.run is not None:
        folder = open_run(config.run)
        with locked(folder.path):
            result = compare_stages(folder, Stages(stage))
            print(result.levels)
            print_trained(result)
        return
    predicted, measured = (LearningCurve.load(str(path)) for path in (config.curve, config.measured))
    comparison = compare(predicted, measured)
    print(comparison)
    for direction, laws in comparison.laws().items():
        for name, law in zip(("predicted", "measured"), laws, strict=True):
            print(f"{name}, {direction}: {law}")
