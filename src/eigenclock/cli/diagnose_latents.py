"""`eigenclock diagnose-latents`: which latent space a diffusion model will learn fast."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from rich.console import Console
from rich.table import Table

from ..checks import InputError
from ..files import atomic, write_netcdf
from ..latents.diagnose import METRICS, diagnose_latents
from ..report.diagnosis import diagnosis_figure
from ..training.network_options import need_torch
from .arrays import load_array
from .call import Call

POSITIONAL = ("latents", ".npz file with latents, and optionally labels and masks; or a .npy file")

WORDS = {
    "ssc": ("spatial structure (SSC)", "higher"),
    "lpc": ("local continuity (LPC)", "LOWER"),
    "gsq": ("global semantics (GSQ)", "higher"),
    "erank": ("effective rank", "higher"),
}
"""What each metric is called, and which way is better."""


@dataclass(frozen=True, kw_only=True)
class DiagnoseConfig:
    """How fast a diffusion model will learn a latent space, told before one is trained.

    Attributes:
        latents: .npz file with `latents` (n, d, h, w) or (n, D), optionally `labels` (n,) and `masks` (n, H, W); or .npy
        decoder: function of latents that gives images, as package.module:function
        out: folder for diagnosis.nc and diagnosis.png
        seed: of everything that is drawn
    """

    latents: str
    decoder: str | None = None
    out: str | None = None
    seed: int = 0


def find_function(name: str) -> Callable[[Any], Any]:
    """The function of a dotted name, package.module:function."""
    try:
        found = resolve_name(name)
    except Exception as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"decoder must be package.module:function, got {name} ({why})") from None
    if not callable(found):
        raise InputError(f"decoder must be a function, got {name}, which is {type(found).__name__}")
    return found


def command(config: DiagnoseConfig, _: Call) -> None:
    """Diagnose the latents of a file, print the table, write what was asked for."""
    found = load_array(config.latents, "latents")
    arrays = found if isinstance(found, dict) else {"latents": found}
    if "latents" not in arrays:
        raise InputError(f"latents must be an array of that name in {config.latents}, got {', '.join(arrays)}")
    if config.decoder is not None:
        need_torch()
    result = diagnose_latents(
        arrays["latents"],
        None if config.decoder is None else find_function(config.decoder),
        arrays.get("labels"),
        arrays.get("masks"),
        seed=config.seed,
    )
    title = f"{result.attrs['n']:,} latents {result.attrs['shape']}"
    table = Table("", "value", "95 % interval", "by chance", "better", title=title)
    for metric in METRICS:
        one = result.sel(metric=metric)
        value, low, high, chance = (float(one[name]) for name in ("value", "low", "high", "chance"))
        shown = "–" if np.isnan(value) else f"{value:.3f}"
        interval = "–" if np.isnan(low) else f"{low:.3f} to {high:.3f}"
        words, better = WORDS[metric]
        table.add_row(words, shown, interval, "–" if np.isnan(chance) else f"{chance:.3f}", better)
    Console().print(table)
    if result.attrs["skipped"]:
        print(f"left out: {result.attrs['skipped']}")
    modes = result["spectrum"].size
    print(f"participation ratio {float(result['participation_ratio']):.1f} of {modes} modes")
    time, low, high, raw = (float(result[name]) for name in ("t_lin", "t_lin_low", "t_lin_high", "t_lin_raw"))
    white = "standardised, these latents are white: their covariance says nothing"
    words = "compare latent spaces by it" if time > 0 else white
    interval = "" if np.isnan(low) else f" [{low:.3g}, {high:.3g}], {raw:.3g} by the samples' own variances"
    print(f"predicted time to learn the covariance: {time:.3g}{interval} steps × rate; {words}")
    if config.out is not None:
        out = Path(config.out)
        write_netcdf(out / "diagnosis.nc", result)
        picture = diagnosis_figure(result)
        FigureCanvasAgg(picture)
        with atomic(out / "diagnosis.png") as temporary:
            picture.savefig(temporary, format="png", dpi=150)
        print(f"written: {out.resolve()}")
