"""Muon for a network's matrices, Adam for the rest: one optimizer of two, which a checkpoint holds."""

from dataclasses import dataclass
from typing import Any

import torch

from eigenclock.checks import number_option
from eigenclock.training.optimizers import Descent


@dataclass(frozen=True)
class Muon(Descent):
    """PyTorch's Muon (Jordan et al. 2024) on every matrix, updates of the size of Adam's, and Adam on everything else.

    - `lr`: of both.
    """

    lr: float = 3e-4

    def __post_init__(self) -> None:
        number_option(self, "lr", above=0)

    def build(self, parameters: Any, *, fused: bool) -> torch.optim.Optimizer:
        known = list(parameters)
        matrices, rest = ([p for p in known if (p.ndim == 2) is wanted] for wanted in (True, False))
        return _Both(
            torch.optim.Muon(matrices, self.lr, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"),
            torch.optim.Adam(rest, self.lr, fused=fused),
        )


class _Both(torch.optim.Optimizer):
    """Two optimizers of different parameters as one: groups and state are the same objects."""

    def __init__(self, first: torch.optim.Optimizer, second: torch.optim.Optimizer) -> None:
        self.both = first, second
        super().__init__([*first.param_groups, *second.param_groups], {})
        self._share()

    def _share(self) -> None:
        for one, group in zip(self.both, self.param_groups, strict=True):
            one.param_groups, one.state = [group], self.state

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for one in self.both:
            one.step(closure)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._share()
