"""Tests of `eigenclock.training.preconditioning.start`."""

import pytest
import torch
from torch import nn

import eigenclock as ec
from eigenclock.training.preconditioning.start import frozen, starts_at_zero


class Images(nn.Module):
    """A convolution of images (n, c, h, w), with a mode that must come back."""

    def __init__(self, weight):
        super().__init__()
        self.inner, self.drop = nn.Conv2d(1, 1, 3, padding=1, bias=False), nn.Dropout(0.9)
        nn.init.constant_(self.inner.weight, weight)

    def forward(self, x, sigma):
        return self.drop(self.inner(x))


@pytest.mark.parametrize(("weight", "zero"), [(0.0, True), (0.1, False)])
def test_images_are_tried_with_channels_first(weight, zero):
    network = Images(weight)
    assert starts_at_zero(network, (4, 4)) is zero
    assert starts_at_zero(network, (4, 4, 1)) is zero
    assert network.drop.training


def test_what_takes_something_else_is_not_known():
    assert starts_at_zero(Images(0.0), (16,)) is None


def test_frozen_copies_do_not_change():
    network = Images(0.1)
    copied = frozen(network)
    nn.init.zeros_(network.inner.weight)
    assert copied(torch.ones(1, 1, 4, 4), torch.ones(1)).abs().max() > 0.5
    with pytest.raises(ec.InputError, match="network must be a torch module"):
        frozen(nn.Identity())
