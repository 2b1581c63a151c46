"""Tests of `eigenclock.latents.prior_aligned`."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import eigenclock as ec
from eigenclock.latents.alignment import scr
from eigenclock.latents.prior import OrientedGradients, fit_prior, taught
from eigenclock_studies.prior_aligned_latents.networks import as_tensor


@pytest.fixture(scope="module")
def fitted(images):
    config = ec.AlignedConfig(d=4, width=16, ae_steps=12, finetune_steps=6, batch=16)
    return ec.PriorAlignedAutoencoder(config).fit(images.images)


def test_fit_uses_any_teacher_and_goes_on_from_a_start(images, fitted):
    """The alignment pulls the latents to the teacher; without one, nothing does."""
    config = ec.AlignedConfig(d=4, width=16, w_scr=5.0, w_ssr=0, w_mcr=0, ae_steps=12, finetune_steps=80, batch=16)
    colour = lambda x: torch.nn.functional.avg_pool2d(torch.cat([x, 1 - x], dim=1), 4)  # noqa: E731
    base = ec.PriorAlignedAutoencoder(replace(config, finetune_steps=0)).fit(images.images)
    aligned = ec.PriorAlignedAutoencoder(config).fit(images.images, teacher=colour, start=base)
    plain = ec.PriorAlignedAutoencoder(replace(config, w_scr=0.0)).fit(images.images, start=base)
    features = taught(colour, as_tensor(images.images), (4, 4))
    goal = torch.as_tensor(fit_prior(features, 4)(features), dtype=torch.float32)
    distance = {
        name: float(scr(torch.as_tensor(m.encode(images.images)), goal))
        for name, m in (("on", aligned), ("off", plain))
    }
    assert distance["on"] < 0.7 * distance["off"]
    assert aligned.explained_ == pytest.approx(1, abs=1e-6)  # six channels that are three
    assert {"l1", "perceptual", "scr"} <= set(aligned.history_[-1])
    with pytest.raises(ec.InputError, match="start must be a model of the same images, d and width"):
        ec.PriorAlignedAutoencoder(replace(config, d=6)).fit(images.images, start=base)


def test_a_line_says_what_was_fitted(fitted):
    assert repr(ec.PriorAlignedAutoencoder()) == "PriorAlignedAutoencoder(not fitted)"
    found, last = repr(fitted), fitted.history_[-1]
    assert found.startswith("PriorAlignedAutoencoder(16×16×3 to 4×4×4; l1 ")
    assert f"l1 {last['l1']:.3g}, perceptual {last['perceptual']:.3g}" in found
    assert f"; {fitted.explained_:.0%} of the prior kept)" in found
    assert "\n" not in found


def test_file_gives_the_same_latents_and_images(fitted, images, tmp_path):
    fitted.save(tmp_path / "m.safetensors")
    again = ec.PriorAlignedAutoencoder.load(tmp_path / "m.safetensors")
    assert np.array_equal(again.encode(images.images), fitted.encode(images.images))
    assert np.array_equal(again.decode(again.encode(images.images)), fitted.decode(fitted.encode(images.images)))
    assert again.config == fitted.config
    with pytest.raises(ec.InputError, match="must hold a ScoreLatentDiffusion, got a PriorAlignedAutoencoder"):
        ec.ScoreLatentDiffusion.load(tmp_path / "m.safetensors")


def test_a_distance_of_images_is_given_again_to_a_model_from_a_file(images, tmp_path):
    """No file holds a function: with the same one, training goes on as it would have without the file."""

    def distance(a, b):
        return (a - b).square().flatten(1).mean(1)

    config = ec.AlignedConfig(d=4, width=8, ae_steps=3, finetune_steps=3)
    start = ec.PriorAlignedAutoencoder(config, perceptual=distance).fit(images.images)
    start.save(tmp_path / "m.safetensors")
    again = ec.PriorAlignedAutoencoder.load(tmp_path / "m.safetensors", perceptual=distance)
    first, second = start.fit(images.images), again.fit(images.images)
    assert np.array_equal(first.encode(images.images), second.encode(images.images))


def test_fit_resumes(images, tmp_path):
    config = ec.AlignedConfig(d=4, width=16, ae_steps=6, finetune_steps=4, batch=16)
    first = ec.PriorAlignedAutoencoder(config).fit(images.images, folder=tmp_path)
    again = ec.PriorAlignedAutoencoder(config).fit(images.images, folder=tmp_path, resume=True)
    assert np.array_equal(first.encode(images.images), again.encode(images.images))


def test_latents_have_unit_tokens(fitted, images):
    assert np.allclose((fitted.encode(images.images) ** 2).mean(1), 1, atol=1e-3)  # v/(v + 1e-6), v > 1e-3
    grey = (255 * images.images[..., 0]).astype(np.uint8)
    model = ec.PriorAlignedAutoencoder(ec.AlignedConfig(d=4, width=16, ae_steps=2, finetune_steps=1, batch=8)).fit(grey)
    assert model.decode(model.encode(grey)).shape == (96, 16, 16, 1)


AE_ERRORS = [
    (lambda m, x: m().fit(x[:, :15]), "images must have sides divisible by the stride 4, got 15×16"),
    (lambda m, x: m().fit(3 * x), r"images must be in \[0, 1\], or integers 0–255, got"),
    (lambda m, x: m().fit(x[0, 0]), r"images must have shape \(n, h, w, channels\)"),
    (lambda m, x: m(d=49).fit(x), r"d must be <= 48, else the latent is wider than the data, got 49"),
    (
        lambda m, x: m().fit(x, teacher=lambda y: torch.zeros(len(y), 9, 2, 2)),
        "teacher must return 4×4 tokens, got 2×2",
    ),
    (
        lambda m, x: m().fit(x, targets=np.zeros((3, 4, 4, 4))),
        r"targets must have shape \(96, 4, 4, 4\), got \(3, 4, 4, 4\)",
    ),
    (lambda m, x: m().encode(x), "PriorAlignedAutoencoder must be fitted first"),
    (lambda m, x: m(theta_l=95.0), "theta_l must be a finite number > 0 and < 90, got 95.0"),
    (lambda m, x: m(w_scr=-1.0), "w_scr must be a finite number >= 0, got -1.0"),
]


@pytest.mark.parametrize(("call", "message"), AE_ERRORS)
def test_errors_of_the_autoencoder(call, message, images):
    def make(**options):
        return ec.PriorAlignedAutoencoder(
            ec.AlignedConfig(**{"d": 4, "width": 16, "ae_steps": 2, "finetune_steps": 1, **options})
        )

    with pytest.raises(ec.InputError, match=message) as caught:
        call(make, images.images)
    assert "\n" not in str(caught.value)


def test_resume_notices_other_data_and_another_teacher(images, tmp_path):
    """Inverted or mirrored images, and other features, are not the run that was interrupted."""
    config = ec.AlignedConfig(d=4, width=16, ae_steps=3, finetune_steps=2, batch=16)
    x = images.images
    first = ec.PriorAlignedAutoencoder(config).fit(x, folder=tmp_path)
    for other in (1 - x, x[:, :, ::-1]):
        with pytest.raises(ec.InputError, match=r"settings differ from the checkpoint .*images"):
            ec.PriorAlignedAutoencoder(config).fit(other, folder=tmp_path, resume=True)
    with pytest.raises(ec.InputError, match=r"settings differ from the checkpoint .*targets"):
        ec.PriorAlignedAutoencoder(config).fit(
            x, folder=tmp_path, resume=True, teacher=lambda y: OrientedGradients()(1 - y**2)
        )
    again = ec.PriorAlignedAutoencoder(config).fit(x, folder=tmp_path, resume=True)
    assert again.history_ == first.history_
    with pytest.raises(ec.InputError, match="resume needs the folder"):
        ec.PriorAlignedAutoencoder(config).fit(x, resume=True)
    digits = np.round(16 * x).astype(int)
    with pytest.raises(ec.InputError, match="images of integers must be 0–255, got a maximum of 15"):
        ec.PriorAlignedAutoencoder(config).fit(digits)
    assert again.fit(x[:, :8, :8]).image_ == (8, 8, 3)
