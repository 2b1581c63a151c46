"""Your own training loop under the clock: the probe watches, the forecast says when. Half a minute on a laptop.

Any loop works; this one trains an ε-predicting network of a dozen lines on 8×8 digits.
"""

from collections.abc import Callable

import torch
from torch import nn

import eigenclock as ec

STEPS = 1200
OBJECTIVE, SAMPLER = ec.Epsilon(path="vp"), ec.Heun(steps=20)


class Small(nn.Module):
    """ε̂(x, σ): what the network sees is x/√(1+σ²) and waves of ln σ; a skip, scaled with the noise, leads past its layers."""

    def __init__(self, d: int, width: int = 128, *, skip: bool = True) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(d + 8, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, d)
        )
        self.scale = nn.Sequential(nn.Linear(8, 64), nn.SiLU(), nn.Linear(64, d)) if skip else None

    def forward(self, x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        flat, angle = x.flatten(1), sigma.log()[:, None] * torch.arange(1, 5) / 2
        waves = torch.cat([angle.sin(), angle.cos()], dim=1)
        out = self.layers(torch.cat([flat, waves], dim=1))
        return (out if self.scale is None else out + self.scale(waves) * flat).reshape(x.shape)


def watch(steps: int, say: Callable[[str], None]) -> ec.LearningCurve:
    """Train the network under a probe, and say now and then what is to come."""
    torch.manual_seed(0)
    data = ec.data.digits().standardized()
    spectrum = ec.Spectrum.from_samples(data.samples)
    levels = ec.predict_levels(spectrum, OBJECTIVE, SAMPLER)
    probe = ec.Probe(spectrum, sampler=SAMPLER, steps=ec.log_steps(1, steps, 32), n_samples=128, data=data.samples)

    network = Small(64)
    denoiser = ec.as_denoiser(network, objective=OBJECTIVE)  # ε-prediction → clean estimate
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    images = torch.tensor(data.samples, dtype=torch.float32)
    probe(0, denoiser)
    for step in range(1, steps + 1):
        x = images[torch.randint(len(images), (128,))]
        sigma = torch.empty(128).uniform_(-6.2, 4.4).exp()  # evenly in ln σ, from 0.002 to 80
        noise, s = torch.randn_like(x), sigma[:, None, None]
        loss = (network((x + s * noise) / (1 + s**2).sqrt(), sigma) - noise).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        probe(step, denoiser)  # acts at its own steps, returns at once at all others
        if step in (steps // 20, steps // 5, steps):
            say(f"step {step}: {ec.forecast(levels, probe.curve())}")
    return probe.curve()


def main(steps: int = STEPS) -> ec.Levels:
    """Train, watch, forecast, compare."""
    measured = watch(steps, print)
    levels = ec.compare_levels(measured, objective=OBJECTIVE, sampler=SAMPLER)
    print(levels)
    return levels


if __name__ == "__main__":
    main()
