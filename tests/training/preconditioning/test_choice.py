"""Tests of `eigenclock.training.preconditioning.choice`."""

import warnings

import pytest
import torch

import eigenclock as ec
from eigenclock.training.loop import train
from eigenclock.training.options import LoopOptions

OPTIONS = LoopOptions(batch_size=16, device="cpu")


def network():
    return ec.MLP(8, 2, zero_output=True).build((3, 3), seed=0)


def test_it_needs_a_spectrum_with_a_basis():
    with pytest.raises(ec.InputError, match="objective must have the spectrum of the data"):
        ec.as_denoiser(network(), objective=ec.SpectralEDM())
    with pytest.raises(ec.InputError, match="must have a basis"):
        ec.as_denoiser(network(), objective=ec.SpectralEDM(ec.Spectrum([1.0])))


def test_few_samples_must_be_cross_validated(rng):
    few = ec.Spectrum.from_samples(rng.standard_normal((6, 3, 3)))
    with pytest.raises(ec.InputError, match=r"6 samples do not show 9 dimensions: spectrum\.cross_validated"):
        ec.as_denoiser(network(), objective=ec.SpectralEDM(few))
    with pytest.warns(ec.InputWarning, match="off by a factor"):
        few = few.cross_validated(folds=3)
    denoiser = ec.as_denoiser(network(), objective=ec.SpectralEDM(few))
    assert (denoiser.assumed > 0).all()


def test_floored_and_dead_directions_are_counted(rng):
    x = rng.standard_normal((200, 3, 3))
    x[:, 0] = 0.0
    x[:, 1] *= 1e-5
    with pytest.warns(ec.InputWarning, match="3 modes are floored, 3 directions have no variance"):
        denoiser = ec.as_denoiser(network(), objective=ec.SpectralEDM(ec.Spectrum.from_samples(x)))
    y = torch.randn((500, 3, 3), generator=torch.Generator().manual_seed(0))
    drawn = ec.sample(denoiser, ec.Heun(steps=8), y)
    assert drawn[:, 0].abs().max() < 1e-6


def test_networks_trained_with_another_objective_are_refused(rng):
    x = rng.standard_normal((64, 3, 3))
    trained = network()
    train(trained, x, objective=ec.EDM(), optimizer=ec.Adam(1e-3), steps=2, options=OPTIONS)
    spectral = ec.SpectralEDM(ec.Spectrum.from_samples(x))
    with pytest.raises(ec.InputError, match="network was trained with EDM, got SpectralEDM"):
        ec.as_denoiser(trained, objective=spectral)
    other = network()
    train(other, x, objective=spectral, optimizer=ec.Adam(1e-3), steps=2, options=OPTIONS)
    with pytest.raises(ec.InputError, match="network was trained with SpectralEDM, got EDM"):
        ec.as_denoiser(other, objective=ec.EDM())
    with pytest.raises(ec.InputError, match=r"input='mode'.* got .*input='scalar'"):
        ec.as_denoiser(other, objective=ec.SpectralEDM(spectral.spectrum, input="scalar"))
    assert ec.as_denoiser(other, objective=ec.SpectralEDM(spectral.spectrum, loss="mode")).start is None


@pytest.mark.parametrize("zero", [True, False])
@pytest.mark.parametrize("ema", [0.0, 0.5])
def test_what_was_trained_here_is_not_taken_for_a_start(rng, zero, ema):
    """The denoiser of a network that `train` has trained is the one that it gave back, and training goes on from there."""
    x = rng.standard_normal((200, 3, 3)).cumsum(axis=1)
    objective = ec.SpectralEDM(ec.Spectrum.from_samples(x))
    made = ec.MLP(8, 2, zero_output=zero).build((3, 3), seed=0)
    common = {
        "objective": objective,
        "optimizer": ec.Adam(1e-2),
        "options": LoopOptions(batch_size=16, ema=ema, device="cpu"),
    }
    y = torch.randn((2, 3, 3), generator=torch.Generator().manual_seed(0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ec.InputWarning)
        found = train(made, x, steps=5, **common).denoiser
        again = ec.as_denoiser(found.network, objective=objective)
        assert torch.equal(found(y, torch.tensor(0.5)), again(y, torch.tensor(0.5)))
        if not ema:
            before = found(y, torch.tensor(0.5))
            further = train(made, x, steps=1, **{**common, "optimizer": ec.Adam(1e-9)}).denoiser
            assert torch.allclose(further(y, torch.tensor(0.5)), before, atol=1e-5)


def test_runs_of_another_spectrum_do_not_go_on(rng, tmp_path):
    x = rng.standard_normal((200, 3, 3))
    common = {"objective": ec.SpectralEDM(), "optimizer": ec.Adam(1e-3), "options": OPTIONS, "folder": tmp_path}
    train(network(), x, steps=2, spectrum=ec.Spectrum.from_samples(x), **common)
    with pytest.raises(ec.InputError, match="settings differ"):
        train(network(), x, steps=4, resume=True, spectrum=ec.Spectrum.from_samples(5 * x), **common)


def test_runs_go_on_exactly_with_and_without_a_start(rng, tmp_path):
    """Stopped after four of eight steps and resumed: the same weights to the bit, and the same start."""
    x = rng.standard_normal((200, 3, 3)).cumsum(axis=1)
    for zero in (True, False):
        made = [ec.MLP(8, 2, zero_output=zero).build((3, 3), seed=0) for _ in range(3)]
        common = {"objective": ec.SpectralEDM(loss="mode"), "optimizer": ec.Adam(1e-2), "options": OPTIONS}
        folders = [tmp_path / f"{zero}_{name}" for name in ("whole", "parts")]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ec.InputWarning)
            whole = train(made[0], x, steps=8, folder=folders[0], **common)
            train(made[1], x, steps=4, folder=folders[1], **common)
            parts = train(made[2], x, steps=8, folder=folders[1], resume=True, **common)
        y = torch.randn((2, 3, 3), generator=torch.Generator().manual_seed(0))
        assert (whole.denoiser.start is None) is zero
        assert torch.equal(whole.denoiser(y, torch.tensor(0.5)), parts.denoiser(y, torch.tensor(0.5)))
        for one, other in zip(whole.denoiser.parameters(), parts.denoiser.parameters(), strict=True):
            assert torch.equal(one, other)


def test_networks_trained_with_another_spectrum_are_refused(rng):
    """Their covariances are held against each other, not their modes: the order and signs of those mean nothing."""
    x = rng.standard_normal((400, 3, 3))
    own = ec.Spectrum.from_samples(x)
    trained = network()
    train(trained, x, objective=ec.SpectralEDM(own), optimizer=ec.Adam(1e-3), steps=2, options=OPTIONS)
    for other in (ec.Spectrum.from_samples(2 * x), ec.Spectrum.from_samples(x + 1), ec.Spectrum.from_samples(x * x)):
        with pytest.raises(ec.InputError, match="network was trained with another spectrum"):
            ec.as_denoiser(trained, objective=ec.SpectralEDM(other))
    turned = ec.Spectrum.from_samples(torch.as_tensor(x).flip(0).numpy())
    assert ec.as_denoiser(trained, objective=ec.SpectralEDM(turned)).start is None


@pytest.mark.parametrize("zero", [True, False])
def test_descending_a_loss_is_training_too(rng, zero):
    """In one's own loop a network is as well known as after `train`; a loss that is only looked at changes nothing."""
    x = torch.as_tensor(rng.standard_normal((64, 3, 3)), dtype=torch.float32)
    objective = ec.SpectralEDM(ec.Spectrum.from_samples(x))
    made = ec.MLP(8, 2, zero_output=zero).build((3, 3), seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ec.InputWarning)
        ec.as_denoiser(made, objective=ec.EDM(density=ec.LogNormal())).loss(x)
        denoiser = ec.as_denoiser(made, objective=objective)
    descent = torch.optim.Adam(denoiser.parameters(), 1e-2)
    for _ in range(3):
        descent.zero_grad()
        denoiser.loss(x).backward()
        descent.step()
    again, level = ec.as_denoiser(made, objective=objective), torch.tensor(0.3)
    assert torch.equal(again(x, level), denoiser(x, level))
    with pytest.raises(ec.InputError, match="network was trained with SpectralEDM, got EDM"):
        ec.as_denoiser(made)
