"""Tests of `eigenclock.latents.score_latent`."""

from dataclasses import replace

import numpy as np
import pytest
from support.small_latents import SMALL

import eigenclock as ec
from eigenclock.latents.first_stage import Reconstruction, Variational


@pytest.mark.parametrize("stage", [Reconstruction(), Variational(0.01)])
def test_baselines_keep_their_loss_in_the_file(stage, circle, tmp_path):
    model = ec.LatentBaseline(SMALL, stage).fit(*circle)
    model.save(tmp_path / "m.safetensors")
    again = ec.LatentBaseline.load(tmp_path / "m.safetensors")
    assert again.first_stage == stage
    assert np.array_equal(model.sample(5, seed=1), again.sample(5, seed=1))


def test_ambient_diffusion(circle):
    model = ec.AmbientDiffusion(replace(SMALL, stage2_steps=20)).fit(*circle)
    assert model.sample(4, seed=1).shape == (4, 16)
    assert model.denoising_risk(circle[1], 0.1) > 1
    with pytest.raises(ec.InputError, match="AmbientDiffusion must be fitted first"):
        ec.AmbientDiffusion().sample(3)
