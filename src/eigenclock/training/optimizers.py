"""Optimizers of real networks, as values that a config file can hold. Nothing here needs PyTorch until `build` is called."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..checks import number_option

if TYPE_CHECKING:
    import torch


class Descent(ABC):
    """An optimizer of real networks. Subclasses are frozen dataclasses with a learning rate `lr`."""

    lr: float

    @abstractmethod
    def build(self, parameters: Any, *, fused: bool) -> "torch.optim.Optimizer":
        """The PyTorch optimizer of these parameters."""


@dataclass(frozen=True)
class Adam(Descent):
    """Adam (Kingma & Ba 2015).

    **Parameters**

    - `lr`: learning rate. - `beta1`, `beta2`: decay of the two moments. - `eps`: added to the root of the second.
    """

    lr: float = 1e-4
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        number_option(self, "lr", above=0)
        number_option(self, "beta1", at_least=0, below=1)
        number_option(self, "beta2", at_least=0, below=1)
        number_option(self, "eps", above=0)

    def build(self, parameters: Any, *, fused: bool) -> "torch.optim.Optimizer":
        import torch

        return torch.optim.Adam(parameters, self.lr, (self.beta1, self.beta2), self.eps, fused=fused)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019).

    **Parameters**

    - as `Adam`, and `weight_decay`.
    """

    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        number_option(self, "weight_decay", at_least=0)

    def build(self, parameters: Any, *, fused: bool) -> "torch.optim.Optimizer":
        import torch

        return torch.optim.AdamW(
            parameters, self.lr, (self.beta1, self.beta2), self.eps, weight_decay=self.weight_decay, fused=fused
        )


@dataclass(frozen=True)
class SGD(Descent):
    """Gradient descent on minibatches, with heavy-ball momentum if asked for: the theory's GradientDescent and HeavyBall.

    **Parameters**

    - `lr`: learning rate. - `momentum`: heavy ball's β.
    """

    lr: float = 1e-2
    momentum: float = 0.0

    def __post_init__(self) -> None:
        number_option(self, "lr", above=0)
        number_option(self, "momentum", at_least=0, below=1)

    def build(self, parameters: Any, *, fused: bool) -> "torch.optim.Optimizer":
        import torch

        return torch.optim.SGD(parameters, self.lr, self.momentum, fused=fused)
