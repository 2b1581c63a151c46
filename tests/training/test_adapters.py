"""Torch samplers against the theory's discrete samplers, losses against T2, adapters against both."""

import numpy as np
import pytest
import torch
from recipes import OBJECTIVES

import eigenclock as ec
from eigenclock.checks import InputWarning

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


def small_probe(spectrum):
    return ec.Probe(spectrum, sampler=ec.Heun(steps=4, sigma_max=50.0), steps=[1, 2], n_samples=16, sigma=())


def mixer():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 4)
        )


def of_partner(partner, tmp_path):
    """A network as a partner wraps it, and what calls it."""
    net = mixer().train()
    if partner == "compile":
        wrapped = torch.compile(net)
    elif partner == "ema":
        wrapped = torch.optim.swa_utils.AveragedModel(net, use_buffers=True)
        wrapped.update_parameters(net)
        wrapped.train()
    else:
        torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
        wrapped = torch.nn.parallel.DistributedDataParallel(net)
    return net, wrapped


@pytest.mark.parametrize("hidden", [False, True], ids=["module", "lambda"])
@pytest.mark.parametrize("partner", ["compile", "ema", "ddp"])
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
def test_partners_are_probed_in_evaluation_mode_and_left_as_they_were(partner, hidden, tmp_path):
    spectrum = ec.Spectrum([1.0, 0.5, 0.1, 0.01])
    quiet = mixer().eval()
    wanted, probe = small_probe(spectrum), small_probe(spectrum)
    wanted(0, lambda x, sigma: quiet(x))
    try:
        net, wrapped = of_partner(partner, tmp_path)
        before = {name: value.clone() for name, value in wrapped.state_dict().items()}
        adapted = ec.as_denoiser(lambda x, sigma: wrapped(x), objective=ec.Denoising())
        probe(0, (lambda x, sigma: adapted(x, sigma)) if hidden else adapted)
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
    # compiled arithmetic rounds otherwise in single precision, through 7 steps
    np.testing.assert_allclose(probe.curve().variance.values, wanted.curve().variance.values, rtol=1e-4)
    assert all(module.training for module in wrapped.modules())
    assert all(torch.equal(value, before[name]) for name, value in wrapped.state_dict().items())
    assert net.training


def test_any_object_with_a_schedule_will_do():
    """As an adapter that is written out, at noise levels of the schedule."""
    levels = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    schedule = type(
        "Mine", (), {"alphas_cumprod": torch.cumprod(1 - levels, 0), "config": {"prediction_type": "epsilon"}}
    )()
    denoiser = ec.as_denoiser(lambda x, t: 0.3 * x, scheduler=schedule)
    x = torch.randn(3, 4, 4)
    for step in (10, 500, 900):
        share = schedule.alphas_cumprod[step]
        sigma = ((1 - share) / share).sqrt()
        expected = x - float(sigma) * 0.3 * float(share.sqrt()) * x
        torch.testing.assert_close(denoiser(x, sigma), expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(
        ec.InputError, match="scheduler must be one of diffusers, or any object with alphas_cumprod and config, got str"
    ):
        ec.as_denoiser(lambda x, t: x, scheduler="ddpm")


def schedule_of(cumulative):
    return type("Schedule", (), {"alphas_cumprod": cumulative, "config": {"prediction_type": "v_prediction"}})()


def test_noise_levels_outside_a_schedule_are_said_once():
    narrow = torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2, 0)  # 0.029 to 14.6
    denoiser = ec.as_denoiser(lambda x, t: x, scheduler=schedule_of(narrow))
    x = torch.ones(2, 4, 4)
    with pytest.warns(InputWarning, match=r"noise level 80 is outside the scheduler's, 0\.02917 to 14\.61") as said:
        denoiser(x, torch.tensor(80.0))
    assert len(said) == 1
    denoiser(x, torch.tensor(0.001))  # said once


@pytest.mark.parametrize("kind", ["epsilon", "sample", "v_prediction"])
def test_zero_terminal_snr_is_said_and_divides_nothing(kind):
    cumulative = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0)
    cumulative[-1] = 0
    schedule = schedule_of(cumulative)
    schedule.config = {"prediction_type": kind}
    with pytest.warns(InputWarning, match="zero terminal SNR"):
        denoiser = ec.as_denoiser(lambda x, t: 0 * x, scheduler=schedule)
    assert torch.isfinite(denoiser(torch.ones(2, 4, 4), torch.tensor(100.0))).all()
    cumulative = cumulative.clone()
    cumulative[-1], cumulative[0] = 1e-5, 1.0
    ec.as_denoiser(lambda x, t: x, scheduler=schedule_of(cumulative))  # no noise at first: silence


@pytest.mark.parametrize("shape", [(50, 4, 4), (50, 4, 4, 3)], ids=["gray", "colour"])
def test_learned_variance_is_named(shape):
    spectrum = ec.Spectrum.from_samples(np.random.default_rng(0).standard_normal(shape))
    cumulative = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0)
    denoiser = ec.as_denoiser(lambda x, t: torch.cat([x, x], 1), scheduler=schedule_of(cumulative))
    with pytest.raises(
        ec.InputError, match="a network with a learned variance returns twice the channels, pass on their first half"
    ):
        small_probe(spectrum)(0, denoiser)
    three = ec.as_denoiser(lambda x, t: torch.cat([x, x, x], 1), scheduler=schedule_of(cumulative))
    with pytest.raises(ec.InputError, match="network must return the shape of its input"):
        small_probe(spectrum)(0, three)


def test_an_objective_that_is_not_the_networks_is_said():
    spectrum = ec.Spectrum([1.0, 0.5, 0.1, 0.01])
    probe = small_probe(spectrum)
    net = ec.as_denoiser(lambda x, s: 0.1 * x, objective=ec.Epsilon())
    for step in range(3):
        probe(step, net)
    measured = probe.curve()
    assert measured.dataset.attrs["objective"] == "Epsilon"
    wrong = ec.predict(spectrum, objective=ec.EDM(), time=[1.0, 10.0, 100.0])
    with pytest.warns(InputWarning, match="the prediction is of EDM, the probed network predicts as Epsilon says"):
        ec.forecast(wrong, measured)
    ec.forecast(ec.predict(spectrum, objective=ec.Epsilon(), time=[1.0, 10.0, 100.0]), measured)
