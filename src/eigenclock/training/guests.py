"""Calling somebody else's denoiser and leaving it as it was: evaluation mode and back, random streams, buffers, inputs."""

import functools
import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook

from ..checks import InputError
from .options import Denoiser

DEPTH, OBJECTS, ENTRIES = 8, 5000, 200
"""How far, through how many objects and how large containers a denoiser is searched for modules."""


class Diverged(InputError):
    """A denoiser gave numbers that are not finite where its input was."""


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
        return [value for value in cells + named + wrapped + more if not isinstance(value, ModuleType | type)]
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
    attributes = getattr(one, "__dict__", None)
    return list(attributes.values()) if isinstance(attributes, dict) else []


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
    - `devices`: CUDA devices whose streams are kept. - `watch_buffers`: compare buffers before and after: one that changed, such
      as running statistics, is put back and an InputError raised.
    """

    def __init__(self, denoiser: Denoiser, module: Any, devices: list[Any], watch_buffers: bool) -> None:
        if not callable(denoiser):
            raise InputError(f"denoiser must be a function (x, sigma), got {type(denoiser).__name__}")
        if module is not None and not isinstance(module, nn.Module):
            raise InputError(f"module must be a torch module, got {type(module).__name__}")
        self.denoiser, self.devices, self.watch_buffers = denoiser, devices, watch_buffers
        self.modules = modules_within(denoiser) + ([] if module is None else list(module.modules()))
        self._was: dict[nn.Module, bool] = {}
        self._buffers: list[tuple[nn.Module, str, Tensor, Tensor]] = []

    @property
    def compiled(self) -> bool:
        """Whether part of it was compiled: its modules are all known, and hooks would compile it anew."""
        return any(type(module).__name__ == "OptimizedModule" for module in self.modules)

    @contextmanager
    def looked_at(self) -> Iterator[None]:
        """The context in which the denoiser may be called."""
        thread = threading.get_ident()

        def quiet(module: nn.Module, _: Any = None) -> None:
            if module in self._was or threading.get_ident() != thread:
                return
            self._was[module] = module.training
            if self.watch_buffers:
                kept = [(name, one) for name, one in module._buffers.items() if one is not None]
                self._buffers += [(module, name, one, one.detach().clone()) for name, one in kept]
            module.training = False

        modes = {module: module.training for module in self.modules}  # a wrapper's is its module's: all are read first
        for module in self.modules:
            quiet(module)
        self._was |= modes
        hook = None if self.compiled else register_module_forward_pre_hook(quiet)
        python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002  (the stream of others is kept)
        try:
            with torch.random.fork_rng(devices=self.devices), torch.no_grad():
                yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002
            if hook is not None:
                hook.remove()
            for one, training in self._was.items():
                one.training = training
            self._was.clear()
        self._compare_buffers()

    def _compare_buffers(self) -> None:
        changed = [entry for entry in self._buffers if not _same(entry[0]._buffers.get(entry[1]), entry[3])]
        for module, name, _, before in changed:
            now = module._buffers.get(name)
            if now is not None and now.shape == before.shape:
                now.copy_(before)
            else:
                module._buffers[name] = before
        self._buffers.clear()
        if changed:
            module, name = changed[0][:2]
            raise InputError(
                f"denoiser must leave its network as it is, but {type(module).__name__}.{name} changed when it was called "
                "(and was put back): put the network in eval mode, or say which it is, probe(step, denoiser, module=network)"
            )


def _same(now: Any, before: Tensor) -> bool:
    return (
        isinstance(now, Tensor)
        and now.shape == before.shape
        and bool(torch.equal(now.nan_to_num(), before.nan_to_num()))
    )


def on_copies(denoiser: Denoiser) -> Denoiser:
    """The same denoiser on copies of its inputs: one that works in place changes nothing of its caller's."""
    return lambda x, sigma: denoiser(x.clone(), sigma)


def finite(denoiser: Denoiser, step: int) -> Denoiser:
    """The same denoiser; Diverged where it gives numbers that are not finite for finite ones."""

    def checked(x: Tensor, sigma: Tensor) -> Tensor:
        out: Tensor = denoiser(x.clone(), sigma)
        if not bool(torch.isfinite(out).all()) and bool(torch.isfinite(x).all()):
            raise Diverged(f"denoiser gave numbers that are not finite at step {step}, σ = {float(sigma):.4g}")
        return out

    return checked


def answer(denoiser: Denoiser, x: Tensor, sigma: Tensor) -> Tensor:
    """What a denoiser gives for a copy of x; InputError unless it takes two arguments and answers with a tensor like x."""
    try:
        out = denoiser(x.clone(), sigma)
    except TypeError as error:
        raise InputError(f"denoiser must take (x, sigma), got TypeError: {error}{_hint(error, x)}") from error
    if not isinstance(out, Tensor) or out.shape != x.shape:
        got = tuple(out.shape) if isinstance(out, Tensor) else type(out).__name__
        raise InputError(f"denoiser must return a tensor shaped like its input {tuple(x.shape)}, got {got}")
    return out


def check_output(denoiser: Denoiser, few: Tensor, sigma: float, step: int) -> None:
    """Raise unless a denoiser maps two samples to finite, real ones of their shape; in the user's terms whatever it raises."""
    level = torch.tensor(sigma, dtype=few.dtype, device=few.device)
    try:
        out = denoiser(few.clone(), level)
    except InputError:
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0]
        raise InputError(
            f"denoiser must take x of shape {tuple(few.shape)} and one noise level, got "
            f"{type(error).__name__}: {reason}{_hint(error, few)}"
        ) from error
    if not isinstance(out, Tensor) or out.shape != few.shape:
        got = tuple(out.shape) if isinstance(out, Tensor) else type(out).__name__
        raise InputError(
            f"denoiser must return a tensor shaped like its input {tuple(few.shape)}, got {got}{learned_variance(got, few)}"
        )
    if not out.is_floating_point():
        raise InputError(f"denoiser must return real floating-point numbers, got {out.dtype}")
    if out.device.type != few.device.type:
        raise InputError(
            f"denoiser must return tensors on {few.device}, got {out.device}: Probe(device={str(out.device)!r})"
        )
    if not bool(torch.isfinite(out).all()):
        raise Diverged(f"denoiser gave numbers that are not finite at step {step}, σ = {sigma:.4g}")


def _hint(error: Exception, few: Tensor) -> str:
    """What to do about an error from inside a denoiser."""
    text = str(error)
    if isinstance(error, TypeError) and "argument" in text:
        return "; a network of one argument is denoiser = lambda x, sigma: network(x)"
    if "device" in text or "CUDA" in text:
        return f"; the probe calls it on {few.device}: Probe(device=…)"
    if (
        "dtype" in text
        or "must have the same dtype" in text
        or "BFloat16" in text
        or "Half" in text
        or "Double" in text
    ):
        return f"; the probe calls it in {few.dtype}: Probe(dtype=…)"
    if few.ndim in (3, 4):
        return "; a network of images (n, channels, h, w) is as_denoiser(network, channels_first=True)"
    return ""


def learned_variance(got: Any, like: Tensor) -> str:
    """Words for an output of twice the channels."""
    doubled = isinstance(got, tuple) and len(got) == like.ndim and len(got) >= 3
    for axis in (1, -1) if doubled else ():
        if got[axis] == 2 * like.shape[axis] and _without(got, axis) == _without(tuple(like.shape), axis):
            return ": a network with a learned variance returns twice the channels, pass on their first half"
    return ""


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    rest = list(shape)
    del rest[axis]
    return tuple(rest)


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
