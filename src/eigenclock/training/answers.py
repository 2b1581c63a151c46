"""What a denoiser answers: checked, in the user's terms, on copies of its inputs."""

import re
from typing import Any

import torch
from torch import Tensor

from ..checks import InputError
from .options import Denoiser


class Diverged(InputError):
    """A denoiser gave numbers that are not finite where its input was."""


def on_copies(denoiser: Denoiser) -> Denoiser:
    """The same denoiser on copies of its inputs, its answers checked: one that works in place changes nothing of its caller's."""
    return lambda x, sigma, *given: answer(denoiser, x, sigma, *given)


def finite(denoiser: Denoiser, step: int) -> Denoiser:
    """The same denoiser; Diverged where it gives numbers that are not finite for finite ones."""

    def checked(x: Tensor, sigma: Tensor) -> Tensor:
        out: Tensor = denoiser(x.clone(), sigma)
        if not bool(torch.isfinite(out).all()) and bool(torch.isfinite(x).all()):
            raise Diverged(f"denoiser gave numbers that are not finite at step {step}, σ = {float(sigma):.4g}")
        return out

    return checked


def answer(denoiser: Denoiser, x: Tensor, sigma: Tensor, *given: Tensor) -> Tensor:
    """What a denoiser gives for a copy of x; InputError unless it takes two arguments and answers with a tensor like x."""
    try:
        out = denoiser(x.clone(), sigma, *given)
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
            f"{type(error).__name__}: {reason}{_hint(error, few, denoiser)}"
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


def _hint(error: Exception, few: Tensor, denoiser: Any = None) -> str:
    """What to do about an error from inside a denoiser."""
    text = str(error)
    if isinstance(error, TypeError) and re.search(r"takes .*\d positional argument.* given", text):
        return "; a network of one argument is denoiser = lambda x, sigma: network(x)"
    if isinstance(error, TypeError) and ("missing" in text or "NoneType" in text):
        return "; a conditional network is told labels: Probe(labels=…)"
    if "device" in text or "CUDA" in text:
        return f"; the probe calls it on {few.device}: Probe(device=…)"
    if "dtype" in text or any(kind in text for kind in ("BFloat16", "Half", "Double")):
        return f"; the probe calls it in {few.dtype}: Probe(dtype=…)"
    if few.ndim in (3, 4) and re.search(r"channel|shape|size|dimension", text):
        turned = getattr(denoiser, "channels_first", False)
        if turned:  # the adapter has put channels first already
            return (
                "; samples have their channels last, (n, h, w, c): np.moveaxis(x, 1, -1), of a tensor x.movedim(1, -1)"
            )
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
