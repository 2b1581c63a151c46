"""Latent spaces: training against the plain PyTorch loop, predicted clocks against descent, memory of many samples."""

import resource
from collections.abc import Iterator

import numpy as np
import torch

from eigenclock import ModelConfig, ScoreLatentDiffusion
from eigenclock.latents.bottleneck import mlp_autoencoder
from eigenclock.theory.flow_clocks import linear_mode_variance
from .measure import Row, seconds

STEPS, DIMENSION = 400, 64
DESCENT, TIMES = 2_000, 50


def throughput() -> Iterator[Row]:
    """The first stage with its clocks, checkpoints off, against a loop that only trains the same networks."""
    x = np.random.default_rng(0).standard_normal((2_000, 8)) @ np.eye(8, DIMENSION)
    config = ModelConfig(k=8, d=9, sigma1=0.1, stage1_steps=STEPS, stage2_steps=1, n_evals=10)
    data = torch.as_tensor(x, dtype=torch.float32)

    def bare() -> None:
        network = mlp_autoencoder(DIMENSION, config.width, 9, variational=False)
        optimizer = torch.optim.Adam(network.parameters(), 1e-3, fused=True)
        for _ in range(STEPS):
            clean = data[torch.randint(len(data), (config.batch,))]
            loss = (network.denoise(clean + 0.1 * torch.randn_like(clean)) - clean).square().sum() / len(clean)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    ours, peer = seconds(lambda: ScoreLatentDiffusion(config).fit(x), 3), seconds(bare, 3)
    yield Row(
        f"score latent diffusion, {STEPS} steps with its clocks, against the bare loop",
        ours,
        peer,
        "<= 3",
        ours <= 3 * peer,
    )


def against_descent() -> Iterator[Row]:
    """Mode variances of a linear generator in closed form against descent of its gains at every time."""
    lam, times = np.geomspace(1e-3, 30, 128), np.geomspace(1, DESCENT, TIMES)
    t = (np.arange(400) + 0.5) / 400
    c = lam[:, None] * t**2 + (1 - t) ** 2
    moment = lam[:, None] * t - (1 - t)

    def descent() -> object:
        gain = np.broadcast_to((2 * t - 1) / (t**2 + (1 - t) ** 2), c.shape).copy()
        kept = []
        for step in range(DESCENT + 1):
            if step in stops:
                kept.append(np.exp(2 * gain.mean(axis=1)))
            gain -= 2e-3 * (c * gain - moment)
        return kept

    stops = set(np.round(times).astype(int).tolist())
    ours = seconds(lambda: linear_mode_variance(lam, times, 1e-3, "uniform"), 3)
    peer = seconds(descent, 1)
    yield Row(f"clocks of 128 latent modes at {TIMES} times against descent", ours, peer, "<= 0.5", ours <= 0.5 * peer)


def memory() -> Iterator[Row]:
    """Growth of memory while many samples are encoded against the hidden layers that one pass would hold."""
    x = np.random.default_rng(0).standard_normal((2_000, 8)) @ np.eye(8, DIMENSION)
    model = ScoreLatentDiffusion(
        ModelConfig(k=8, d=9, sigma1=0.1, stage1_steps=2, stage2_steps=1, n_evals=2, width=1024)
    ).fit(x)
    many = np.tile(x, (100, 1))
    model.encode(many[:20_000])  # libraries and their scratch space
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model.encode(many)
    used = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20
    whole = len(many) * 1024 * 4 * 2 / 2**30
    yield Row("memory to encode 200,000 samples against its hidden layers", used, whole, "<= 0.5", used <= 0.5 * whole)
