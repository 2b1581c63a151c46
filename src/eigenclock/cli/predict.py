"""`eigenclock predict`: spectrum, prediction and report, checked by brute force if asked for."""

from ..clocks.words import by_step
from ..jobs.config import PredictConfig
from ..jobs.predict_job import predict_and_check
from ..jobs.run_folder import REPORT
from ..jobs.summary import FRACTIONS
from .call import Call
from .progress import stage


def command(config: PredictConfig, call: Call) -> None:
    """Predict and say when what is learned."""
    result = predict_and_check(config, call.yaml, call.command, stage)
    learned, close = (result.metrics["predicted"][key] for key in ("variance_learned", "close"))
    moments = ", ".join(f"{100 * f:g} % of the variance {by_step(learned[f'{f:g}'])}" for f in FRACTIONS)
    print(f"predicted emergence in {result.metrics['steps']:,} steps: {moments}")
    data = "the data" if not result.predicted.stationary else "stationary data of the same power spectrum"
    print(f"predicted samples close to {data} (W₂ below a tenth of their norm): {by_step(close)}")
    if result.comparison is not None:
        print(f"prediction against brute force: {result.comparison}")
    print(f"report: {(result.folder.path / REPORT).resolve()}")
