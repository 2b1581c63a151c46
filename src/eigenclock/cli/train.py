"""`eigenclock train`: spectrum, prediction and training under the probe, without the comparison."""

from ..files import locked
from ..jobs.config import RunConfig
from ..jobs.run_job import train_stages
from ..jobs.stages import Stages
from .call import Call
from .progress import stage


def command(config: RunConfig, call: Call) -> None:
    """Train, and say how to go on."""
    with locked(config.out):
        folder = train_stages(config, call.yaml, call.command, Stages(stage))
    print(f"trained: {folder.path.resolve()} (compare it with theory: eigenclock compare --run {config.out})")
