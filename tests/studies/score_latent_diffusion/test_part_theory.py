"""Tests of `eigenclock_studies.score_latent_diffusion.part_theory`."""

import pytest

from eigenclock_studies.score_latent_diffusion.part_theory import trained_bottleneck


def test_best_bottleneck_is_reached_from_random_starts():
    from eigenclock_studies.score_latent_diffusion.part_theory import PRESETS

    residual, risk, best = trained_bottleneck(0, PRESETS["tiny"], 0.2, 3)
    assert residual < 1e-6
    assert risk == pytest.approx(best, abs=1e-9)
