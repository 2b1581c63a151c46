"""`eigenclock study`: the networks of a study, and its claims against measurements."""

from dataclasses import dataclass, field
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from ..jobs.run_folder import REPORT
from ..jobs.studies import find_study, study_names
from ..training.network_options import need_torch
from .call import Call
from .progress import stage

POSITIONAL = ("study", f"one of {', '.join(study_names())}")


@dataclass(frozen=True, kw_only=True)
class StudyConfig:
    """A study: networks trained at one of its sizes, claims against measurements.

    Attributes:
        study: its name
        preset: tiny (seconds), cpu (minutes on two cores) or paper (for a GPU)
        out: folder of the results; networks trained there already are not trained again
        part: only this part
        data: data sets in place of the preset's, bundled names or paths
        set: options of the preset to change, by dotted name: --set.window.seeds [0,1]
    """

    study: str
    out: str
    preset: Literal["tiny", "cpu", "paper"] = "cpu"
    part: str | None = None
    data: tuple[str, ...] | str = ()
    set: dict[str, Any] = field(default_factory=dict)


def command(config: StudyConfig, call: Call) -> None:
    """Run the study and print its verdicts."""
    need_torch()
    found = find_study(config.study)
    with stage(config.study) as report:
        result = found.run(
            preset=config.preset,
            out=config.out,
            part=config.part,
            data=(config.data,) if isinstance(config.data, str) else config.data,
            options=config.set,
            command=call.command,
            say=lambda words: report(0, None, words),
        )
    table = Table("claim", "verdict", title=f"{config.study}, preset {config.preset}")
    for claim, verdict in zip(result.claims["claim"], result.claims["verdict"], strict=True):
        table.add_row(claim, verdict)
    Console().print(table)
    print(f"what was measured, with intervals and controls: {(result.folder / 'results.md').resolve()}")
    print(f"report: {(result.folder / REPORT).resolve()}")
