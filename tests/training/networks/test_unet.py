"""Tests of `eigenclock.training.networks.unet`."""

import torch

import eigenclock as ec


def test_convolutions_see_only_as_far_as_their_kernels():
    """Two convolutions of 3 in the block and one on either side: a pixel reaches four pixels far, no further."""
    module = ec.ConvNet(4, 1, 3).build((1, 33)).eval()
    for norm in [m for m in module.modules() if isinstance(m, torch.nn.GroupNorm)]:
        norm.forward = lambda x: x  # normalisation looks at the whole image: taken away for this test
    for p in module.parameters():
        torch.nn.init.normal_(p, std=0.3)
    x = torch.zeros(1, 1, 33, requires_grad=True)
    module(x, torch.ones(1))[0, 0, 16].backward()
    reached = x.grad[0, 0].abs() > 0
    assert reached[12:21].all()
    assert reached.sum() == 9
