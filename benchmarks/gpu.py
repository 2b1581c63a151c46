"""A GPU against this machine's CPU: that both find the same, and what loop and probe cost beside a bare loop there.

`python -m benchmarks.gpu` prints Markdown tables with the card's name, in less than eight minutes, and exits with 1 if anything
is further off than 1e-4; `--device cpu` compares the CPU with itself, `--steps 2` is short.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

import eigenclock as ec
from eigenclock.training.checkpoints import digest_of
from eigenclock.training.losses import NetworkDenoiser

AGREE = 1e-4
"""Relative difference of what a GPU and a CPU find in single precision: some hundred roundings of 6e-8 that add up in a line, and
the orders of summation that differ."""

OBJECTIVE = ec.EDM(density=ec.LogNormal())
SAMPLER = ec.Heun(steps=20)
NETWORKS: dict[str, tuple[ec.Network, int]] = {
    "chain": (ec.MLP(width=512, layers=5), 256),
    "U-Net": (ec.UNet(channels=64), 128),
    "DiT": (ec.DiT(), 128),
}
"""Networks and batch sizes."""


def samples_of(n: int) -> tuple[np.ndarray, ec.Spectrum]:
    """Natural patches and their spectrum."""
    data = ec.data.natural_patches(16, n=n).standardized()
    return data.samples, ec.Spectrum.from_samples(data.samples)


def difference(one: Any, other: Any) -> float:
    """Largest difference as a share of the largest value."""
    a, b = (np.asarray(x.detach().cpu() if isinstance(x, Tensor) else x, dtype=np.float64) for x in (one, other))
    return float(np.abs(a - b).max() / np.abs(b).max())


def agreement(device: str) -> Iterator[tuple[str, float]]:
    """What, and how far the device is from the CPU. TF32 is off: its ten bits would be what is measured."""
    samples, spectrum = samples_of(2000)
    clean = torch.as_tensor(samples[:256], dtype=torch.float32)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    for name, (network, _) in NETWORKS.items():
        nets = [network.build((16, 16), seed=0) for _ in range(2)]
        nets[1].to(device)
        assert digest_of(nets[0].state_dict()) == digest_of({k: v.cpu() for k, v in nets[1].state_dict().items()})
        here, there = (NetworkDenoiser(net, OBJECTIVE).eval() for net in nets)
        sigma = torch.full((len(clean),), 0.5, dtype=torch.float64)
        yield (
            f"loss, {name}",
            difference(there.loss_at(clean.to(device), sigma, noise.to(device)), here.loss_at(clean, sigma, noise)),
        )
        yield (
            f"samples by {SAMPLER}, {name}",
            difference(ec.sample(there, SAMPLER, noise.to(device)), ec.sample(here, SAMPLER, noise)),
        )
        curves = []
        for denoiser in (here, there):  # the probe finds the device by itself
            probe = ec.Probe(spectrum, data=samples, sampler=SAMPLER, steps=[1], n_samples=256)
            probe(0, denoiser)
            curves.append(probe.curve())
        for what in ("variance", "gain"):
            yield f"probe's {what}, {name}", difference(*(getattr(one, what).values for one in curves[::-1]))
    objective = ec.SpectralEDM(spectrum)
    here, there = (
        ec.as_denoiser(ec.UNet(channels=16).build((16, 16), seed=0).to(one), objective) for one in ("cpu", device)
    )
    yield (
        "SpectralEDM, untrained",
        difference(there(clean.to(device), torch.tensor(0.5, device=device)), here(clean, torch.tensor(0.5))),
    )
    few = samples[:500] + 1e-3 * np.random.default_rng(0).standard_normal((500, 16, 16))
    copies = [ec.memorization(few, samples, samples[1000:], device=one).excess for one in ("cpu", device)]
    assert copies[0] is not None
    assert copies[1] is not None
    yield "excess of copies", abs(copies[1].value - copies[0].value)


def bare(network: Any, samples: Tensor, steps: int, batch: int, *, half: bool) -> None:
    """What one writes by hand on a device."""
    network = network.to(samples.device)
    optimizer = torch.optim.Adam(network.parameters(), 1e-4, fused=True)
    shape = (batch, *[1] * (samples.ndim - 1))
    for _ in range(steps):
        x = samples[torch.randint(len(samples), (batch,), device=samples.device)]
        sigma = (torch.randn(batch, device=samples.device) * 1.2 - 1.2).exp()
        s = sigma.reshape(shape)
        skip, out, scale = 0.25 / (s**2 + 0.25), s * 0.5 / (s**2 + 0.25).sqrt(), (s**2 + 0.25).rsqrt()
        y = x + s * torch.randn_like(x)
        with torch.autocast(samples.device.type, torch.bfloat16, enabled=half):
            answer = network(scale * y, sigma)
        loss = ((s**2 + 0.25) / (s * 0.5) ** 2 * (skip * y + out * answer - x).square()).sum() / batch
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


def seconds(call: Callable[[], object], device: str) -> float:
    """Wall time of a call, all of its kernels."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    begun = time.perf_counter()
    call()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def costs(device: str, steps: int) -> Iterator[tuple[str, str, float, float, float]]:
    """Network, precision, seconds of a bare step, our loop's over it, a probed step's over it."""
    samples, spectrum = samples_of(10_000)
    on_device = torch.as_tensor(samples, dtype=torch.float32, device=device)
    for name, (network, batch) in NETWORKS.items():
        for precision in ("float32", "bfloat16"):
            options = ec.LoopOptions(batch_size=batch, device=device, precision=precision)  # type: ignore[arg-type]

            def ours(
                steps: int, network: ec.Network = network, options: ec.LoopOptions = options, probe: Any = None
            ) -> ec.Trained:
                return ec.train(network.build((16, 16)), samples, objective=OBJECTIVE, optimizer=ec.Adam(1e-4), steps=steps,
                                options=options, probe=probe)  # fmt: skip

            half = precision == "bfloat16"
            for warm in (3, steps):
                by_hand = (
                    seconds(
                        lambda n=warm, b=batch, h=half, w=network: bare(w.build((16, 16)), on_device, n, b, half=h),
                        device,
                    )
                    / warm
                )  # type: ignore[misc]
                by_us = seconds(lambda n=warm, run=ours: run(n), device) / warm  # type: ignore[misc]
            probe = ec.Probe(
                spectrum, data=samples, sampler=SAMPLER, steps=[steps // 2, steps], n_samples=64, batch_size=batch
            )
            looked = ours(steps, probe=probe).probe_seconds / 3
            yield name, precision, by_hand, by_us / by_hand, looked / by_hand


def main() -> None:
    """Both tables; exit code 1 where the device does not agree."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--steps", type=int, default=200)
    given = parser.parse_args()
    if given.device.startswith("cuda") and not torch.cuda.is_available():
        sys.exit("benchmarks.gpu: no CUDA device here; --device cpu compares the CPU with itself")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    card = torch.cuda.get_device_name() if given.device.startswith("cuda") else "this CPU"
    print(f"{card}, PyTorch {torch.__version__}\n\n| what | difference from the CPU |\n|---|---:|", flush=True)
    worst = 0.0
    for what, off in agreement(given.device):
        worst = max(worst, off)
        print(f"| {what} | {off:.1e} |", flush=True)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    print(
        "\n| network | precision | ms of a bare step | our loop / bare | a probed step / bare |\n|---|---|---:|---:|---:|"
    )
    for name, precision, by_hand, loop, looked in costs(given.device, given.steps):
        print(f"| {name} | {precision} | {1000 * by_hand:.2f} | {loop:.2f} | {looked:.1f} |", flush=True)
    sys.exit(0 if worst <= AGREE else 1)


if __name__ == "__main__":
    main()
