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
    """What of a trained network's samples has begun, settled and come close, which level says it, and where the report lies."""
    training, measured = result.metrics["training"], result.metrics["measured"]
    begun, settled = (
        ", ".join(f"{100 * f:g} % {by_step(measured[key][f'{f:g}'])}" for f in FRACTIONS)
        for key in ("variance_learned", "variance_settled")
    )
    print(
        f"measured emergence in {training['steps']:,} steps (modes with this share of the variance have begun): {begun}"
    )
    print(f"settled (within a factor of 1.25 of what the sampler can reach): {settled}")
    near = ", ".join(f"< {name} {by_step(step)}" for name, step in measured["closeness"].items())
    print(f"samples (W₂ in units of the data's norm): {near}; {measured['distance']:.2g} at the end")
    print(f"forecast after the last step: {result.outlook}")
    print(result.levels)
    share = 100 * training["probe_share"]
    print(f"probe: {training['probe_samples']} samples each time, {share:.1f} % of the training time")
    print(f"report: {(result.folder.path / REPORT).resolve()}")
