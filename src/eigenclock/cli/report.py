"""`eigenclock report`: the report of a finished run, made again."""

from dataclasses import dataclass

from ..files import locked
from ..jobs.report_job import write_report
from ..jobs.run_folder import REPORT, open_run
from .call import Call


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """Make report.html, figures and samples of a finished run again.

    Attributes:
        run: folder of the run
    """

    run: str


def command(config: ReportConfig, _: Call) -> None:
    """Write the report and say where."""
    folder = open_run(config.run)
    with locked(folder.path):
        write_report(folder)
    print(f"report: {(folder.path / REPORT).resolve()}")
