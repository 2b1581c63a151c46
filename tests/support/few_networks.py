"""Networks of a line or two, and images whose spectrum is worth something."""

import numpy as np
import torch
from torch import nn


def images(rng, *shape, n=3000):
    """Images whose neighbours, and channels, are correlated."""
    x = rng.standard_normal((n, *shape))
    x = x + 0.8 * np.roll(x, 1, axis=1) + 0.5 * np.roll(x, 1, axis=2)
    return x + 0.7 * x[..., ::-1] + 1.0 if len(shape) == 3 else x + 1.0


class Zero(nn.Module):
    """A network that has not begun."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, x, sigma):
        return self.weight * x


class Own(nn.Module):
    """Some network of samples of any shape, with class labels by the name of `condition`."""

    def __init__(self, *, bias=0.3):
        super().__init__()
        self.a, self.b = nn.Parameter(torch.tensor(0.7)), nn.Parameter(torch.tensor(bias))

    def forward(self, x, sigma, condition=None):
        shift = self.b if condition is None else self.b * condition.reshape(-1, *[1] * (x.ndim - 1))
        return self.a * torch.tanh(x) + shift + 0.1 * sigma.reshape(-1, *[1] * (x.ndim - 1))
