"""Training in several processes: which of them this is, and a network that one of them calls alone."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

ALONE = "require_forward_param_sync"
"""What makes a `DistributedDataParallel` exchange buffers when it is called, which one process alone would wait for for ever."""

SHARDED = {"FullyShardedDataParallel", "FSDPModule"}
"""Wrappers whose weights lie in all processes: none of them can call the network alone."""


def rank() -> int:
    """Of this process among those that train together; 0 where there is one."""
    there = torch.distributed.is_available() and torch.distributed.is_initialized()
    return int(torch.distributed.get_rank()) if there else 0


def sharded(modules: Iterable[nn.Module]) -> bool:
    """Whether all processes must call the network together."""
    return any(kind.__name__ in SHARDED for module in modules for kind in type(module).__mro__)


def exchanges(module: nn.Module) -> bool:
    """Whether a module talks to other processes when it is called."""
    return isinstance(getattr(module, ALONE, None), bool)


@contextmanager
def alone(was: dict[nn.Module, bool]) -> Iterator[None]:
    """Modules entered in `was` (with `enter`) while the context is open exchange nothing, and are as before afterwards."""
    try:
        yield
    finally:
        for module, value in was.items():
            setattr(module, ALONE, value)
        was.clear()


def enter(module: nn.Module, was: dict[nn.Module, bool]) -> None:
    """Keep a module that exchanges buffers from doing so until the context closes."""
    if exchanges(module) and module not in was:
        was[module] = getattr(module, ALONE)
        setattr(module, ALONE, False)
