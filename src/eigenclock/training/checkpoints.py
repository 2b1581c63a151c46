"""Checkpoints: one safetensors file with weights, averaged weights, optimizer state and, as JSON, the step. No pickles."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..checks import InputError
from ..files import atomic

START = "start"
"""Part of a checkpoint that is what the network gave before training, where that is subtracted (T19)."""

FORMAT, DIGEST = "eigenclock checkpoint 1", "sha256"


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """A hash of tensors by name, by which a damaged file is known."""
    found = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        found.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        found.update(value.flatten().view(torch.uint8).numpy() if value.numel() else b"")
    return found.hexdigest()


def save_checkpoint(
    path: str | Path, parts: dict[str, nn.Module], optimizer: torch.optim.Optimizer, details: dict[str, Any]
) -> None:
    """Write modules by name, the optimizer's state and `details` (JSON values), atomically."""
    tensors: dict[str, Tensor] = {}
    for name, module in parts.items():
        tensors |= {f"{name}.{key}": value for key, value in module.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": value for key, value in state.items() if isinstance(value, Tensor)}
    stored = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    content = json.dumps({**details, DIGEST: digest_of(stored)}, sort_keys=True)
    metadata = {FORMAT: content}  # one key: the order of several is random, a file's hash would be
    with atomic(path) as temporary:
        save_file(stored, temporary, metadata=metadata)


def read_checkpoint(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and details of a checkpoint; InputError for anything that is not one. Pickled files are never opened."""
    try:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            if FORMAT not in metadata:
                raise InputError(f"not a checkpoint of eigenclock: {path}")
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
        details = json.loads(metadata[FORMAT])
        if details.pop(DIGEST, None) not in (None, digest_of(tensors)):  # older ones have none
            raise ValueError("its numbers are not those that were written")
        return tensors, details
    except FileNotFoundError:
        raise InputError(f"checkpoint not found: {path}") from None
    except InputError:
        raise
    except Exception as error:  # safetensors, JSON and torch have many words for a damaged file
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"checkpoint must be a safetensors file, got {path} ({reason}); pickled checkpoints can run code and are never loaded"
        ) from None


def has_part(path: str | Path, name: str) -> bool:
    """Whether a checkpoint holds a module of this name; InputError for anything that is not one."""
    return any(key.startswith(f"{name}.") for key in read_checkpoint(path)[0])


def _in_layout_of_weights(optimizer: torch.optim.Optimizer) -> None:
    """Moments with the strides of their weights (channels last): fused kernels walk both as they lie in memory."""
    for weight, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == weight.shape:
                state[name] = torch.empty_like(weight, requires_grad=False).copy_(value)


def load_checkpoint(
    path: str | Path,
    parts: dict[str, nn.Module],
    optimizer: torch.optim.Optimizer | None = None,
    needed: tuple[str, ...] = ("step",),
) -> dict[str, Any]:
    """Put a checkpoint's tensors into modules and an optimizer; return its details, among them those `needed`.

    InputError for a damaged checkpoint, or one of another network; nothing of it is taken over then.
    """
    tensors, details = read_checkpoint(path)
    missing = [key for key in needed if key not in details]
    if missing:
        raise InputError(f"checkpoint {path} is damaged: it lacks {', '.join(missing)}")
    states = {}
    for name, module in parts.items():
        state = {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}
        own = module.state_dict()
        different = [
            key
            for key in own.keys() | state.keys()
            if key not in own or key not in state or own[key].shape != state[key].shape
        ]
        if different:
            raise InputError(f"checkpoint {path} is of another network: {', '.join(sorted(different)[:3])} differ")
        states[name] = state
    if optimizer is not None:
        whole = optimizer.state_dict()
        state_of: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("optimizer."):
                _, index, name = key.split(".", 2)
                state_of.setdefault(int(index), {})[name] = value
        whole["state"] = state_of
        try:
            optimizer.load_state_dict(whole)
        except Exception as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(f"checkpoint {path} is of another optimizer: {reason}") from None
    for name, module in parts.items():  # all of it is right: only now is anything taken over
        module.load_state_dict(states[name])
    if optimizer is not None:
        _in_layout_of_weights(optimizer)
    return details
