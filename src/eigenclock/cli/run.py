"""`eigenclock run`: the main job."""

from ..clocks.words import by_step
from ..jobs.config import RunConfig
from ..jobs.run_folder import REPORT
from ..jobs.run_job import MainResult, run
from ..jobs.summary import FRACTIONS
from .call import Call
from .progress import stage


def command(config: RunConfig, call: Call) -> None:
    """Do the main job and say what was found."""
    print_trained(run(config, call.yaml, call.command, stage))


def print_trained(result: MainResult) -> None:
    """When the variance of a trained network's samples was there, which level of theory says it, and where the report lies."""
    training = result.metrics["training"]
    learned = result.metrics["measured"]["variance_learned"]
    moments = ", ".join(f"{100 * f:g} % of the variance {by_step(learned[f'{f:g}'])}" for f in FRACTIONS)
    print(f"measured emergence in {training['steps']:,} steps: {moments}")
    print(result.levels)
    share = 100 * training["probe_share"]
    print(f"probe: {training['probe_samples']} samples each time, {share:.1f} % of the training time")
    print(f"report: {(result.folder.path / REPORT).resolve()}")
