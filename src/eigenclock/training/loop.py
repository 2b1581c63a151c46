"""The training loop: any network, any objective of the theory, with a probe and exact resumption."""

import json
import re
import time as clock
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..checks import InputError, finite_array, flag, instance, integer, number, random_seed, sequence, shown
from ..curve.learning_curve import LearningCurve
from ..files import differences, path_of
from ..recipe.objectives import Objective
from ..recipe.spectral_edm import SpectralEDM
from ..spectrum.spectrum import Spectrum
from .checkpoints import START, digest_of, has_part, load_checkpoint, save_checkpoint
from .devices import find_device
from .interruption import StopSignals
from .log import Metrics
from .losses import NetworkDenoiser
from .networks.notes import leave_note
from .optimizers import Descent
from .options import CHECKPOINT, MEASURED, LoopOptions
from .preconditioning.choice import denoiser_of
from .preconditioning.spectral import SpectralDenoiser
from .probing.recorder import Recorder
from .probing.state import MAIN
from .renamed import renamed_settings
from .streams import Pairs, RandomPairs

LOG_EVERY = 10
"""Steps between records of the loss; the loss is looked at, and training stopped if it is not a number, this often."""

Progress = Callable[[int, int, str], None]
"""progress(step, steps, message)."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained model and how it went.

    `denoiser`: (x, sigma) → clean estimate, of the averaged weights if there are any. `metrics`: the loss over training. `step`:
    the last one, later than asked for if a resumed run had gone on further.
    `seconds`, `probe_seconds`, `steps_done`: of this call (a resumed run counts from its resumption).
    """

    network: nn.Module
    denoiser: NetworkDenoiser
    metrics: list[dict[str, Any]]
    step: int
    steps_done: int
    seconds: float
    probe_seconds: float


def train(
    network: nn.Module,
    samples: Any,
    *,
    objective: Any,
    optimizer: Descent,
    steps: int,
    options: LoopOptions = LoopOptions(),  # noqa: B008 (a frozen dataclass)
    probe: Recorder | None = None,
    seed: int = 0,
    sigma_range: tuple[float, float] = (0.002, 80.0),
    pairs: Pairs | None = None,
    spectrum: Spectrum | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    settings: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    message: Callable[[Recorder], str] | None = None,
) -> Trained:
    """Train a network to denoise samples.

    Data order, noise levels and noise have streams of their own, each a function of `seed` and step: two runs with one seed are
    the same to the bit on a CPU, and so is one that was killed and resumed.

    **Parameters**

    - `network`: module (x, sigma) → like x; see `NetworkDenoiser` for what it sees and is asked for.
    - `samples`: (n, *shape) array. - `objective`, `optimizer`, `steps`, `options`: how it is trained.
    - `probe`: called at step 0 and after every step. `message`: its words for the progress line.
    - `sigma_range`: noise levels drawn evenly in ln σ where the objective has no density.
    - `pairs`: another source of training pairs than shuffled samples with fresh noise.
    - `spectrum`: what a `SpectralEDM` without one of its own assumes; by default that of the samples, cross-validated (T22).
    - `folder`: for checkpoints, the metrics stream and the probe's curves. `resume`: go on from its checkpoint, if there is one.
    - `settings`: JSON values kept with the checkpoint; those of a resumed run must be the same.

    A network that draws random numbers itself (dropout) takes them from PyTorch's global stream, which no seed here sets.

    Raises InputError for a device that is not there, samples that do not fit the network, a loss that is not finite (the probe's
    curves and the last checkpoint stay in `folder`), a checkpoint of another run, or a probe that holds another run's records.
    """
    integer("steps", steps, at_least=1)
    random_seed(seed)
    if not isinstance(objective, Objective):
        raise InputError(f"objective must be an objective of the theory, such as EDM(), got {shown(objective)}")
    instance("network", network, nn.Module, "a torch module, such as MLP().build(shape)")
    instance("optimizer", optimizer, Descent, "an optimizer of networks, such as Adam()")
    instance("options", options, LoopOptions, "LoopOptions")
    if probe is not None:
        instance("probe", probe, Recorder, "a Probe")
    if len(sequence("sigma_range", sigma_range)) != 2:
        raise InputError(f"sigma_range must be two noise levels, got {shown(sigma_range)}")
    low = number("sigma_range[0]", sigma_range[0], above=0)
    high = number("sigma_range[1]", sigma_range[1], above=low)
    sigma_range = low, high
    flag("resume", resume)
    device, place = find_device(options.device), None if folder is None else path_of("folder", folder)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    dtype = torch.float64 if options.precision == "float64" else torch.float32
    network = network.to(device=device, dtype=dtype)
    if any(isinstance(module, nn.Conv2d) for module in network.modules()):
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    given = finite_array("samples", samples, "an array of finite numbers (n, ...)")
    if given.ndim < 2 or len(given) == 0:
        raise InputError(f"samples must have shape (n, ...) with n >= 1, got {given.shape}")
    data = torch.as_tensor(np.require(given, requirements=("C", "W")), dtype=dtype, device=device)
    _check_fit(network, data[:2])
    if pairs is None:
        pairs = RandomPairs(data, options.batch_size, objective.density, sigma_range, seed)
    descent = optimizer.build(network.parameters(), fused=device.type in ("cpu", "cuda"))
    averaged = _averaged(network, options.ema)
    if probe is not None:
        probe.to(device, dtype)
        probe.average = 1 / (1 - options.ema) if options.ema else 0.0
    parts = {"network": network} | ({"averaged": averaged} if averaged is not None else {})
    old = place / CHECKPOINT if resume and place is not None and (place / CHECKPOINT).exists() else None
    assumed = _spectrum(objective, spectrum, given)
    # a run that goes on started at zero if its checkpoint keeps no start, whatever its network gives by now
    begun_at_zero = old is not None and not has_part(old, START)
    denoiser = denoiser_of(network, objective, spectrum=assumed, trained=begun_at_zero, sigma_min=low)
    if averaged is not None:
        denoiser.network = averaged.module
    start_of = getattr(denoiser, "start", None)
    parts |= {START: start_of} if start_of is not None else {}
    kept = {
        "settings": dict(settings or {}),
        "seed": seed,
        "optimizer": dict(vars(optimizer)),
        "batch_size": options.batch_size,
        "objective": re.sub(r" at 0x[0-9a-f]+", "", str(objective)),
        "loop": {key: getattr(options, key) for key in ("ema", "clip", "precision", "decay")},
        "sigma_range": [float(low), float(high)],
    }
    if isinstance(denoiser, SpectralDenoiser):
        kept["assumed"] = digest_of(
            {**dict(denoiser.named_buffers(recurse=False)), **dict(denoiser.modes.named_buffers())}
        )

    start, total, count, probed = 0, 0.0, 0, 0.0 if probe is None else probe.seconds
    if old is not None and place is not None:
        details = load_checkpoint(old, parts, descent, ("step", "loss_sum", "settings"))
        _check_settings(details, kept, place)
        start, total, count = int(details["step"]), float(details["loss_sum"]), int(details.get("loss_count", 0))
        if probe is not None:
            probe.restore(_curves(place, probe), last_step=start)
    elif probe is not None and probe.recorded:
        raise InputError("probe must be new for a new run, got one that holds records of another: make another Probe")
    whole = start >= steps  # of a run that goes on, a record of the last, shorter stretch is made again
    metrics = Metrics(place, last_step=start if whole else start - start % LOG_EVERY, tensorboard=options.tensorboard)
    compute: Any = torch.compile(network) if options.compile else network
    mixed = options.precision == "bfloat16"

    def keep_curves() -> None:
        if place is not None and probe is not None and probe.recorded:
            for name in probe.names:
                probe.curve(name).save(place / _file(name))

    def check(value: float, step: int) -> float:
        """The value, if it is finite; else what was measured is written, and training stops."""
        if not np.isfinite(value):
            keep_curves()
            raise InputError(_diverged(step, value, optimizer, place))
        return value

    def save(step: int) -> None:
        total = check(running.item(), step)
        if place is not None:
            keep_curves()
            save_checkpoint(
                place / CHECKPOINT, parts, descent, {**kept, "step": step, "loss_sum": total, "loss_count": count}
            )

    words, begun = "", clock.perf_counter()
    if probe is not None:
        probe.said = True  # the run says what the probe costs
        if start == 0:
            probe(0, denoiser)
    running = torch.tensor(total, dtype=torch.float64, device=device)
    network.train()
    leave_note(denoiser.note(), network, *([averaged.module] if averaged is not None else []))
    saved = clock.monotonic()
    with closing(metrics), StopSignals() as stop:
        for step in range(start + 1, steps + 1):
            if options.decay > 0:
                for group in descent.param_groups:
                    group["lr"] = optimizer.lr * min(1.0, (1 - (step - 1) / steps) / options.decay)
            clean, sigma, noise = pairs(step - 1)
            with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
                value = denoiser.loss_at(clean, sigma, noise, network=compute)
            descent.zero_grad(set_to_none=True)
            torch.autograd.backward(value)
            if options.clip is not None:
                nn.utils.clip_grad_norm_(network.parameters(), options.clip)
            descent.step()
            if averaged is not None:
                averaged.update_parameters(network)
            running += value.detach()
            count += 1
            if step % LOG_EVERY == 0 or step == steps:
                mean = check(running.item() / count, step)
                metrics.write({"step": step, "loss": mean})
            if step % LOG_EVERY == 0:
                running.zero_()
                count = 0
                if progress is not None:
                    ahead = (
                        "" if probe is None or step >= probe.steps[-1] else f" · next probe {probe.next_after(step):,}"
                    )
                    progress(step, steps, f"loss {mean:.4g}{ahead}{words}")
            if probe is not None and probe.due(step):
                check(running.item(), step)
                probe(step, denoiser)
                if message is not None:
                    words = " · " + message(probe)
            late = clock.monotonic() - saved > 60 * options.checkpoint_minutes
            if step % options.checkpoint_every == 0 or step == steps or late or stop.received:
                save(step)
                saved = clock.monotonic()
            stop.stop(step, kept=place is not None)
    spent = 0.0 if probe is None else probe.seconds - probed
    return Trained(
        network,
        denoiser,
        metrics.records,
        max(steps, start),
        max(steps - start, 0),
        clock.perf_counter() - begun,
        spent,
    )


def _spectrum(objective: Objective, spectrum: Spectrum | None, samples: Any) -> Spectrum | None:
    """What an objective assumes of the data, where it does."""
    if not isinstance(objective, SpectralEDM) or objective.spectrum is not None or spectrum is not None:
        return spectrum
    return Spectrum.from_samples(samples).cross_validated()


def _check_fit(network: nn.Module, few: torch.Tensor) -> None:
    """Raise unless the network maps samples to their own shape."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[few.device] if few.device.type == "cuda" else []):
            out = network(few, torch.ones(len(few), dtype=few.dtype, device=few.device))
            shape = tuple(out.shape) if isinstance(out, torch.Tensor) else type(out).__name__
    except InputError:
        raise
    except Exception as error:  # whatever a network of other samples, or of other arguments, raises
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"samples must fit the network, got samples of shape {tuple(few.shape[1:])} ({reason})"
        ) from None
    finally:
        for module, training in modes.items():
            module.training = training
    if shape != tuple(few.shape):
        raise InputError(f"network must return the shape of its input {tuple(few.shape)}, got {shape}")


def _averaged(network: nn.Module, decay: float) -> torch.optim.swa_utils.AveragedModel | None:
    if decay == 0:
        return None
    average = torch.optim.swa_utils.get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return torch.optim.swa_utils.AveragedModel(network, multi_avg_fn=average)


def _file(name: str) -> str:
    """File of a probe's curve."""
    return MEASURED if name == MAIN else f"measured_{name.replace(' ', '_')}.nc"


def _curves(folder: Path, probe: Recorder) -> dict[str, LearningCurve]:
    return {name: LearningCurve.load(folder / _file(name)) for name in probe.names if (folder / _file(name)).exists()}


def _check_settings(found: dict[str, Any], wanted: dict[str, Any], folder: Path) -> None:
    """Raise, naming the keys, if a checkpoint was made by other settings; those that it does not know do not count."""
    found = renamed_settings(found)
    new = json.loads(json.dumps({key: value for key, value in wanted.items() if key in found}))
    different = differences({key: found[key] for key in new}, new)
    if different:
        raise InputError(f"settings differ from the run in {folder}: {different}")


def _diverged(step: int, mean: float, optimizer: Descent, folder: Path | None) -> str:
    kept = folder is not None and (folder / CHECKPOINT).exists()
    where = f"; the last good checkpoint is in {folder}" if kept else ""
    return f"training stopped at step {step}: the loss is {mean}, optimizer.lr must be smaller than {optimizer.lr:g}{where}"
