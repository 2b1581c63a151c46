"""Tests of `eigenclock.latents.local_continuity`: planted decoders whose continuity is known."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import eigenclock as ec
from eigenclock.latents.local_continuity import local_continuity, rho_weights
from eigenclock_studies.prior_aligned_latents import recode


def continuity(latents, decoder):
    return ec.diagnose_latents(latents, decoder)["lpc_rho"].values


def picture(z):
    """Images (m, 4, 8, 8) of latents, far from linear."""
    return torch.nn.functional.interpolate(torch.tanh(2 * z) + 0.3 * z**2, size=8)


def test_local_continuity_of_known_decoders(rng):
    """0 of a constant decoder; larger of a rougher one; of a linear one and a distance that is a norm, ρ|z − mean| exactly."""
    z = rng.standard_normal((60, 4, 2, 2))
    constant = ec.diagnose_latents(z, lambda z: torch.zeros(len(z), 3, 8, 8))
    assert float(constant["value"].sel(metric="lpc")) == 0
    norm = lambda a, b: (a - b).flatten(1).norm(dim=1)  # noqa: E731
    linear = ec.diagnose_latents(z, lambda z: z, distance=norm)
    size = np.linalg.norm((z - z.mean(axis=(0, 2, 3), keepdims=True)).reshape(60, -1), axis=1).mean()
    assert np.allclose(linear["lpc_rho"], linear["rho"] * size, rtol=1e-5)
    smooth = lambda z: torch.nn.functional.interpolate(torch.tanh(z[:, :3]), size=8)  # noqa: E731
    rough = [recode("coupling", (4, 2, 2), seed=0, omega=omega) for omega in (1.0, 6.0)]
    lpc = [
        float(
            ec.diagnose_latents(
                r.forward(z), lambda c, r=r: smooth(torch.as_tensor(r.inverse(c.double().numpy()), dtype=torch.float32))
            )["value"].sel(metric="lpc")
        )
        for r in rough
    ]
    assert lpc[1] > lpc[0]
    assert rho_weights(np.array([0.1, 0.5, 1, 2])).round(3).tolist() == [0.741, 0.148, 0.074, 0.037]


@pytest.mark.parametrize("shift", [5.0, np.array([3.0, -8.0, 0.5, 0.0])[:, None, None]])
def test_a_shift_that_no_generator_sees_changes_nothing(rng, shift):
    """Generators standardise: latents moved by a constant, with a decoder that takes it off, are the same space."""
    z = rng.standard_normal((80, 4, 2, 2))
    off = torch.as_tensor(np.broadcast_to(shift, (4, 1, 1)).copy(), dtype=torch.float32)
    plain, moved = continuity(z, picture), continuity(z + shift, lambda one: picture(one - off))
    assert np.allclose(plain, moved, rtol=1e-5)  # float32 rounds 5 to 3e-7


def test_the_mean_is_that_of_all_latents_not_of_the_few_that_are_decoded(rng):
    """Of a decoder that returns latents and a norm as distance: ρ|z − m|, m given."""
    z, norm = rng.standard_normal((20, 3, 1, 1)), lambda a, b: (a - b).flatten(1).norm(dim=1)
    found = local_continuity(z, lambda one: one, np.array([0.5]), norm, 0, mean=np.array([1.0, 2.0, 3.0]))
    assert np.allclose(found[:, 0], 0.5 * np.linalg.norm(z[:, :, 0, 0] - [1, 2, 3], axis=1), rtol=1e-5)


def test_decoders_on_arrays(rng):
    """One that gives arrays, and one that takes nothing else, are what they are on tensors."""
    z = rng.standard_normal((40, 4, 2, 2))
    wanted = continuity(z, picture)
    assert np.array_equal(continuity(z, lambda one: picture(one).numpy()), wanted)
    assert np.array_equal(
        continuity(z, lambda one: picture(torch.from_numpy(one.astype(np.float32))).double().numpy()), wanted
    )


def test_the_package_s_own_decoder(images):
    """`decode` gives arrays (n, h, w, c) in [0, 1]: `decoder`, its twin on tensors, is meant."""
    config = ec.AlignedConfig(d=4, width=8, ae_steps=3, finetune_steps=0)
    model = ec.PriorAlignedAutoencoder(config).fit(images.images)
    latents = model.encode(images.images)
    assert np.array_equal(continuity(latents, model.decode), continuity(latents, model.decoder))


@pytest.mark.parametrize(
    ("decoder", "message"),
    [
        (
            lambda z: z[:, :, 0, 0] @ torch.zeros(7, 2),
            r"decoder must take latents of shape \(20, 4, 2, 2\) in float32, got",
        ),
        (
            lambda z: [z],
            r"decoder must return images \(m, c, H, W\), a tensor or array of floats, got list",
        ),
        (
            lambda z: SimpleNamespace(sample=z),
            r"array of floats, got SimpleNamespace: decoder = lambda z: vae.decode\(z\).sample",
        ),
        (lambda z: np.zeros(z.shape, int), "a tensor or array of floats, got int64"),
        (lambda z: z.to(torch.uint8), "a tensor or array of floats, got torch.uint8"),
        (
            lambda z: z.flatten(1),
            r"decoder must return images \(m, c, H, W\) unless a distance is given, got \(20, 16\)",
        ),
        (lambda z: z * torch.nan, "decoder must return finite images, got NaN or inf"),
    ],
)
def test_decoders_that_are_none(decoder, message, rng):
    with pytest.raises(ec.InputError, match=message) as caught:
        ec.diagnose_latents(rng.standard_normal((20, 4, 2, 2)), decoder)
    assert "\n" not in str(caught.value)
