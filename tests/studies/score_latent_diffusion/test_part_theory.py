"""Tests of `eigenclock_studies.score_latent_diffusion.part_theory`."""

from eigenclock_studies.score_latent_diffusion.part_theory import PRESETS, claims, trained_bottleneck


def test_best_bottleneck_is_reached_from_random_starts():
    residual, risk = trained_bottleneck(0, PRESETS["tiny"], 0.2, 3)
    assert residual < 1e-6
    assert risk < 1e-9


def test_identities_hold_and_slow_directions_are_seen():
    """All hold but the width beyond k, which a tenth of the steps leaves unfinished."""
    found = claims(PRESETS["tiny"])
    assert [one.verdict.outcome for one in found] == ["in part", "shown", "shown", "shown"]
