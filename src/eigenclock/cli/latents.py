"""Commands for one's own latents and arrays: diagnose a latent space, fit and sample score latent diffusion."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from ..checks import InputError, choice, integer
from ..files import atomic
from ..latents.diagnose import METRICS, diagnose_latents
from ..latents.model_config import ModelConfig
from ..training.network_options import need_torch

BETTER = {"ssc": "higher", "lpc": "LOWER", "gsq": "higher", "erank": "higher"}
WORDS = {
    "ssc": "spatial structure (SSC)",
    "lpc": "local continuity (LPC)",
    "gsq": "global semantics (GSQ)",
    "erank": "effective rank",
}


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


@dataclass(frozen=True, kw_only=True)
class ScoreLatentConfig:
    """Score latent diffusion on one's own array: fit a model into a file, or draw samples from one.

    Attributes:
        action: fit or sample
        model: file of the model (.safetensors)
        data: for fit, .npy file of samples (n, ...)
        out: for sample, .npy file to write
        n: for sample, number of samples
        seed: of weights, order and noise; of the samples
        folder: for fit, of checkpoints
        resume: for fit, go on from them: true or false
        options: for fit, of the model: --options.d 4
    """

    action: str
    model: str
    data: str | None = None
    out: str | None = None
    n: int = 1000
    seed: int = 0
    folder: str | None = None
    resume: bool = False
    options: ModelConfig = field(default_factory=ModelConfig)

    def __post_init__(self) -> None:
        choice("action", self.action, ("fit", "sample"))


def load_array(path: str, name: str) -> Any:
    """An array, or arrays by name, of a NumPy file; InputError for anything else. Pickled objects are never loaded."""
    if not Path(path).is_file():
        raise InputError(f"{name} must be a .npy or .npz file, got {path}, which is not there")
    try:
        found = np.load(path, allow_pickle=False)
        return {key: found[key] for key in found.files} if isinstance(found, np.lib.npyio.NpzFile) else found
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"{name} must be a .npy or .npz file of numbers, got {path} ({str(error).splitlines()[0]})"
        ) from None


def find_function(name: str) -> Callable[[Any], Any]:
    """The function of a dotted name, package.module:function."""
    module, _, function = name.partition(":")
    try:
        found = getattr(import_module(module), function)
    except Exception as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"decoder must be package.module:function, got {name} ({why})") from None
    if not callable(found):
        raise InputError(f"decoder must be a function, got {name}, which is {type(found).__name__}")
    return found


def diagnose(config: DiagnoseConfig) -> xr.Dataset:
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
    table = Table(
        "",
        "value",
        "95 % interval",
        "by chance",
        "better",
        title=f"{result.attrs['n']:,} latents {result.attrs['shape']}",
    )
    for metric in METRICS:
        one = result.sel(metric=metric)
        value, low, high, chance = (float(one[name]) for name in ("value", "low", "high", "chance"))
        shown = "–" if np.isnan(value) else f"{value:.3f}"
        interval = "–" if np.isnan(low) else f"{low:.3f} to {high:.3f}"
        table.add_row(WORDS[metric], shown, interval, "–" if np.isnan(chance) else f"{chance:.3f}", BETTER[metric])
    Console().print(table)
    if result.attrs["skipped"]:
        print(f"left out: {result.attrs['skipped']}")
    modes = result["spectrum"].size
    print(f"participation ratio {float(result['participation_ratio']):.1f} of {modes} modes")
    time = float(result["t_lin"])
    words = (
        "compare latent spaces by it"
        if time > 0
        else "standardised, these latents are white: their covariance says nothing"
    )
    print(f"predicted time to learn the covariance: {time:.3g} steps × rate; {words}")
    if config.out is not None:
        out = Path(config.out)
        with atomic(out / "diagnosis.nc") as temporary:
            result.to_netcdf(temporary, engine="h5netcdf")
        picture = figure(result)
        FigureCanvasAgg(picture)
        with atomic(out / "diagnosis.png") as temporary:
            picture.savefig(temporary, format="png", dpi=150)
        print(f"written: {out.resolve()}")
    return result


def figure(result: xr.Dataset) -> Figure:
    """Spectrum with predicted clocks, change of images under perturbation, and spatial structure per sample."""
    picture = Figure(figsize=(11, 3.4), layout="constrained")
    left, middle, right = picture.subplots(1, 3)
    mode = np.arange(1, result["spectrum"].size + 1)
    left.plot(mode, result["spectrum"], color="#0072B2", label="variance")
    left.plot(mode, result["tau_lin"], ".", color="#D55E00", label="predicted clock (steps × rate)")
    left.set(xscale="log", yscale="log", xlabel="mode of the standardised latents")
    left.legend(frameon=False, fontsize=8)
    middle.plot(result["rho"], result["lpc_rho"], "o-", color="#0072B2")
    middle.set(xscale="log", xlabel="perturbation ρ (share of the latent's norm)", ylabel="change of the image")
    right.hist(result["ssc_each"], bins=20, range=(0, 1), color="#0072B2")
    chance = float(result["chance"].sel(metric="ssc"))
    if np.isfinite(chance):
        right.axvline(chance, color="#D55E00", label="by chance")
        right.legend(frameon=False, fontsize=8)
    right.set(xlabel="spatial structure per sample (SSC)", ylabel="samples")
    for ax, name in ((middle, "lpc"), (right, "ssc")):
        if np.isnan(float(result["value"].sel(metric=name))):
            ax.text(0.5, 0.5, "not measured", ha="center", va="center", transform=ax.transAxes, color="0.4")
    return picture


def score_latent(config: ScoreLatentConfig) -> None:
    """Fit a model into a file, or sample from one."""
    need_torch()
    from ..latents.score_latent import ScoreLatentDiffusion

    if config.action == "fit":
        if config.data is None:
            raise InputError("score-latent fit needs --data FILE.npy")
        array = load_array(config.data, "data")
        if isinstance(array, dict):
            raise InputError(f"data must be one array, a .npy file, got {config.data}")
        if not Path(config.model).resolve().parent.is_dir():
            raise InputError(f"model must lie in a folder that exists, got {config.model}")
        options = replace(config.options, seed=config.seed or config.options.seed)
        model = ScoreLatentDiffusion(options).fit(array, folder=config.folder, resume=config.resume)
        model.save(config.model)
        print(f"intrinsic dimension {model.k_estimate_:.2f}, latent width {model.d_}, noise {model.sigma1_:.4g}")
        print(f"collapse clock: {model.collapse_clock()} steps")
        if config.options.stage2 == "A":
            print(f"refine clock: {model.refine_clock()} steps")
        print(f"model: {Path(config.model).resolve()}")
        return
    if config.out is None or not config.out.endswith(".npy"):
        raise InputError(f"score-latent sample needs --out FILE.npy, got {config.out}")
    integer("n", config.n, at_least=1)
    samples = ScoreLatentDiffusion.load(config.model).sample(config.n, seed=config.seed)
    with atomic(config.out) as temporary, temporary.open("wb") as file:
        np.save(file, samples)
    print(f"samples {samples.shape}: {Path(config.out).resolve()}")
