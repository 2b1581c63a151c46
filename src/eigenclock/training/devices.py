"""Devices by name."""

from typing import Any

import torch

from ..checks import InputError, shown


def find_device(name: Any) -> torch.device:
    """The device of a name; "auto" is a GPU where there is one. InputError if numbers cannot be kept on it here."""
    if isinstance(name, str) and name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device).cpu()
    # a name that is none, a build without CUDA, no such card, no name at all, a device without numbers: five kinds
    except (RuntimeError, AssertionError, TypeError, ValueError, NotImplementedError) as error:
        found = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
        given = name if isinstance(name, str) else shown(name)
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"device must be one of {', '.join(found)} here, got {given} ({reason})") from None
    return device


def device_of(network: Any) -> torch.device:
    """Where a module's numbers are; the CPU for functions, and modules without any."""
    tensors = [*network.parameters(), *network.buffers()] if isinstance(network, torch.nn.Module) else []
    return tensors[0].device if tensors else torch.device("cpu")


def choice_of_dtype(dtype: Any) -> None:
    """Raise unless a precision has the range that noise levels need."""
    allowed = (torch.float32, torch.float64, torch.bfloat16)
    if not isinstance(dtype, torch.dtype) or dtype not in allowed:
        raise InputError(f"dtype must be one of {', '.join(map(str, allowed))}, got {shown(dtype)}")
