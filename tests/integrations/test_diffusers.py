"""Tests of `eigenclock.integrations.diffusers`, and of real models: conditional, in latents, in half precision."""

import diffusers
import numpy as np
import pytest
import torch

import eigenclock as ec
from eigenclock.integrations.diffusers import latents_of, pictures_of

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def autoencoder():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = diffusers.AutoencoderKL(
            block_out_channels=(8, 8), down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
            latent_channels=4, norm_num_groups=4, scaling_factor=0.5, shift_factor=0.25,
        )  # fmt: skip
    return made.eval()


def unet(**more):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return diffusers.UNet2DModel(
            sample_size=8, block_out_channels=(8, 8), layers_per_block=1, norm_num_groups=4,
            down_block_types=("DownBlock2D",) * 2, up_block_types=("UpBlock2D",) * 2, **more,
        )  # fmt: skip


def test_latents_as_the_model_sees_them_and_back(autoencoder):
    images = torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    latents = latents_of(autoencoder, images, batch_size=2)
    with torch.no_grad():
        wanted = (autoencoder.encode(images).latent_dist.mean - 0.25) * 0.5
        decoded = autoencoder.decode(autoencoder.encode(images).latent_dist.mean).sample
    # batches of another size are summed in another order: single precision through some forty layers
    np.testing.assert_allclose(latents, wanted.permute(0, 2, 3, 1), rtol=1e-4, atol=1e-5)
    assert np.array_equal(latents_of(autoencoder, torch.split(images, 2)), latents)
    pictures = pictures_of(autoencoder, batch_size=2)(latents)
    assert pictures.shape == (5, 16, 16, 3)
    np.testing.assert_allclose(pictures, (decoded / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1), atol=1e-4)


def test_latent_diffusion_is_probed_in_latents_and_seen_as_pictures(autoencoder):
    images = torch.rand(40, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    latents = latents_of(autoencoder, images)
    denoiser = ec.as_denoiser(unet(in_channels=4, out_channels=4), scheduler=diffusers.DDPMScheduler())
    sampler = ec.Heun(steps=4, sigma_min=0.05, sigma_max=80.0)
    probe = ec.Probe(
        ec.Spectrum.from_samples(latents), data=latents, sampler=sampler, steps=[1], n_samples=16, sigma=(),
        keep_samples=4, decode=pictures_of(autoencoder),
    )  # fmt: skip
    probe(0, denoiser)
    pictures = probe.pictures()
    assert pictures.shape == (4, 16, 16, 3)
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    assert probe.curve().dataset.attrs["objective"] == "Epsilon"
    assert len(probe.figure().axes) == 3  # the pictures stand beside the two panels


def test_class_conditional_models_are_sampled_under_the_labels_of_the_data():
    """A model that answers with its label alone: every sample ends at its label's mean, in the data's proportions."""
    labels = np.repeat([0, 1], [30, 10])
    images = np.where(labels == 0, -1.0, 1.0)[:, None, None, None] + 0.1 * np.random.default_rng(0).standard_normal(
        (40, 8, 8, 1)
    )

    class OfLabel(torch.nn.Module):
        def forward(self, x, timestep, class_labels=None):
            assert class_labels.dtype == torch.int64
            return (2.0 * class_labels - 1).reshape(-1, 1, 1, 1).expand_as(x).to(x)

    denoiser = ec.as_denoiser(OfLabel(), scheduler=diffusers.DDPMScheduler(prediction_type="sample"))
    seen = []
    probe = ec.Probe(
        ec.Spectrum.from_samples(images), data=images, labels=labels, sampler=ec.Heun(steps=4, sigma_min=0.05), steps=[1],
        n_samples=64, sigma=[1.0], watch={"mean": lambda x: seen.append(x.mean(axis=(1, 2, 3))) or {"of": x.mean()}},
    )  # fmt: skip
    probe(0, denoiser)
    probe(1, denoiser)
    assert np.array_equal(seen[0], seen[1])  # the same label at every step
    ends = np.round(seen[0], 3)
    assert set(ends) == {-1.0, 1.0}
    # 64 labels drawn from 40 of which a quarter are ones: binomial, four standard errors
    assert abs((ends > 0).mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 64)
    # under its own label every clean sample is answered by its class's mean: the gain has next to nothing to explain within a class
    assert np.isfinite(probe.curve().gain.values).all()


def test_real_class_conditional_unet():
    images = np.random.default_rng(0).standard_normal((40, 8, 8))
    denoiser = ec.as_denoiser(
        unet(in_channels=1, out_channels=1, num_class_embeds=3), scheduler=diffusers.DDPMScheduler()
    )
    labels = np.arange(40) % 3
    options = {"sampler": ec.Heun(steps=4, sigma_min=0.05), "steps": [1], "n_samples": 16, "sigma": [1.0, 10.0]}
    spectrum = ec.Spectrum.from_samples(images)
    probe = ec.Probe(spectrum, data=images, labels=labels, **options)
    probe(0, denoiser)
    wanted = np.repeat(labels[:1], 40)
    other = ec.Probe(spectrum, data=images, labels=wanted, **options)
    other(0, denoiser)
    assert not np.array_equal(probe.curve().gain.values, other.curve().gain.values)  # labels reach the network
    with pytest.raises(ec.InputError, match="denoiser must take"):
        ec.Probe(spectrum, data=images, **options)(0, denoiser)


def test_weights_in_bfloat16_are_probed_in_single_precision():
    images = np.random.default_rng(0).standard_normal((40, 8, 8))
    spectrum, options = ec.Spectrum.from_samples(images), {"sampler": ec.Heun(steps=4, sigma_min=0.05), "sigma": ()}
    curves = []
    for kind in (torch.float32, torch.bfloat16):
        network = unet(in_channels=1, out_channels=1).to(kind)
        probe = ec.Probe(spectrum, steps=[1], n_samples=16, **options)
        probe(0, ec.as_denoiser(network, scheduler=diffusers.DDPMScheduler()))
        curves.append(probe.curve().variance.values)
    # eight evaluations of a network whose answers have a relative error of 2^-8: a few per cent of variances
    np.testing.assert_allclose(curves[1], curves[0], rtol=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: latents_of(None, np.zeros((1, 3, 8, 8))), "autoencoder must have encode"),
        (lambda: pictures_of(None), "autoencoder must have encode"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ec.InputError, match=message):
        call()
