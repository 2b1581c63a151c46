"""Descending any loss of a set of modules, one batch per step, resumable to the bit."""

import copy
import hashlib
import time as clock
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..checks import InputError
from .checkpoints import load_checkpoint, read_checkpoint, save_checkpoint
from .interruption import StopSignals
from .optimizers import Descent

LOOK_EVERY = 50
"""Steps between looks at the loss: at each the last finite state is kept."""

CHECKPOINT_EVERY, CHECKPOINT_SECONDS = 500, 60.0
"""Steps, and seconds, between checkpoints."""


def digest(*arrays: Any) -> str:
    """A hash of arrays or tensors, in order; None counts too."""
    found = hashlib.sha256()
    for one in arrays:
        whole = np.ascontiguousarray(
            np.zeros(0) if one is None else one.detach().cpu().numpy() if isinstance(one, Tensor) else one
        )
        found.update(f"{whole.shape}{whole.dtype}{one is None}".encode() + whole.tobytes())
    return found.hexdigest()[:16]


def half_then_linear(progress: float) -> float:
    """Factor of the learning rate: 1 for half of the steps, then linearly to 0."""
    return min(1.0, 2 * (1 - progress))


def one_cycle(progress: float) -> float:
    """A linear rise over the first 30 % of the steps from 1/25, then a cosine to 0."""
    if progress < 0.3:
        return 0.04 + 0.96 * progress / 0.3
    return 0.5 * (1 + float(np.cos(np.pi * (progress - 0.3) / 0.7)))


def descend(
    modules: Mapping[str, nn.Module],
    loss: Callable[[int], Tensor],
    *,
    optimizer: Descent,
    steps: int,
    schedule: Callable[[float], float] = half_then_linear,
    after: Callable[[int], None] = lambda step: None,
    file: Path | None = None,
    resume: bool = False,
    settings: Mapping[str, Any] | None = None,
    kept: Callable[[], Any] = lambda: None,
    restore: Callable[[Any], None] = lambda found: None,
) -> int:
    """Minimise `loss(step)`, step = 0, 1, …, whose randomness is a function of the step; returns the first step done here.

    **Parameters**

    - `modules`: by name, whose parameters are descended where they require a gradient. - `schedule`: factor of the learning
      rate by the share of steps done. - `after`: called with the number of steps done: 0, 1, …
    - `file`: checkpoint, written atomically; `resume` goes on from it if it is of the same `settings`.
    - `kept`, `restore`: JSON values of the caller that go into the checkpoint and come back.

    Raises InputError for a loss that is not finite, with the last finite state put back; or a checkpoint of other settings.
    """
    parameters = [p for module in modules.values() for p in module.parameters() if p.requires_grad]
    descent = optimizer.build(parameters, fused=True)
    start, parts = 0, dict(modules)
    wanted = {**(settings or {}), "steps": steps, "optimizer": str(optimizer)}
    if resume and file is not None and file.exists():
        old = read_checkpoint(file)[1].get("settings", {})
        if old != wanted:
            changed = sorted(key for key in wanted.keys() | old.keys() if old.get(key) != wanted.get(key))
            raise InputError(f"settings differ from the checkpoint {file}: {', '.join(changed)}")
        details = load_checkpoint(file, parts, descent, ("step", "kept", "settings"))
        start = int(details["step"])
        restore(details["kept"])
    last, last_step = {name: copy.deepcopy(module.state_dict()) for name, module in parts.items()}, start
    if start == 0:
        after(0)
    saved = clock.monotonic()
    with StopSignals() as stop:
        for step in range(start, steps):
            for group in descent.param_groups:
                group["lr"] = optimizer.lr * schedule(step / steps)
            value = loss(step)
            if step % LOOK_EVERY == 0 or step == steps - 1:
                if not torch.isfinite(value):
                    for name, module in parts.items():
                        module.load_state_dict(last[name])
                    raise InputError(
                        f"training stopped at step {step}: the loss is {value.item()}, lr must be smaller than {optimizer.lr:g}; "
                        f"the model is as it was at step {last_step}"
                    )
                last, last_step = {name: copy.deepcopy(module.state_dict()) for name, module in parts.items()}, step
            descent.zero_grad(set_to_none=True)
            torch.autograd.backward(value)
            descent.step()
            after(step + 1)
            due = (
                (step + 1) % CHECKPOINT_EVERY == 0
                or step + 1 == steps
                or clock.monotonic() - saved > CHECKPOINT_SECONDS
            )
            if file is not None and (due or stop.received):
                save_checkpoint(file, parts, descent, {"settings": wanted, "step": step + 1, "kept": kept()})
                saved = clock.monotonic()
            stop.stop(step + 1, kept=file is not None)
    return start
