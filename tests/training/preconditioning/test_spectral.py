"""Tests of `eigenclock.training.preconditioning.spectral`: formulas of T19 by NumPy, and what generated samples have."""

import copy
import io
import itertools

import numpy as np
import pytest
import torch
from support.few_networks import Own, Zero, images
from torch import nn

import eigenclock as ec


def dense(spectrum, function):
    """Matrix function of a spectrum's covariance."""
    modes = spectrum.basis.from_modes(np.eye(spectrum.n_modes)).reshape(spectrum.n_modes, -1)
    return (modes.T * function(spectrum.variance)) @ modes


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 2)])
@pytest.mark.parametrize("basis", ["pca", "dct", "fourier"])
@pytest.mark.parametrize(
    "choice", [("mode", "mode"), ("mode", "sample"), ("scalar", "mode"), ("scalar", "sample")], ids=str
)
def test_denoiser_and_loss_are_the_formulas_of_t19(rng, shape, basis, choice):
    """Dense matrices in double precision: D, and the loss of F against its target."""
    x = images(rng, *shape, n=400)
    spectrum = ec.Spectrum.from_samples(x, basis=basis)
    objective = ec.SpectralEDM(spectrum, input=choice[0], loss=choice[1])
    network = Own().double()
    denoiser = ec.as_denoiser(network, objective=objective, trained=True)
    clean, noise = x[:5], rng.standard_normal((5, *shape))
    sigma = np.array([0.01, 0.1, 0.5, 2.0, 30.0])
    loss = denoiser.loss_at(*(torch.as_tensor(one) for one in (clean, sigma, noise))).item()
    total, d = 0.0, int(np.prod(shape))
    for i, level in enumerate(sigma):
        skip = dense(spectrum, lambda s, v=level: s / (s + v**2))
        out = dense(spectrum, lambda s, v=level: v * np.sqrt(s / (s + v**2)))
        mean = (spectrum.variance.sum()) / d
        scale = (
            dense(spectrum, lambda s, v=level: (s + v**2) ** -0.5)
            if choice[0] == "mode"
            else np.eye(d) / np.sqrt(mean + level**2)
        )
        centred = (clean[i] - spectrum.mean).ravel()
        noisy = centred + level * noise[i].ravel()
        seen = torch.as_tensor((scale @ noisy).reshape(1, *shape))
        raw = network(seen, torch.tensor([level])).detach().numpy().ravel()
        found = (
            denoiser(torch.as_tensor((noisy.reshape(shape) + spectrum.mean)[None]), torch.tensor(level))
            .detach()
            .numpy()
        )
        assert np.allclose(found.ravel(), spectrum.mean.ravel() + skip @ noisy + out @ raw, atol=1e-9)
        target = np.linalg.solve(out, centred - skip @ noisy)
        error = raw - target
        weight = np.eye(d) if choice[1] == "mode" else (1 + (level / 0.5) ** 2) * skip
        total += error @ weight @ error
    assert loss == pytest.approx(total / len(sigma), rel=1e-6)


@pytest.mark.parametrize("shape", [(6, 6), (5, 5, 3)])
@pytest.mark.parametrize("basis", ["pca", "dct", "fourier"])
def test_zero_network_generates_mean_and_covariance(rng, shape, basis):
    """By the sampler in θ from 20,000 draws: every entry of the covariance that the basis knows, within four standard errors.

    That is all of it for principal components; of waves the covariance that is stationary (mirrored, for cosines), lagged
    cross-covariances between channels among it.
    """
    n = 20_000
    spectrum = ec.Spectrum.from_samples(images(rng, *shape), basis=basis)
    denoiser = ec.as_denoiser(Zero(), objective=ec.SpectralEDM(spectrum))
    noise = torch.randn((n, *shape), generator=torch.Generator().manual_seed(1))
    drawn = ec.sample(denoiser, ec.Angular(steps=8, spectrum=spectrum), noise).double().numpy().reshape(n, -1)
    expected = spectrum.covariance()
    spread = np.sqrt(np.diag(expected))
    assert (np.abs(drawn.mean(axis=0) - spectrum.mean.ravel()) <= 4.5 * spread / np.sqrt(n)).all()
    error = np.sqrt((np.outer(spread, spread) ** 2 + expected**2) / n)
    worst = np.abs(np.cov(drawn.T) - expected) / error
    assert worst.max() < 5.5  # the largest of 5,625 at most: four for one, 5.5 for the largest in 20 runs
    assert np.mean(worst > 4) < 1e-3


@pytest.mark.parametrize("basis", ["pca", "fourier"])
def test_heun_generates_its_own_product_of_gains(rng, basis):
    spectrum = ec.Spectrum.from_samples(images(rng, 5, 5), basis=basis)
    sampler, n = ec.Heun(steps=12), 20_000
    expected = ec.predict(
        spectrum, objective=ec.SpectralEDM(), architecture=ec.OneLayer(0.0), sampler=sampler, time=[0.0]
    ).variance.values[0]
    denoiser = ec.as_denoiser(Zero(), objective=ec.SpectralEDM(spectrum))
    noise = torch.randn((n, 5, 5), generator=torch.Generator().manual_seed(2))
    along = spectrum.to_modes(ec.sample(denoiser, sampler, noise).double().numpy())
    assert np.abs(along.var(axis=0) / expected - 1).max() < 4 * np.sqrt(2 / n)


def test_lagged_cross_covariances_of_colour_are_the_datas(rng):
    """Stationary colours, red ahead of green by one pixel: generated lags have it too, and its direction."""
    x = rng.standard_normal((20_000, 6, 6, 2))
    x[..., 1] = 0.6 * x[..., 1] + 0.8 * np.roll(x[..., 0], 1, axis=2)
    spectrum = ec.Spectrum.from_samples(x, basis="fourier")
    noise = torch.randn((20_000, 6, 6, 2), generator=torch.Generator().manual_seed(3))
    denoiser = ec.as_denoiser(Zero(), objective=ec.SpectralEDM(spectrum))
    drawn = ec.sample(denoiser, ec.Angular(steps=6, spectrum=spectrum), noise).double().numpy()

    def lag(images, by):
        return (images[..., 0] * np.roll(images[..., 1], -by, axis=2)).mean(axis=(1, 2))

    for by in (-1, 0, 1, 2):
        ours, theirs = lag(drawn, by), lag(x, by)
        error = np.hypot(ours.std(), theirs.std()) / np.sqrt(20_000)
        assert abs(ours.mean() - theirs.mean()) < 4 * error
    assert lag(drawn, 1).mean() == pytest.approx(0.8, abs=0.03)
    assert abs(lag(drawn, -1).mean()) < 0.03


def test_state_dict_is_complete(rng):
    """Weights, start and spectrum come back in a denoiser of another spectrum and start."""
    x = images(rng, 4, 4)
    with pytest.warns(ec.InputWarning, match="does not start at zero"):
        one, other = (
            ec.as_denoiser(Own(bias=bias), objective=ec.SpectralEDM(ec.Spectrum.from_samples(bias * x + bias)))
            for bias in (0.3, 2.0)
        )
    with torch.no_grad():
        one.network.network.a += 0.5
    stored = io.BytesIO()
    torch.save(one.state_dict(), stored)
    stored.seek(0)
    other.load_state_dict(torch.load(stored, weights_only=True))
    y = torch.randn((3, 4, 4), generator=torch.Generator().manual_seed(0))
    assert torch.equal(one(y, torch.tensor(0.3)), other(y, torch.tensor(0.3)))


def test_states_of_another_objective_are_refused(rng):
    spectrum = ec.Spectrum.from_samples(images(rng, 4, 4))
    one = ec.as_denoiser(Zero(), objective=ec.SpectralEDM(spectrum))
    with pytest.raises(ec.InputError, match="state_dict must be of this network under SpectralEDM"):
        one.load_state_dict(ec.as_denoiser(Zero(), objective=ec.EDM()).state_dict())
    with pytest.raises(ec.InputError, match="state_dict must be of a network trained with"):
        one.load_state_dict(ec.as_denoiser(Zero(), objective=ec.SpectralEDM(spectrum, input="scalar")).state_dict())


def test_images_with_channels_first_are_the_same_images(rng):
    """NCHW in, NCHW out; a network that wants them so is found out to start at zero too."""
    x = images(rng, 4, 4, 2, n=500)
    spectrum = ec.Spectrum.from_samples(x, basis="dct")
    convolution = nn.Conv2d(2, 2, 3, padding=1)
    nn.init.zeros_(convolution.weight)
    nn.init.zeros_(convolution.bias)

    class Convolution(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = convolution

        def forward(self, x, sigma):
            return self.inner(x)

    denoiser = ec.as_denoiser(Convolution(), objective=ec.SpectralEDM(spectrum))
    assert denoiser.start is None
    nn.init.normal_(convolution.weight, std=0.3, generator=torch.Generator().manual_seed(0))
    last = ec.as_denoiser(Convolution(), objective=ec.SpectralEDM(spectrum), channels_first=True, trained=True)
    y = torch.as_tensor(x[:6], dtype=torch.float32)
    found = denoiser(y.permute(0, 3, 1, 2), torch.tensor(0.4))
    assert torch.allclose(found.permute(0, 2, 3, 1), last(y, torch.tensor(0.4)), atol=1e-5)
    sigma, noise = torch.full((6,), 0.4), torch.randn_like(y)
    one = denoiser.loss_at(y.permute(0, 3, 1, 2), sigma, noise.permute(0, 3, 1, 2))
    assert one.item() == pytest.approx(last.loss_at(y, sigma, noise).item(), rel=1e-5)


def test_class_labels_reach_the_network_by_the_name_of_condition(rng):
    spectrum = ec.Spectrum.from_samples(images(rng, 4, 4))
    denoiser = ec.as_denoiser(Own(), objective=ec.SpectralEDM(spectrum), trained=True)
    clean, labels = torch.as_tensor(images(rng, 4, 4, n=4), dtype=torch.float32), torch.tensor([0.0, 1.0, 2.0, 3.0])
    losses = [
        denoiser.loss(clean, torch.Generator().manual_seed(0), condition=one).item() for one in (labels, labels.flip(0))
    ]
    assert losses[0] != losses[1]
    parts = denoiser(clean, torch.tensor(0.5), condition=labels)
    for i in range(4):
        alone = denoiser(clean[i : i + 1], torch.tensor(0.5), condition=labels[i : i + 1])
        assert torch.allclose(parts[i], alone[0], atol=1e-5)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_lose_nothing_but_the_networks(rng, kind):
    """Networks of another precision, float32 samples: variances and modes stay in single precision at least."""
    x = torch.as_tensor(images(rng, 4, 4, n=200) * 0.01, dtype=torch.float32)
    spectrum = ec.Spectrum.from_samples(x.numpy())
    single = ec.as_denoiser(Own(bias=0.0), objective=ec.SpectralEDM(spectrum), trained=True)
    other = ec.as_denoiser(Own(bias=0.0).to(kind), objective=ec.SpectralEDM(spectrum), trained=True)
    moved = copy.deepcopy(single).to(kind)
    sigma, noise = torch.full((8,), 0.05), torch.randn((8, 4, 4), generator=torch.Generator().manual_seed(0))
    expected = single.loss_at(x[:8], sigma, noise).item()
    for one in (other, moved):
        assert one.assumed.element_size() >= 4
        assert one.loss_at(x[:8], sigma, noise).item() == pytest.approx(
            expected, rel=0.02
        )  # bfloat16: 2^-8, 16 numbers
        assert torch.allclose(one(x[:8], torch.tensor(0.05)), single(x[:8], torch.tensor(0.05)), atol=1e-3)


def test_autocast_reaches_the_network_alone(rng):
    """At low noise D(y) = y to the size of the noise, whatever precision the network has."""
    x = torch.as_tensor(images(rng, 4, 4, n=200), dtype=torch.float32)
    denoiser = ec.as_denoiser(Own(), objective=ec.SpectralEDM(ec.Spectrum.from_samples(x.numpy())), trained=True)
    with torch.autocast("cpu", torch.bfloat16):
        found = denoiser(x, torch.tensor(0.001))
    assert (found - x).abs().max() < 0.01


def test_buffers_lie_where_the_network_does(rng):
    spectrum = ec.Spectrum.from_samples(images(rng, 4, 4))
    denoiser = ec.as_denoiser(Own().to("meta"), objective=ec.SpectralEDM(spectrum), trained=True)
    assert {buffer.device.type for buffer in denoiser.buffers()} == {"meta"}


@pytest.mark.parametrize("basis", ["pca", "dct", "fourier"])
def test_it_compiles_without_a_break(rng, basis):
    spectrum = ec.Spectrum.from_samples(images(rng, 4, 4), basis=basis)
    denoiser = ec.as_denoiser(Own(), objective=ec.SpectralEDM(spectrum), trained=True)
    compiled = torch.compile(denoiser, backend="aot_eager", fullgraph=True)
    y = torch.randn((3, 4, 4), generator=torch.Generator().manual_seed(0))
    sigma = torch.tensor([0.1, 0.5, 3.0])
    assert torch.allclose(compiled(y, sigma), denoiser(y, sigma), atol=1e-6)


def test_samples_of_another_shape_are_refused(rng):
    denoiser = ec.as_denoiser(Zero(), objective=ec.SpectralEDM(ec.Spectrum.from_samples(images(rng, 4, 4))))
    for wrong in (torch.zeros(2, 5, 4), torch.zeros(2, 16), torch.zeros(2, 4, 4, 3)):
        with pytest.raises(ec.InputError, match=r"samples must have the spectrum's shape \(n, 4, 4\)"):
            denoiser.loss(wrong)


def test_it_trains_in_anyones_loop(rng):
    """A small chain on Gaussian data: the loss falls, and the start was the best Gaussian denoiser already."""
    x = torch.as_tensor(images(rng, 4, 4), dtype=torch.float32)
    spectrum = ec.Spectrum.from_samples(x.numpy()).cross_validated()
    network = ec.MLP(32, 2, zero_output=True).build((4, 4), seed=0)
    denoiser = ec.as_denoiser(network, objective=ec.SpectralEDM(spectrum, loss="mode", density=ec.LogNormal()))
    descent = torch.optim.Adam(denoiser.parameters(), 1e-3)
    generator, losses = torch.Generator().manual_seed(0), []
    for i in range(60):
        loss = denoiser.loss(x[50 * i : 50 * i + 50], generator)
        descent.zero_grad()
        loss.backward()
        descent.step()
        losses.append(loss.item())
    assert np.mean(losses) == pytest.approx(16, rel=0.05)  # F's target is white: a Gaussian's cannot be learned
    assert denoiser(x[:2], torch.tensor(0.5)).shape == (2, 4, 4)


def test_a_scheduler_of_diffusers_samples_its_clean_predictions(rng):
    """DDIM with prediction_type "sample": Euler's steps in σ, whose product of gains along every mode is known."""
    diffusers = pytest.importorskip("diffusers")
    spectrum = ec.Spectrum.from_samples(images(rng, 4, 4), basis="dct")
    denoiser = ec.as_denoiser(Zero(), objective=ec.SpectralEDM(spectrum))
    scheduler = diffusers.DDIMScheduler(prediction_type="sample", clip_sample=False, set_alpha_to_one=False)
    scheduler.set_timesteps(20)
    n = 8000
    x, sigmas = torch.randn((n, 4, 4), generator=torch.Generator().manual_seed(0)), []
    for t in scheduler.timesteps:
        signal = scheduler.alphas_cumprod[t].sqrt()
        sigmas.append(float((1 - signal**2).sqrt() / signal))
        x = scheduler.step(denoiser(x / signal, torch.tensor(sigmas[-1])), t, x).prev_sample
    last = scheduler.alphas_cumprod[0].sqrt()  # where set_alpha_to_one=False ends
    sigmas.append(float((1 - last**2).sqrt() / last))
    gain = np.ones(16)
    for here, there in itertools.pairwise(sigmas):
        gain *= 1 + (there / here - 1) * here**2 / (spectrum.variance + here**2)
    start = sigmas[0] ** 2 + 1  # noise of variance 1 in the scheduler's frame
    drawn = spectrum.to_modes((x / last).detach().double().numpy()).var(axis=0)
    assert np.abs(drawn / (start * gain**2) - 1).max() < 4 * np.sqrt(2 / n)


def test_the_start_stays_where_a_state_is_refused_or_of_the_network_alone(rng):
    spectrum = ec.Spectrum.from_samples(images(rng, 4, 4))
    with pytest.warns(ec.InputWarning, match="does not start at zero"):
        denoiser = ec.as_denoiser(Own(), objective=ec.SpectralEDM(spectrum))
    y = torch.randn((3, 4, 4), generator=torch.Generator().manual_seed(0))
    before = denoiser(y, torch.tensor(0.3))
    for state in (
        ec.as_denoiser(Own(), objective=ec.EDM()).state_dict(),
        ec.as_denoiser(Zero(), objective=ec.SpectralEDM(spectrum)).state_dict(),
        ec.as_denoiser(Zero(), objective=ec.SpectralEDM(spectrum, input="scalar")).state_dict(),
    ):
        with pytest.raises(ec.InputError, match="state_dict must be of"):
            denoiser.load_state_dict(state)
        assert torch.equal(denoiser(y, torch.tensor(0.3)), before)
    alone = {key: value for key, value in denoiser.state_dict().items() if key.startswith("network.")}
    denoiser.load_state_dict(alone, strict=False)
    assert torch.equal(denoiser(y, torch.tensor(0.3)), before)


def test_without_noise_it_gives_what_it_is_given(rng):
    """Also along directions without any variance, which stay at the mean."""
    x = images(rng, 4, 4)
    x[:, 0, 0] = 2.0
    with pytest.warns(ec.InputWarning, match="1 directions have no variance"):
        denoiser = ec.as_denoiser(Zero(), objective=ec.SpectralEDM(ec.Spectrum.from_samples(x)))
    y = torch.as_tensor(x[:5], dtype=torch.float32)
    assert torch.allclose(denoiser(y, 0.0), y, atol=1e-5)
