"""Tests of `eigenclock.latents.flow`."""

import numpy as np
import pytest
import torch

import eigenclock as ec
from eigenclock.latents.flow import skip


def test_generator_file_gives_the_same_samples(rng, tmp_path):
    config = ec.FlowConfig(width=16, blocks=1, steps=5)
    model = ec.FlowGenerator((2, 2, 2), 3, config).fit(rng.standard_normal((30, 2, 2, 2)) + 4, np.arange(30) % 3)
    model.save(tmp_path / "g.safetensors")
    again = ec.FlowGenerator.load(tmp_path / "g.safetensors")
    assert np.array_equal(model.sample(6, seed=1), again.sample(6, seed=1))
    with pytest.raises(ec.InputError, match="must hold a PriorAlignedAutoencoder, got a FlowGenerator"):
        ec.PriorAlignedAutoencoder.load(tmp_path / "g.safetensors")
    for labels, message in (
        ([0, 9, 1], "labels must be 0 to 2, got 0 to 9"),
        ([0.5, 1, 2], "labels must be 3 whole numbers"),
    ):
        with pytest.raises(ec.InputError, match=message):
            model.sample(3, labels)
    with pytest.raises(ec.InputError, match=r"shape must be \(d, h, w\), got 16"):
        ec.FlowGenerator(16, 3)


@pytest.mark.parametrize("backbone", ["mlp", "dit"])
def test_generator_starts_at_unit_variance_and_learns(backbone, rng):
    """Untrained, noise stays of unit variance (Euler's bias aside); trained, it moves to each class's mean."""
    labels = rng.integers(0, 2, 400)
    z = 0.3 * rng.standard_normal((400, 2, 2, 2)) + np.where(labels, 1, -1)[:, None, None, None]
    config = ec.FlowConfig(backbone=backbone, width=32, blocks=1, steps=100, batch=64, lr=5e-3, ema=0.9)
    generator = ec.FlowGenerator((2, 2, 2), 2, config)
    noise = torch.randn(1000, 2, 2, 2, generator=torch.Generator().manual_seed(0))
    start = generator.push(noise, torch.zeros(1000, dtype=torch.int64), steps=100)
    assert float(start.var()) == pytest.approx(float(noise.var()), abs=0.03)  # Euler's bias, first order in 1/100
    generator.fit(z, labels)
    found = generator.sample(200, seed=0)
    means = [found[np.arange(200) % 2 == k].mean() for k in (0, 1)]
    assert means[0] < -0.6
    assert means[1] > 0.6
    assert generator.losses[-1] < generator.losses[0]
    assert np.array_equal(found, generator.sample(200, seed=0))


def test_velocity_of_unit_variance():
    """The analytic skip at both ends, in the middle, and at a quarter."""
    t = torch.tensor([0.0, 0.25, 0.5, 1.0])
    assert torch.allclose(skip(t), torch.tensor([-1.0, -0.8, 0.0, 1.0]))


def test_errors_of_the_generator(rng):
    generator = ec.FlowGenerator((2, 2, 2), 2, ec.FlowConfig(steps=1))
    with pytest.raises(ec.InputError, match="labels must be 0 to 1, got 0 to 2"):
        generator.fit(rng.standard_normal((4, 2, 2, 2)), [0, 1, 2, 0])
    with pytest.raises(ec.InputError, match=r"latents must have shape \(n, 2, 2, 2\), got \(4, 3, 2, 2\)"):
        generator.fit(rng.standard_normal((4, 3, 2, 2)), [0, 1, 1, 0])
    with pytest.raises(ec.InputError, match=r"ema must be a finite number >= 0 and < 1, got 1\.0"):
        ec.FlowConfig(ema=1.0)
