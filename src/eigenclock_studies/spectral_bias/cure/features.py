"""Features in which images are held against generated ones: of a network trained here to tell what moments do not."""

from functools import lru_cache
from typing import Any

import numpy as np
import scipy
import torch
from jaxtyping import Float
from torch import Tensor, nn

from eigenclock.curve.divergences import wasserstein_full
from .pictures import SIGMA_DATA, Images, Known, Pictures

FEATURES = 32
KINDS = ("images", "Gaussian ones", "with modes shuffled between images", "noisy", "blurred", "noise")
"""What the judge tells apart. Noise is white, of 2 to 100 % of the data's standard deviation on images, and of any size alone."""

REFERENCE = 4000
"""Images whose features the generated ones' are held against."""


class Judge(nn.Module):
    """Tells images from five kinds of wrong ones: see `KINDS`.

    The first two have the data's variance along every mode, the second its marginals too: what is left to tell them by is
    structure that no preconditioning knows of. The others are what half-trained models draw.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in ((channels, 16), (16, 32), (32, 64)))
        self.last = nn.LazyLinear(FEATURES)
        self.head = nn.Linear(FEATURES, len(KINDS))

    def features(self, x: Tensor) -> Tensor:
        """(n, FEATURES) before the head, of images (n, c, h, w)."""
        for layer in self.layers:
            x = nn.functional.max_pool2d(nn.functional.silu(layer(x)), 2)
        return torch.tanh(self.last(x.flatten(1)))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.features(x))
        return found


class Features:
    """`distance(images)`: Fréchet distance to the data in the judge's features, each in units of its spread over all kinds."""

    def __init__(self, network: Judge, images: Images, mixed: Images) -> None:
        self.network = network
        self.scale = self._of(mixed).std(axis=0) + 1e-6
        self.real = self._of(images) / self.scale

    def _of(self, images: Images) -> Float[np.ndarray, "n f"]:
        with torch.no_grad():
            parts = [self.network.features(part) for part in torch.split(_tensor(images), 1000)]
        return torch.cat(parts).double().numpy()

    def distance(self, images: Images) -> float:
        """Squared Wasserstein distance of the Gaussians of the features' moments."""
        ours = self._of(images) / self.scale
        return wasserstein_full(ours.mean(axis=0), np.cov(ours.T), self.real.mean(axis=0), np.cov(self.real.T)) ** 2


@lru_cache(maxsize=2)
def features_of(source: Pictures, steps: int) -> Features:
    """The features of a data set; the same in every process."""
    known = source.known()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2603)
        network = Judge(_tensor(known.train[:1]).shape[1])
        network(_tensor(known.train[:1]))
        descent, rng = torch.optim.Adam(network.parameters(), 1e-3), np.random.default_rng(2603)
        for _ in range(steps):
            batch, labels = _kinds(known, 32, rng)
            descent.zero_grad()
            torch.autograd.backward(nn.functional.cross_entropy(network(_tensor(batch)), torch.as_tensor(labels)))
            descent.step()
    network.requires_grad_(False)
    return Features(network, known.train[-REFERENCE:], _kinds(known, 500, rng)[0])


def _kinds(known: Known, n: int, rng: np.random.Generator) -> tuple[Images, Any]:
    """n images of each of the kinds, and their kind."""
    real, other, noisy, blurred = (known.train[rng.integers(len(known.train), size=n)] for _ in range(4))
    along = known.modes.to_modes(other - known.centre)
    shuffled = known.centre + known.modes.from_modes(rng.permuted(along, axis=0))
    sizes = np.exp(rng.uniform(np.log(0.02), 0.0, (2, n))).reshape(2, n, *[1] * (real.ndim - 1)) * SIGMA_DATA
    noise = rng.standard_normal((2, *real.shape)) * sizes
    smooth = scipy.ndimage.uniform_filter(blurred, (1, 2, 2, 1)[: real.ndim])
    every = [real, known.gaussian(n, rng), shuffled, noisy + noise[0], smooth, known.centre + 2 * noise[1]]
    return np.concatenate(every), np.repeat(np.arange(len(every)), n)


def _tensor(images: Images) -> Tensor:
    """Images as (n, c, h, w)."""
    with_channels = images[..., None] if images.ndim == 3 else images
    return torch.as_tensor(np.ascontiguousarray(np.moveaxis(with_channels, -1, 1)), dtype=torch.float32)
