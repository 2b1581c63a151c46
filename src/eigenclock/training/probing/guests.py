"""Calling somebody else's denoiser and leaving it as it was: evaluation mode and back, random streams, buffers, inputs."""

import functools
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.nn.parameter import is_lazy

from ...checks import InputError
from ..options import Denoiser
from .ranks import alone, enter

DEPTH, OBJECTS, ENTRIES = 8, 20_000, 10_000
"""How far, through how many objects and how large containers a denoiser is searched for modules."""


def modules_within(denoiser: Any) -> list[nn.Module]:
    """Every module that a denoiser can reach: itself, or in closures, globals it names, methods, partials, attributes."""
    found: dict[int, nn.Module] = {}
    seen: set[int] = set()
    open_objects: list[tuple[Any, int]] = [(denoiser, 0)]
    while open_objects and len(seen) < OBJECTS:
        one, depth = open_objects.pop(0)
        if id(one) in seen or depth > DEPTH:
            continue
        seen.add(id(one))
        if isinstance(one, nn.Module):
            for module in one.modules():
                found.setdefault(id(module), module)
                if module is not one:
                    open_objects.append((module, depth + 1))
        open_objects += [(inside, depth + 1) for inside in _inside(one)]
    return list(found.values())


def _inside(one: Any) -> list[Any]:
    """What an object holds that could be, or lead to, a module."""
    if isinstance(one, nn.Module):
        return [value for value in vars(one).values() if callable(value) or isinstance(value, list | dict)]
    if isinstance(one, FunctionType):
        cells = [cell.cell_contents for cell in one.__closure__ or () if _filled(cell)]
        named = [one.__globals__[name] for name in one.__code__.co_names if name in one.__globals__]
        wrapped = [getattr(one, name) for name in ("__wrapped__", "_torchdynamo_orig_callable") if hasattr(one, name)]
        more = [*(one.__defaults__ or ()), *(one.__kwdefaults__ or {}).values()]
        found = [value for value in cells + named + wrapped + more if not isinstance(value, ModuleType)]
        return [inside for value in found for inside in (_of_class(value) if isinstance(value, type) else [value])]
    if isinstance(one, MethodType):
        return [one.__self__, one.__func__]
    if isinstance(one, functools.partial):
        return [one.func, *one.args, *one.keywords.values()]
    if isinstance(one, Mapping):
        return list(one.values())[:ENTRIES] if len(one) <= ENTRIES else []
    if isinstance(one, list | tuple | set | frozenset):
        return list(one) if len(one) <= ENTRIES else []
    if isinstance(one, Tensor | np.ndarray | ModuleType | type):
        return []
    if isinstance(one, GeneratorType):
        return list(one.gi_frame.f_locals.values()) if one.gi_frame is not None else []
    if isinstance(one, str | bytes | int | float | complex):
        return []
    attributes = getattr(one, "__dict__", None)
    found = list(attributes.values()) if isinstance(attributes, dict) else []
    for kind in type(one).__mro__:
        if kind.__module__.partition(".")[0] not in ("builtins", "torch", "numpy"):
            slots = kind.__dict__.get("__slots__", ())
            names = (slots,) if isinstance(slots, str) else tuple(slots)
            found += [getattr(one, name) for name in names if hasattr(one, name)]
            found += [value for value in vars(kind).values() if isinstance(value, nn.Module | list | dict | tuple)]
    return found


def _of_class(kind: type) -> list[Any]:
    """Modules that are attributes of a class of the user's."""
    if kind.__module__.partition(".")[0] in ("builtins", "torch", "numpy", "eigenclock"):
        return []
    return [value for value in vars(kind).values() if isinstance(value, nn.Module | list | dict | tuple)]


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  (an empty cell raises)
    except ValueError:
        return False
    return True


class Guest:
    """A denoiser that is looked at for a while, and left as it was.

    While the context is open every module of it is in evaluation mode: those that can be found beforehand, and those that turn
    out to be called, however they are hidden. PyTorch's, NumPy's and Python's global random streams come out as they went in.

    **Parameters**

    - `denoiser`: callable (x, sigma). - `module`: what it calls, where it hides it from both.
    - `devices`: CUDA devices whose streams are kept. - `first`: whether it is looked at for the first time, when its weights
      are compared too. Buffers that changed, such as running statistics, are put back, and an InputError is raised.
    """

    def __init__(self, denoiser: Denoiser, module: Any, devices: list[Any], first: bool) -> None:
        if not callable(denoiser):
            raise InputError(f"denoiser must be a function (x, sigma), got {type(denoiser).__name__}")
        if module is not None and not isinstance(module, nn.Module):
            raise InputError(f"module must be a torch module, got {type(module).__name__}")
        self.denoiser, self.devices, self.first = denoiser, devices, first
        self.modules = modules_within(denoiser) + ([] if module is None else list(module.modules()))
        self._was: dict[nn.Module, bool] = {}
        self._exchanged: dict[nn.Module, bool] = {}
        self._kept: list[tuple[nn.Module, str, Any, Any]] = []
        self._thread = 0
        lazy = next((type(m).__name__ for m in self.modules if any(map(is_lazy, m.parameters(recurse=False)))), None)
        if lazy is not None:
            raise InputError(f"denoiser has a {lazy} without weights yet: call the network once before it is probed")

    @property
    def compiled(self) -> bool:
        """Whether part of it was compiled: its modules are all known, and hooks would compile it anew."""
        return any(type(module).__name__ == "OptimizedModule" for module in self.modules)

    @contextmanager
    def looked_at(self) -> Iterator[None]:
        """The context in which the denoiser may be called."""
        self._thread = threading.get_ident()
        modes = {module: module.training for module in self.modules}  # a wrapper's is its module's: all are read first
        for module in self.modules:
            self._quiet(module)
        self._was |= modes
        hook = None if self.compiled else register_module_forward_pre_hook(self._quiet)
        python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002  (the stream of others is kept)
        try:
            with torch.random.fork_rng(devices=self.devices), torch.no_grad(), alone(self._exchanged):
                yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002
            if hook is not None:
                hook.remove()
            for one, training in self._was.items():
                one.training = training
            self._was.clear()
        self._compare()

    def _quiet(self, module: nn.Module, _: Any = None) -> None:
        """Put a module in evaluation mode, and remember what it was like."""
        if module in self._was or threading.get_ident() != self._thread:
            return
        self._was[module] = module.training
        enter(module, self._exchanged)
        for name, buffer in module.named_buffers(recurse=False):
            self._kept.append((module, name, buffer, buffer.detach().clone()))
        for name, weight in module.named_parameters(recurse=False):
            if self.first:
                self._kept.append((module, name, weight, _sums(weight)))
            self._kept.append((module, f"{name}.grad", weight.grad, _version(weight.grad)))
        module.training = False

    def discover(self, call: Callable[[], Any]) -> None:
        """Where a part is compiled, find the modules that are called by one call that is not."""
        stance = getattr(torch.compiler, "set_stance", None)
        if not self.compiled or stance is None:
            return
        hook = register_module_forward_pre_hook(self._quiet)
        try:
            with stance("force_eager"):
                call()
        except Exception:  # what is wrong with it is said by the check that follows
            pass
        finally:
            hook.remove()

    def _compare(self) -> None:
        kept, self._kept = self._kept, []
        changed = ""
        for module, name, was, before in kept:
            now = _attribute(module, name)
            if isinstance(before, int):  # a gradient
                same = now is was and _version(now) == before
            elif isinstance(before, tuple):  # a weight
                same = isinstance(now, Tensor) and _sums(now) == before
            else:
                same = _same(now, before)
            if same:
                continue
            changed = changed or f"{type(module).__name__}.{name}"
            if isinstance(before, Tensor) and isinstance(now, Tensor) and now.shape == before.shape:
                now.detach().copy_(before)
        if changed:
            raise InputError(
                f"denoiser must leave its network as it is, but {changed} changed when it was called (buffers were put back): "
                "put the network in eval mode, or say which it is, probe(step, denoiser, module=network)"
            )


def _sums(weight: Tensor) -> tuple[float, float]:
    """Two sums by which a weight is known again, without a copy of it."""
    return float(weight.detach().sum(dtype=torch.float64)), float(
        torch.linalg.vector_norm(weight.detach(), dtype=torch.float64)
    )


def _version(tensor: Any) -> int:
    """How often a tensor was changed in place."""
    try:
        return int(tensor._version) if isinstance(tensor, Tensor) else 0
    except RuntimeError:  # tensors of inference mode do not count
        return 0


def _attribute(module: nn.Module, name: str) -> Any:
    weight, _, grad = name.partition(".")
    found = getattr(module, weight, None)
    return getattr(found, grad, None) if grad else found


def _same(now: Any, before: Tensor) -> bool:
    return (
        isinstance(now, Tensor)
        and now.shape == before.shape
        and bool(torch.equal(now.nan_to_num(), before.nan_to_num()))
    )


def objective_of(modules: list[nn.Module]) -> str | None:
    """Name of the objective that a denoiser says its network predicts, if it says so."""
    for module in modules:
        said = getattr(module, "predicts", None)
        if isinstance(said, str):
            return said
    return None


def device_of(modules: list[nn.Module]) -> Any:
    """Device of the first weight among modules; None if there is none."""
    return next((weight.device for module in modules for weight in module.parameters(recurse=False)), None)
