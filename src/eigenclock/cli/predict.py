"""`eigenclock predict`: spectrum, prediction and report, checked by brute force if asked for."""

from ..clocks.words import by_step, ratios
from ..jobs.config import PredictConfig
from ..jobs.predict_job import predict_and_check
from ..jobs.run_folder import REPORT
from ..jobs.summary import FRACTIONS
from .call import Call
from .progress import stage


def command(config: PredictConfig, call: Call) -> None:
    """Predict and say what begins, settles and comes close when, and of whose steps that is said."""
    result = predict_and_check(config, call.yaml, call.command, stage)
    found = result.metrics["predicted"]
    begun, settled = (
        {f"{100 * f:g} %": found[key][f"{f:g}"] for f in FRACTIONS} for key in ("variance_learned", "variance_settled")
    )
    print(f"ratios of time: {ratios(begun) or 'none begins'} (share of the variance that has begun)")
    print(f"whose steps: {result.metrics['whose_steps']}")
    for words, times in (("emergence", begun), ("settling", settled)):
        moments = ", ".join(f"{name} {by_step(time)}" for name, time in times.items())
        print(f"predicted {words} in {result.metrics['steps']:,} steps: {moments}")
    data = "the data" if not result.predicted.stationary else "stationary data of the same power spectrum"
    near = ", ".join(f"< {name} {by_step(step)}" for name, step in found["closeness"].items())
    print(f"samples close to {data} (W₂ in units of their norm): {near}")
    if result.comparison is not None:
        print(f"prediction against brute force: {result.comparison}")
    print(f"report: {(result.folder.path / REPORT).resolve()}")
