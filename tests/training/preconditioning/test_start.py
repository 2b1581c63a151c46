"""Tests of `eigenclock.training.preconditioning.start`."""

import copy
import warnings

import pytest
import torch
from support.few_networks import Own, Zero, images
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


def test_a_network_that_does_not_start_at_zero_is_made_to(rng):
    spectrum = ec.Spectrum.from_samples(images(rng, 4, 4))
    with pytest.warns(ec.InputWarning, match="does not start at zero"):
        denoiser = ec.as_denoiser(Own(), objective=ec.SpectralEDM(spectrum))
    zero = ec.as_denoiser(Zero(), objective=ec.SpectralEDM(spectrum))
    y = torch.randn((3, 4, 4), generator=torch.Generator().manual_seed(0))
    assert torch.allclose(denoiser(y, torch.tensor(0.3)), zero(y, torch.tensor(0.3)), atol=1e-6)
    assert {"start.network.a", "start.network.b"} <= set(denoiser.state_dict())
    assert not any(p.requires_grad for p in denoiser.start.parameters())


def test_a_network_that_needs_labels_has_its_start_kept(rng):
    """Without labels it cannot be called, so that it is not known whether it starts at zero."""

    class Labelled(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Own()

        def forward(self, x, sigma, condition):
            return self.inner(x, sigma, condition)

    spectrum = ec.Spectrum.from_samples(images(rng, 4, 4))
    with pytest.warns(ec.InputWarning, match=r"needs more than \(x, sigma\)"):
        denoiser = ec.as_denoiser(Labelled(), objective=ec.SpectralEDM(spectrum))
    clean, labels = torch.as_tensor(images(rng, 4, 4, n=4), dtype=torch.float32), torch.ones(4)
    zero = ec.as_denoiser(Zero(), objective=ec.SpectralEDM(spectrum))
    expected = zero(clean, torch.tensor(1.0))
    assert torch.allclose(denoiser(clean, torch.tensor(1.0), condition=labels), expected, atol=1e-5)
    averaged = copy.deepcopy(denoiser)
    with torch.no_grad():
        for one in (denoiser, averaged):
            one.network.network.inner.a += 0.4
    assert torch.equal(
        denoiser(clean, torch.tensor(1.0), condition=labels), averaged(clean, torch.tensor(1.0), condition=labels)
    )


def test_functions_must_start_at_zero(rng):
    spectrum, inner = ec.Spectrum.from_samples(images(rng, 4, 4)), Own()
    with pytest.raises(ec.InputError, match="network must be a torch module, or start at zero"):
        ec.as_denoiser(lambda x, sigma: inner(x, sigma), objective=ec.SpectralEDM(spectrum))
    ec.as_denoiser(lambda x, sigma: inner(x, sigma), objective=ec.SpectralEDM(spectrum), trained=True)
    ec.as_denoiser(lambda x, sigma: 0 * x, objective=ec.SpectralEDM(spectrum))


def test_states_of_a_parent_are_loaded_with_their_start(rng):
    """As trainers load a whole model: a start where the state has one, none where it has none."""
    objective = ec.SpectralEDM(ec.Spectrum.from_samples(images(rng, 4, 4)))
    y = torch.randn((3, 4, 4), generator=torch.Generator().manual_seed(0))
    with pytest.warns(ec.InputWarning, match="does not start at zero"):
        started = nn.ModuleDict({"d": ec.as_denoiser(Own(), objective=objective)})
    plain = nn.ModuleDict({"d": ec.as_denoiser(Own(bias=2.0), objective=objective, trained=True)})
    for one, other in ((started, copy.deepcopy(plain)), (plain, copy.deepcopy(started))):
        other.load_state_dict(one.state_dict())
        assert torch.equal(one["d"](y, torch.tensor(0.3)), other["d"](y, torch.tensor(0.3)))


def test_the_start_stays_frozen_in_training(rng):
    class Dropped(Own):
        def __init__(self):
            super().__init__()
            self.drop = nn.Dropout(0.5)

        def forward(self, x, sigma, condition=None):
            return self.drop(super().forward(x, sigma))

    with pytest.warns(ec.InputWarning, match="does not start at zero"):
        denoiser = ec.as_denoiser(Dropped(), objective=ec.SpectralEDM(ec.Spectrum.from_samples(images(rng, 4, 4))))
    denoiser.train()
    assert denoiser.network.training
    assert not any(module.training for module in denoiser.start.modules())


@pytest.mark.parametrize(("size", "zero"), [(0.0, True), (1.0, False)])
def test_optional_labels_are_tried_too(rng, size, zero):
    class Labelled(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.shift = nn.Parameter(torch.zeros(())), nn.Embedding(3, 16)
            nn.init.constant_(self.shift.weight, size)

        def forward(self, x, sigma, condition=None):
            out = self.weight * x
            return out if condition is None else out + self.shift(condition).reshape(x.shape)

    spectrum = ec.Spectrum.from_samples(images(rng, 4, 4))
    assert starts_at_zero(Labelled(), (4, 4)) is zero
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ec.InputWarning)
        denoiser = ec.as_denoiser(Labelled(), objective=ec.SpectralEDM(spectrum))
    y, labels = torch.randn((3, 4, 4), generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2])
    plain = ec.as_denoiser(Zero(), objective=ec.SpectralEDM(spectrum))
    assert torch.allclose(denoiser(y, torch.tensor(0.5), condition=labels), plain(y, torch.tensor(0.5)), atol=1e-6)


def test_what_is_optional_and_no_label_is_not_known():
    class Other(Zero):
        def forward(self, x, sigma, text=None):
            return super().forward(x, sigma) if text is None else self.weight * text.embedding

    assert starts_at_zero(Other(), (4, 4)) is None
