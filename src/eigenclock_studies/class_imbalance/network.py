"""A small network on mixtures, all cells and replicates trained side by side as one batched model."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from eigenclock.checks import InputError, integer, integer_option, number_option
from .mixtures import Mixture, noise, signal

TEST_POINTS = 1000
"""Fixed test points of each class, with fixed noise."""


@dataclass(frozen=True)
class SmallNetwork:
    """eps(x) = W2 relu(W1 x + b1) + b2 without time input, by SGD on fresh samples: nothing can be memorised.

    `lr`: for the batch mean of the SUM over coordinates of (eps − xi)². `momentum`: of heavy ball, 0 for plain SGD. `decay`:
    last share of the steps over which the rate falls linearly to 0.
    """

    hidden: int = 128
    t: float = 0.3
    batch: int = 128
    lr: float = 0.004
    steps: int = 2000
    checkpoints: int = 120
    momentum: float = 0.0
    decay: float = 0.0

    def __post_init__(self) -> None:
        for name in ("hidden", "batch", "steps", "checkpoints"):
            integer_option(self, name, at_least=1)
        number_option(self, "t", above=0)
        number_option(self, "lr", above=0)
        number_option(self, "momentum", at_least=0, below=1)
        number_option(self, "decay", at_least=0)


def checkpoint_steps(network: SmallNetwork) -> Any:
    """0 and log-spaced steps."""
    spread = np.round(np.geomspace(1, network.steps, network.checkpoints)).astype(int)
    return np.unique(np.r_[0, spread])


def class_losses(
    mixtures: list[Mixture], network: SmallNetwork, replicates: int, seed: int
) -> tuple[Any, Float[np.ndarray, "cell replicate K step"]]:
    """Steps, and the test loss per coordinate of every class at them, for every cell and replicate.

    All mixtures have the same d and number of classes. Raises InputError if they do not.
    """
    d, classes = mixtures[0].d, mixtures[0].classes
    if any((one.d, one.classes) != (d, classes) for one in mixtures):
        raise InputError("mixtures trained side by side must share d and the number of classes")
    integer("replicates", replicates, at_least=1)
    random = np.random.default_rng(np.random.SeedSequence(seed).spawn(1)[0])
    b = len(mixtures) * replicates

    def per_replicate(values: Any) -> torch.Tensor:
        return torch.as_tensor(np.repeat(np.asarray(values), replicates, axis=0), dtype=torch.float32)

    centroids = per_replicate([one.centroids(random) for one in mixtures])  # (b, K, d)
    spread = per_replicate([np.sqrt(one.variance) for one in mixtures])  # (b, K)
    edges = per_replicate([np.cumsum(one.proportions)[:-1] for one in mixtures])  # (b, K − 1)
    generator = torch.Generator().manual_seed(int(random.integers(2**62)))
    left, level = signal(network.t), float(np.sqrt(noise(network.t)))

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    first = (normal(b, d, network.hidden) / np.sqrt(d)).requires_grad_()
    second = torch.zeros(b, network.hidden, d, requires_grad=True)
    biases = [torch.zeros(b, 1, size, requires_grad=True) for size in (network.hidden, d)]
    weights = [first, second, *biases]
    velocities = [torch.zeros_like(weight) for weight in weights]

    def predicted(x: torch.Tensor) -> torch.Tensor:
        return torch.baddbmm(biases[1], torch.relu(torch.baddbmm(biases[0], x, first)), second)

    every = torch.arange(classes).repeat_interleave(TEST_POINTS)
    clean = centroids[:, every] + spread[:, every, None] * normal(b, len(every), d)
    kept = normal(b, len(every), d)
    test = left * clean + level * kept
    steps = checkpoint_steps(network)
    due, losses = set(steps.tolist()), []

    def record() -> None:
        with torch.no_grad():
            error = ((predicted(test) - kept).square() - kept.square()).mean(
                dim=2
            ) + 1  # |ξ|² is 1 in expectation: no noise from it
            losses.append(error.reshape(b, classes, TEST_POINTS).double().mean(dim=2).numpy())

    record()
    for step in range(1, network.steps + 1):
        labels = (torch.rand(b, network.batch, 1, generator=generator) >= edges[:, None, :]).sum(dim=2)
        x = torch.gather(centroids, 1, labels[..., None].expand(-1, -1, d))
        x = x + torch.gather(spread, 1, labels)[..., None] * normal(b, network.batch, d)
        xi = normal(b, network.batch, d)
        loss = (predicted(left * x + level * xi) - xi).square().sum() / network.batch
        falling = 1.0 if network.decay == 0 else min(1.0, (1 - (step - 1) / network.steps) / network.decay)
        for weight, gradient, velocity in zip(weights, torch.autograd.grad(loss, weights), velocities, strict=True):
            velocity.mul_(network.momentum).add_(gradient)
            weight.data.add_(velocity, alpha=-network.lr * falling)
        if step in due:
            record()
    found = np.stack(losses, axis=-1).reshape(len(mixtures), replicates, classes, -1)
    return steps, found
