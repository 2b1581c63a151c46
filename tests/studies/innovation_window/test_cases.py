"""Tests of `eigenclock_studies.innovation_window.cases`."""

from dataclasses import replace

import pytest
from support.oracle import case_of

import eigenclock as ec
from eigenclock_studies.innovation_window import InnovationConfig, InnovationWindow
from eigenclock_studies.innovation_window.claims import needed


def test_presets():
    for name in ("tiny", "cpu", "paper"):
        config = InnovationWindow.preset(name).window
        cases = config.cases()
        assert set(needed(config)["C1"]) <= set(cases)
        assert len(config.seeds) in (1, 3, 5)
    assert list(InnovationConfig().cases())[-1].startswith("Permutation")  # dropped first


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seeds": ()}, r"seeds must be different whole numbers >= 0, got \(\)"),
        ({"seeds": (1, 1)}, r"seeds must be different whole numbers >= 0, got \(1, 1\)"),
        ({"seeds": (-1,)}, "seeds must be different whole numbers >= 0"),
        ({"held_out": (64,)}, "held_out must not hold sizes that the forecast is fitted on, got 64 in both"),
        ({"max_minutes": 0}, "max_minutes must be a finite number > 0, got 0"),
        ({"open_at": 300}, "complexities must hold G, and sizes must hold compare_at and open_at"),
        ({"kappa": -1.0}, "kappa must be a finite number > 0"),
    ],
)
def test_bad_configs(change, message):
    with pytest.raises(ec.InputError, match=message):
        replace(InnovationConfig(), **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"N": 0}, "N must be a whole number >= 1, got 0"),
        ({"samples": 31}, "samples must be a whole number >= 32, got 31"),
        ({"batch": 0}, "batch must be a whole number >= 1, got 0"),
        ({"checkpoints": 3}, "checkpoints must be a whole number >= 4, got 3"),
        ({"lr": 0.0}, "lr must be a finite number > 0, got 0.0"),
        ({"judge": ec.GroupParity(12, 4)}, "judge must be a rule of 24 bits"),
        (
            {"model": ec.DiT(patch=1, width=16, blocks=1, heads=2), "rule": ec.GroupParity(24, 2)},
            "a token must not be a whole group",
        ),
    ],
)
def test_bad_cases(change, message):
    with pytest.raises(ec.InputError, match=message):
        replace(case_of(64), **change)
