"""What a network's output means, noted on the network once it has been trained."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

NOTE = "_trained_under"
"""Attribute of a trained network: a `Training`."""

SAME = 0.22
"""Largest difference of two covariances that count as one, root mean square of ln variance over directions: T22's quarter."""


@dataclass(frozen=True)
class Training:
    """What a network was trained under: an objective and, of a `SpectralEDM`, what it asked.

    - `objective`: its name. - `asked`: its choices. - `start`: what is subtracted of the network. - `covariance`: what it assumes
      of the data, as ln covariance times a fixed noise plus the mean: alike for alike data, whatever the modes.
    """

    objective: str
    asked: str = ""
    start: nn.Module | None = None
    covariance: Tensor | None = None

    def same_covariance(self, other: "Training") -> bool:
        """Whether both assume the same of the data."""
        if self.covariance is None or other.covariance is None or self.covariance.shape != other.covariance.shape:
            return self.covariance is other.covariance
        return float((self.covariance - other.covariance).square().mean().sqrt()) < SAME


def leave_note(note: Training, *networks: Any) -> None:
    """Note on modules what their output means from now on."""
    for network in networks:
        if isinstance(network, nn.Module):
            vars(network)[NOTE] = note


def trained_under(network: Any) -> Training | None:
    """The note on a network, or on one within it."""
    if not isinstance(network, nn.Module):
        return None
    return next((vars(module)[NOTE] for module in network.modules() if NOTE in vars(module)), None)


def noted(loss: Tensor, note: Callable[[], Training], *networks: Any) -> Tensor:
    """The same loss: `note()` is left on modules that have none as soon as it is descended."""
    new = [network for network in networks if isinstance(network, nn.Module) and trained_under(network) is None]
    if new and loss.requires_grad and not torch.compiler.is_compiling():
        loss.register_hook(lambda gradient: leave_note(note(), *new))  # type: ignore[no-untyped-call]
    return loss
