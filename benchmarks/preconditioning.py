"""Spectral preconditioning: what its change of coordinates costs beside the network's own step."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

import eigenclock as ec
from .measure import Row

BATCH, PAIRS = 32, 21
DENSITY = ec.LogNormal()


def share() -> Iterator[Row]:
    """Forward, loss and gradient of one batch: seconds beyond EDM's own preconditioning, as a share of that step.

    On one thread, the fastest of 21 each, in turn: what else the machine does only ever adds.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    for basis, shape in (("fourier", (32, 32, 3)), ("dct", (32, 32, 3)), ("pca", (16, 16))):
        spectrum = ec.Spectrum.from_samples(rng.standard_normal((2000, *shape)).cumsum(axis=1), basis=basis)
        network = ec.UNet(32, (1, 2)).build(shape, seed=0)
        spectral, plain = (
            ec.as_denoiser(network, objective=one)
            for one in (ec.SpectralEDM(spectrum, density=DENSITY), ec.EDM(density=DENSITY))
        )
        clean = torch.as_tensor(rng.standard_normal((BATCH, *shape)), dtype=torch.float32)
        pairs = np.array([(_step(spectral.loss, clean), _step(plain.loss, clean)) for _ in range(PAIRS + 1)][1:])
        extra, usual = float(pairs[:, 0].min() - pairs[:, 1].min()), float(pairs[:, 1].min())
        size = "×".join(map(str, shape))
        words = f"SpectralEDM beyond EDM / a U-Net's step, {basis}, {size}, batch {BATCH}"
        yield Row(words, max(extra, 0.0), usual, "≤ 0.05", extra <= 0.05 * usual)
    torch.set_num_threads(threads)


def _step(loss: Callable[..., torch.Tensor], clean: torch.Tensor) -> float:
    begun = time.perf_counter()
    torch.autograd.backward(loss(clean, torch.Generator().manual_seed(0)))
    return time.perf_counter() - begun
