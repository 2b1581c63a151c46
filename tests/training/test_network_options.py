"""Networks: shapes, starts, seeds, errors; and linear ones against the theory they embody."""

from dataclasses import replace

import pytest
import torch

import eigenclock as ec

IMAGES = [
    (ec.MLP(16, 3), (5,)),
    (ec.MLP(16, 4, 3), (8, 8, 3)),
    (ec.MLP(64, 2, zero_output=True), (8, 8)),
    (ec.NormedMLP(16, 3), (5,)),
    (ec.NormedMLP(16, 4), (8, 8, 3)),
    (ec.NormedMLP(16, 1), (8, 8)),
    (ec.FeedForward(16, 3), (8, 8)),
    (ec.FeedForward(16, 1, 4, "silu"), (5,)),
    (ec.UNet(8, (1, 2), 1, (4,)), (8, 8)),
    (ec.UNet(8, (1, 2, 2), 2, (8,)), (8, 8, 3)),
    (ec.ConvNet(8, 2), (8, 8)),
    (ec.ConvNet(8, 1, 5), (8, 6, 3)),
    (ec.DiT(4, 16, 2, 2), (8, 8)),
    (ec.DiT(2, 16, 1, 2), (8, 4, 3)),
]


@pytest.mark.parametrize(("network", "shape"), IMAGES, ids=str)
def test_shape_seed_and_gradients(network, shape):
    module, again, other = (network.build(shape, seed=s) for s in (3, 3, 4))
    x, sigma = torch.randn(6, *shape), torch.linspace(0.1, 10, 6)
    out = module(x, sigma)
    assert out.shape == x.shape
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), again.parameters(), strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(module.parameters(), other.parameters(), strict=True))
    # a step of descent moves the zero-initialised layers, after which every parameter is reached
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (module(x, sigma) - x).square().mean().backward()
        optimizer.step()
    idle = [name for name, p in module.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert idle == []
    assert not torch.equal(module(x, sigma), module(x, 5 * sigma)), "the noise level matters"


@pytest.mark.parametrize(("network", "shape"), IMAGES, ids=str)
def test_samples_of_a_batch_do_not_see_each_other(network, shape):
    module = network.build(shape).eval()
    for p in module.parameters():
        torch.nn.init.normal_(p, std=0.2, generator=torch.Generator().manual_seed(1))
    x, sigma = torch.randn(4, *shape), torch.tensor([0.1, 1.0, 2.0, 5.0])
    whole = module(x, sigma)
    alone = torch.cat([module(x[i : i + 1], sigma[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(whole, alone, rtol=1e-4, atol=1e-4)  # 32 bits, other order of sums


def test_building_leaves_the_global_stream_alone():
    torch.manual_seed(0)
    expected = torch.randn(3)
    torch.manual_seed(0)
    ec.MLP(8, 2).build((4,), seed=5)
    assert torch.equal(torch.randn(3), expected)


@pytest.mark.parametrize(
    "network", [ec.UNet(8), ec.ConvNet(8, 1), ec.DiT(4, 16, 1, 2), ec.MLP(8, 3, zero_output=True)], ids=str
)
def test_networks_that_start_at_zero(network):
    module = network.build((8, 8), seed=1)
    assert not module(torch.randn(3, 8, 8), torch.tensor([0.1, 1.0, 10.0])).any()


ERRORS = {
    "vectors for a U-Net": (lambda: ec.UNet().build((16,)), "UNet needs images (h, w) or (h, w, channels), got samples of shape (16,): use MLP or Linear"),
    "channels first": (lambda: ec.UNet().build((3, 16, 16)), "images must have their channels last, (h, w, channels), got samples of shape (3, 16, 16)"),
    "size and factor": (lambda: ec.UNet(8, (1, 2, 2)).build((10, 10)), "image size must be divisible by 4 for 3 resolutions, got 10×10: use fewer multipliers or another image_size"),
    "patch": (lambda: ec.DiT(5).build((16, 16)), "image size must be divisible by patch = 5, got 16×16"),
    "heads": (lambda: ec.DiT(4, 100, 2, 3), "heads must divide width = 100, got 3"),
    "kernel": (lambda: ec.ConvNet(8, 1, 4), "kernel must be odd, got 4"),
    "no multipliers": (lambda: ec.UNet(8, ()), "multipliers must name at least one resolution, got none"),
    "no spectrum": (lambda: ec.Linear().build((4,)), "Linear needs the spectrum of the data: build(shape, spectrum=spectrum)"),
    "width": (lambda: ec.MLP(0), "width must be a whole number >= 1, got 0"),
    "layers": (lambda: ec.MLP(8, 0), "layers must be a whole number >= 1, got 0"),
    "frequencies": (lambda: ec.MLP(8, 2, 0), "frequencies must be a whole number >= 1, got 0"),
    "blocks": (lambda: ec.NormedMLP(8, 0), "blocks must be a whole number >= 1, got 0"),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    make, message = ERRORS[case]
    with pytest.raises(ec.InputError) as error:
        make()
    assert str(error.value) == message


def test_options_are_values():
    assert replace(ec.MLP(), width=32) == ec.MLP(32)
    assert str(ec.UNet()) == "UNet(channels=32, multipliers=(1, 2), blocks=1, attention=(), embedding=64)"
