"""`eigenclock run`: the main job."""

from ..jobs.config import RunConfig
from ..jobs.in_short import in_short
from ..jobs.run_folder import REPORT
from ..jobs.run_job import MainResult, run
from .call import Call
from .progress import stage


def command(config: RunConfig, call: Call) -> None:
    """Do the main job and say what was found."""
    print_trained(run(config, call.yaml, call.command, stage))


def print_trained(result: MainResult) -> None:
    """The run in five lines: where it is, what to do, the sampler, the theory, and where the report lies."""
    recipe = result.predicted.recipe
    assert recipe is not None  # of a run there is one: `compare_stages` looks
    for line in in_short(result.metrics, result.outlook, recipe.sampler, (result.folder.path / REPORT).resolve()):
        print(line)
