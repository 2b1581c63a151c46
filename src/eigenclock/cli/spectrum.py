"""`eigenclock spectrum`: the spectrum of a data set, as a table and optionally a file."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..checks import InputError
from ..curve.palette import spread_modes
from ..files import check_writable, path_of
from ..jobs.config import DataOptions
from ..jobs.stages import read_or_load
from .call import Call
from .progress import stage


@dataclass(frozen=True, kw_only=True)
class SpectrumConfig(DataOptions):
    """The spectrum of a data set, as a table and optionally a NetCDF file.

    Attributes:
        data: bundled name or path, as for `run`
        out: NetCDF file (.nc) to write
        seed: of the choice of samples
        overwrite: replace an existing file
    """

    data: str
    out: str | None = None
    seed: int = 0
    overwrite: bool = False


def command(config: SpectrumConfig, _: Call) -> None:
    """Print the table, write the file."""
    if config.out is not None and not config.out.endswith(".nc"):
        raise InputError(f"out must be a NetCDF file name ending in .nc, got {config.out}")
    if config.out is not None:
        if path_of("out", config.out).exists() and not config.overwrite:
            raise InputError(f"out must not exist yet, got {config.out}: use --overwrite")
        check_writable(config.out)
    with stage("spectrum") as report:
        dataset, spectrum = read_or_load(config.data, config, config.seed, report)
    shown = spread_modes(spectrum.n_modes, 16)
    share = spectrum.variance.cumsum() / spectrum.variance.sum()
    columns = {
        "mode": [str(k + 1) for k in shown],
        "variance": [f"{spectrum.variance[k]:.4g}" for k in shown],
        "cumulative share": [f"{100 * share[k]:.2f} %" for k in shown],
    }
    if spectrum.test_variance is not None:
        columns["held-out variance"] = [f"{spectrum.test_variance[k]:.4g}" for k in shown]
    name, count = (
        (dataset.name, len(dataset.samples)) if dataset is not None else (config.data, spectrum.n_samples or 0)
    )
    title = f"{name}: {count:,} samples, rank {spectrum.rank}; {len(shown)} of {spectrum.n_modes} modes"
    table = Table(title=title)
    for column in columns:
        table.add_column(column, justify="right")
    for row in zip(*columns.values(), strict=True):
        table.add_row(*row)
    Console().print(table)
    if config.out is not None:
        spectrum.save(config.out)
        print(f"saved: {Path(config.out).resolve()}")
