"""The paper's chain against the same arithmetic written out in NumPy, and what its start and its skip path make of it."""

import numpy as np
import pytest
import torch

import eigenclock as ec


def by_hand(module, x, sigma):
    """The chain of references: blocks with a linear skip path, raw Fourier features of ln(σ)/4, then a bare linear layer."""
    weights = {name: value.detach().double().numpy() for name, value in module.state_dict().items()}
    phase = 2 * np.pi * np.log(sigma)[:, None] / 4 * weights["frequency"]
    features = np.concatenate([np.sin(phase), np.cos(phase)], axis=1)

    def linear(name, value):
        return value @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(name, value):
        centred = value - value.mean(axis=1, keepdims=True)
        scale = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
        return centred / scale * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def silu(value):
        return value / (1 + np.exp(-value))

    hidden, block = x.reshape(len(x), -1), 0
    while f"blocks.{block}.first.weight" in weights:
        name = f"blocks.{block}"
        scale, shift = np.split(linear(f"{name}.affine", features), 2, axis=1)
        inner = (
            norm(f"{name}.middle", linear(f"{name}.first", silu(norm(f"{name}.norm", hidden)))) * (1 + scale) + shift
        )
        passed = linear(f"{name}.skip", hidden) if f"{name}.skip.weight" in weights else hidden
        hidden, block = passed + linear(f"{name}.second", silu(inner)), block + 1
    return linear("outside", hidden).reshape(x.shape), block


@pytest.mark.parametrize(
    ("network", "shape"),
    [(ec.MLP(12, 4, 5), (7,)), (ec.MLP(16, 3), (4, 4)), (ec.MLP(6, 2), (2, 2, 3)), (ec.MLP(6, 1), (4,))],
)
def test_the_chain_is_the_arithmetic_that_the_authors_state(network, shape):
    module, rng = network.build(shape, seed=2), np.random.default_rng(0)
    for p in module.parameters():  # norms too away from their start
        torch.nn.init.normal_(p, std=0.5, generator=torch.Generator().manual_seed(p.numel()))
    x, sigma = rng.standard_normal((9, *shape)), np.geomspace(0.01, 50, 9)
    expected, blocks = by_hand(module, x, sigma)
    found = module.double()(torch.tensor(x), torch.tensor(sigma)).detach().numpy()
    assert blocks == max(1, network.layers - 1), "five layers are four blocks and one linear layer"
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)  # both in float64, a few thousand operations


def test_start_is_that_of_pytorch():
    """No layer starts at zero, weights are uniform within 1/√inputs (PyTorch's default), frequencies standard normal."""
    module = ec.MLP(256, 5).build((64,), seed=0)
    assert module.frequency.shape == (128,), "half the width"
    assert abs(module.frequency.mean()) < 4 / np.sqrt(128)
    assert abs(module.frequency.var() - 1) < 4 * np.sqrt(2 / 128)  # four standard errors
    for name, layer in module.named_modules():
        if isinstance(layer, torch.nn.Linear):
            bound = 1 / np.sqrt(layer.in_features)
            largest = layer.weight.abs().max().item()
            assert 0.98 * bound < largest <= bound, name  # of thousands of uniform draws
    assert isinstance(module.blocks[1].skip, torch.nn.Identity)
    assert isinstance(module.blocks[0].skip, torch.nn.Linear)
    assert isinstance(ec.MLP(64, 3).build((64,)).blocks[0].skip, torch.nn.Identity), "as wide as the data"


def test_a_linear_path_without_a_norm_leads_to_the_output():
    """Inputs grow a thousandfold: the chain's output does too; behind a norm before the output it does not."""
    x, sigma = torch.randn(16, 32, generator=torch.Generator().manual_seed(0)), torch.ones(16)
    grown = {}
    for network in (ec.MLP(64, 4), ec.NormedMLP(64, 3)):
        module = network.build((32,), seed=1)
        with torch.no_grad():
            grown[type(network)] = float(module(1e5 * x, sigma).norm() / module(1e2 * x, sigma).norm())
    assert grown[ec.MLP] == pytest.approx(1000, rel=0.1)
    assert grown[ec.NormedMLP] < 1.5
