"""How a network starts: at zero, or at something that has to be subtracted (T19)."""

import copy

import torch
from torch import nn

from ...checks import InputError
from ..losses import shaped_like


def starts_at_zero(network: nn.Module, shape: tuple[int, ...]) -> bool | None:
    """Whether a network's output is zero on two noises of samples (*shape); None if it takes no such samples alone.

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
                return not bool(torch.any(shaped_like(out, seen) != 0))
            except Exception:  # whatever a network of other samples, or of other arguments, raises
                continue
        return None
    finally:
        for module, training in modes.items():
            module.training = training


def frozen(network: nn.Module) -> nn.Module:
    """A copy of a network that does not change any more; InputError for a function, whose weights cannot be found."""
    if next(network.parameters(), None) is None:
        raise InputError(
            "network must be a torch module, or start at zero: what a function gives at first cannot be kept; "
            "trained=True takes it as it is"
        )
    return copy.deepcopy(network).eval().requires_grad_(False)
