"""Torch samplers against the theory's discrete samplers, losses against T2, adapters against both."""

import numpy as np
import pytest
import torch
from recipes import OBJECTIVES

import eigenclock as ec

VARIANCE = np.array([4.0, 0.25, 1e-2, 1e-4])


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_as_denoiser_of_any_prediction(objective):
    def network(x, condition):
        sigma = condition.double().exp().numpy()
        regression = objective.regression(VARIANCE, sigma)
        return x * torch.tensor(regression.optimum.T, dtype=x.dtype)

    denoiser = ec.as_denoiser(network, objective=objective, condition=lambda sigma: sigma.log())
    out = denoiser(torch.ones(2, 4, dtype=torch.float64), torch.tensor(0.7, dtype=torch.float64))
    np.testing.assert_allclose(out[0].numpy(), VARIANCE / (VARIANCE + 0.49), rtol=1e-9)


def test_channels_first_networks():
    seen = []

    def network(x, sigma):
        seen.append(tuple(x.shape))
        return x

    for shape in ((2, 8, 6), (2, 8, 6, 3)):
        out = ec.as_denoiser(network, objective=ec.Denoising(), channels_first=True)(
            torch.randn(shape), torch.tensor(1.0)
        )
        assert out.shape == shape
    assert seen == [(2, 1, 8, 6), (2, 3, 8, 6)]


def test_as_denoiser_errors():
    with pytest.raises(ec.InputError, match="objective must be an objective of the theory"):
        ec.as_denoiser(lambda x, s: x, objective="epsilon")
    with pytest.raises(ec.InputError, match="objective and scheduler exclude each other"):
        ec.as_denoiser(lambda x, s: x, objective=ec.EDM(), scheduler=object())
    scheduler = type("Strange", (), {"config": type("Config", (), {})()})()
    with pytest.raises(ec.InputError, match=r"scheduler must be DDPM-like .* got Strange"):
        ec.as_denoiser(lambda x, s: x, scheduler=scheduler)


class Ideal:
    """Stands for a diffusers model of one-mode data of variance 0.25: predicts what its scheduler's training would teach it."""

    def __init__(self, predict):
        self.predict = predict

    def __call__(self, x, timestep):
        return self.predict(x, timestep.double().reshape(-1, 1, 1, 1))


def _levels(scheduler, t):
    cumulative = scheduler.alphas_cumprod.double()
    low = t.long().clamp(max=len(cumulative) - 1)
    high = (low + 1).clamp(max=len(cumulative) - 1)
    log_sigma = 0.5 * torch.log((1 - cumulative) / cumulative)
    return torch.exp(torch.lerp(log_sigma[low], log_sigma[high], t - low))


V = 0.25


@pytest.mark.parametrize("kind", ["epsilon", "sample", "v_prediction"])
def test_diffusers_ddpm(kind):
    diffusers = pytest.importorskip("diffusers")
    scheduler = diffusers.DDPMScheduler(prediction_type=kind)

    def predict(x, t):
        sigma = _levels(scheduler, t)
        signal = (1 + sigma**2) ** -0.5
        y = x.double() / signal
        clean = V / (V + sigma**2) * y
        noise = (y - clean) / sigma
        return {"epsilon": noise, "sample": clean, "v_prediction": signal * noise - signal * sigma * clean}[kind]

    denoiser = ec.as_denoiser(Ideal(predict), scheduler=scheduler)
    x = torch.randn(3, 8, 8, dtype=torch.float64)
    for sigma in (0.05, 0.7, 20.0):
        # timesteps are passed on in 32 bits: 1e-7 of 1000 steps
        torch.testing.assert_close(denoiser(x, torch.tensor(sigma)), V / (V + sigma**2) * x, rtol=1e-4, atol=1e-5)


def test_diffusers_flow_matching_and_edm():
    diffusers = pytest.importorskip("diffusers")
    flow, edm = diffusers.FlowMatchEulerDiscreteScheduler(), diffusers.EDMEulerScheduler()

    def velocity(x, t):
        share = t / 1000
        return x.double() * (share - (1 - share) * V) / ((1 - share) ** 2 * V + share**2)  # E[z − x₀ | x]

    def raw(x, c_noise):
        sigma = torch.exp(4 * c_noise)
        y = x.double() * torch.sqrt(sigma**2 + 0.25)
        skip, out = 0.25 / (sigma**2 + 0.25), sigma * 0.5 / torch.sqrt(sigma**2 + 0.25)
        return (V / (V + sigma**2) - skip) * y / out

    x = torch.randn(3, 8, 8, 3, dtype=torch.float64)
    for model, scheduler in ((Ideal(velocity), flow), (Ideal(raw), edm)):
        denoiser = ec.as_denoiser(model, scheduler=scheduler)
        for sigma in (0.05, 0.7, 20.0):
            torch.testing.assert_close(denoiser(x, torch.tensor(sigma)), V / (V + sigma**2) * x, rtol=1e-4, atol=1e-4)


def test_a_real_diffusers_model_in_training():
    """A tiny UNet2DModel under its own DDPM training loop, watched by the probe."""
    diffusers = pytest.importorskip("diffusers")
    torch.manual_seed(0)
    model = diffusers.UNet2DModel(sample_size=8, in_channels=1, out_channels=1, block_out_channels=(8, 16), layers_per_block=1,
                                  norm_num_groups=4, down_block_types=("DownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "UpBlock2D"))  # fmt: skip
    scheduler = diffusers.DDPMScheduler()
    data = ec.data.digits().standardized()
    spectrum = ec.Spectrum.from_samples(data.samples)
    probe = ec.Probe(
        spectrum, sampler=ec.Heun(steps=8), steps=[10, 30], n_samples=32, data=data.samples, gain_samples=64
    )
    denoiser = ec.as_denoiser(model, scheduler=scheduler)
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    images = torch.tensor(data.samples, dtype=torch.float32)[:, None]
    generator = torch.Generator().manual_seed(0)
    probe(0, denoiser)
    for step in range(1, 31):
        clean = images[torch.randint(len(images), (64,), generator=generator)]
        noise, t = torch.randn(clean.shape, generator=generator), torch.randint(1000, (64,), generator=generator)
        value = (model(scheduler.add_noise(clean, noise, t), t).sample - noise).square().mean()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        probe(step, denoiser)
    curve = probe.curve()
    assert curve.time.values.tolist() == [0, 10, 30]
    assert np.isfinite(curve.variance.values).all()
    # what it learns first is that most of a noisy image is noise: the gain at high noise comes down to its optimum
    high = curve.gain.values[:, :, curve.dataset["sigma"].values > 5].mean(axis=(1, 2))
    assert abs(high[-1]) < abs(high[0])
