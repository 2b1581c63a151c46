"""Tests of `eigenclock_studies.prior_aligned_latents.networks`."""

import torch

from eigenclock_studies.prior_aligned_latents.networks import as_tensor, judge, teacher
from eigenclock_studies.prior_aligned_latents.sprites import make_sprites


def test_judge_and_teacher_are_trained_once(tmp_path):
    first = judge(tmp_path, 3, "plain")
    again = judge(tmp_path, 3, "plain")
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    x = as_tensor(make_sprites(8, 0)[0].images)
    for prior in ("supervised", "contrastive", "random"):
        found = teacher(tmp_path, prior, 3, "plain")(x)
        assert found.shape == (8, 64, 4, 4)
        assert torch.equal(found, teacher(tmp_path, prior, 3, "plain")(x))
