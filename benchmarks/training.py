"""Training: the loop against a bare hand-written one, the probe's share, memory of a long run, and when compiling pays."""

import time
from collections.abc import Iterator

import numpy as np
import psutil
import torch
from torch import nn

import eigenclock as ec
from .measure import Row

OBJECTIVE = ec.EDM(density=ec.LogNormal())
STEPS, PAIRS = 150, 5


def bare(network: nn.Module, samples: torch.Tensor, steps: int, batch: int) -> None:
    """What one writes by hand: shuffled batches, EDM's loss, fused Adam."""
    optimizer = torch.optim.Adam(network.parameters(), 1e-4, fused=True)
    order, at = torch.randperm(len(samples)), 0
    for _ in range(steps):
        if at + batch > len(samples):
            order, at = torch.randperm(len(samples)), 0
        x = samples[order[at : at + batch]]
        at += batch
        sigma = (torch.randn(batch) * 1.2 - 1.2).exp()
        s = sigma.reshape(-1, *[1] * (x.ndim - 1))
        skip, out, scale = 0.25 / (s**2 + 0.25), s * 0.5 / (s**2 + 0.25).sqrt(), (s**2 + 0.25).rsqrt()
        y = x + s * torch.randn_like(x)
        denoised = skip * y + out * network(scale * y, sigma)
        loss = ((s**2 + 0.25) / (s * 0.5) ** 2 * (denoised - x).square()).sum() / batch
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if not torch.isfinite(loss):
            raise FloatingPointError


def ours(network: nn.Module, samples: np.ndarray, steps: int, batch: int, **more: object) -> ec.Trained:
    """The same by the loop."""
    options = ec.LoopOptions(batch_size=batch, device="cpu", **more)  # type: ignore[arg-type]
    return ec.train(network, samples, objective=OBJECTIVE, optimizer=ec.Adam(1e-4), steps=steps, options=options)


def throughput() -> Iterator[Row]:
    """Seconds per step, both loops in turn, so that what else the machine does hits both."""
    samples = ec.data.natural_patches(16, n=4000).standardized().samples
    tensor = torch.as_tensor(samples, dtype=torch.float32)
    for what, network, batch, steps, least in (
        ("MLP(256, 5)", ec.MLP(256, 5), 256, STEPS, 0.97),
        ("ConvNet(16, 2)", ec.ConvNet(16, 2), 32, STEPS // 3, 0.9),
    ):
        mine, hand = [], []
        for i in range(PAIRS + 1):
            first, second = network.build((16, 16)), network.build((16, 16)).to(memory_format=torch.channels_last)
            begun = time.perf_counter()
            ours(first, samples, steps, batch)
            middle = time.perf_counter()
            bare(second, tensor, steps, batch)
            if i:  # the first pair warms up
                mine.append((middle - begun) / steps)
                hand.append((time.perf_counter() - middle) / steps)
        ratio = float(np.median(np.array(hand) / np.array(mine)))
        by_hand, by_us = float(np.median(hand)), float(np.median(mine))
        yield Row(f"bare loop / our loop, {what}, seconds per step", by_hand, by_us, f"≥ {least}", ratio >= least)


def probe_share() -> Iterator[Row]:
    """The probe of a run with every default, as a share of its training time."""
    from eigenclock.jobs.config import RunConfig
    from eigenclock.jobs.run_job import make_probe

    data = ec.data.natural_patches(16).standardized()
    spectrum = ec.Spectrum.from_samples(data.samples)
    config = RunConfig(data="natural16", out="unused", steps=600)
    whole = RunConfig(data="natural16", out="unused")
    probe = make_probe(config, data, spectrum, "cpu")
    network = config.network.build((16, 16))
    trained = ec.train(network, data.samples, objective=OBJECTIVE, optimizer=config.optimizer, steps=600, probe=probe,
                       options=ec.LoopOptions(batch_size=config.training.batch_size, device="cpu"))  # fmt: skip
    per_probe = trained.probe_seconds / len(probe.curve().time)
    per_step = (trained.seconds - trained.probe_seconds) / 600
    share = per_probe * (whole.probe.count + 1) / (per_step * whole.steps)
    yield Row("probe / training, all defaults", share, 1.0, "≤ 0.1", share <= 0.1)


def memory() -> Iterator[Row]:
    """Resident memory of a run of 50,000 steps: growth after its first tenth, in GiB."""
    samples = np.random.default_rng(0).standard_normal((500, 4))
    network, sizes = ec.MLP(8, 3).build((4,)), []

    def look(step: int, steps: int, words: str) -> None:
        if step in (5000, 50_000):
            sizes.append(psutil.Process().memory_info().rss)

    ec.train(network, samples, objective=OBJECTIVE, optimizer=ec.Adam(1e-4), steps=50_000, progress=look,
             options=ec.LoopOptions(batch_size=8, device="cpu"))  # fmt: skip
    grown = (sizes[1] - sizes[0]) / 2**30
    yield Row("memory grown from step 5,000 to 50,000 in GiB / 0.02 GiB", max(grown, 0.0), 0.02, "≤ 1", grown <= 0.02)


def compiling() -> Iterator[Row]:
    """A step of a convolutional network, compiled against eager; and after how many steps the compilation has paid."""
    samples = ec.data.natural_patches(16, n=2000).standardized().samples
    network = ec.ConvNet(32, 2)

    def line(**more: object) -> tuple[float, float]:
        """Seconds per step, from runs of two lengths, and seconds that only the first run spends: later ones find its cache."""
        first, short, long = (
            ours(network.build((16, 16)), samples, steps, 128, **more).seconds for steps in (10, 10, 70)
        )
        per_step = (long - short) / 60
        return per_step, first - 10 * per_step

    line()  # warms up
    (eager, _), (compiled, first) = line(), line(compile=True)
    yield Row("ConvNet(32, 2), batch 128: compiled / eager step", compiled, eager, "", True)
    pays = first / (eager - compiled) if eager > compiled else float("inf")
    yield Row("seconds to compile it / seconds saved by a step: steps until it pays", pays, 1.0, "", True)
