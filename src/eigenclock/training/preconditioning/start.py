"""How a network starts: at zero, or at something that has to be subtracted (T19)."""

import copy
import inspect

import torch
from torch import nn

from ...checks import InputError
from ..losses import shaped_like


def starts_at_zero(network: nn.Module, shape: tuple[int, ...]) -> bool | None:
    """Whether a network's output is zero on two noises of samples (*shape); None if that is not known: it takes no such samples
    alone, or what else it takes is no class label.

    Images are tried as they are and as (n, c, h, w).
    """
    parameter = next(network.parameters(), torch.empty(0))
    x = torch.randn((2, *shape), generator=torch.Generator().manual_seed(0)).to(parameter)
    layouts = [x] if x.ndim < 3 else [x, x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2)]
    modes = {module: module.training for module in network.modules()}
    for module in modes:
        module.training = False
    try:
        for seen in layouts:
            try:
                with torch.no_grad():
                    out = network(seen, torch.full((2,), 0.5).to(seen))
                if bool(torch.any(shaped_like(out, seen) != 0)):
                    return False
                return _zero_with_labels(network, seen)
            except Exception:  # whatever a network of other samples, or of other arguments, raises
                continue
        return None
    finally:
        for module, training in modes.items():
            module.training = training


def _zero_with_labels(network: nn.Module, seen: torch.Tensor) -> bool | None:
    """Whether the output stays zero with class labels 0 and 1 as whatever else a network takes; None if it takes none there."""
    labels, level = torch.tensor([0, 1], device=seen.device), torch.full((2,), 0.5).to(seen)
    for name in _optional(network):
        try:
            with torch.no_grad():
                out = network(seen, level, **{name: labels})
        except Exception:  # whatever a network that wants something else raises
            return None
        if bool(torch.any(shaped_like(out, seen) != 0)):
            return False
    return True


def _optional(network: nn.Module) -> list[str]:
    """What a network may be given beyond (x, sigma), None by default; of one that hands everything on, the one within."""
    inner: nn.Module = network
    while True:
        try:
            parameters = list(inspect.signature(inner.forward).parameters.values())
        except (TypeError, ValueError):  # of compiled code
            return []
        within = getattr(inner, "network", getattr(inner, "denoiser", None))
        if not isinstance(within, nn.Module) or all(one.kind is not one.VAR_KEYWORD for one in parameters):
            return [one.name for one in parameters[2:] if one.default is None]
        inner = within


def frozen(network: nn.Module) -> nn.Module:
    """A copy of a network that does not change any more; InputError for a function, whose weights cannot be found."""
    if next(network.parameters(), None) is None:
        raise InputError(
            "network must be a torch module, or start at zero: what a function gives at first cannot be kept; "
            "trained=True takes it as it is"
        )
    return copy.deepcopy(network).eval().requires_grad_(False)
