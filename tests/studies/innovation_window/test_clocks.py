"""Tests of `eigenclock_studies.innovation_window.clocks`."""

import numpy as np
import pytest
from support.oracle import oracle

from eigenclock_studies.innovation_window import Runs, View
from eigenclock_studies.innovation_window.clocks import assemble, opening, summary_table


def passage(middle, top, level):
    """Where top/(1 + (middle/step)²) passes a level."""
    return middle / np.sqrt(top / level - 1)


@pytest.mark.parametrize(
    ("rule_at", "memory_at", "state"), [(200, 4000, "open"), (6000, 300, "closed"), (1e7, 1e7, "undetermined")]
)
def test_known_clocks_are_read_back(rule_at, memory_at, state):
    runs = Runs(assemble({("x", seed): oracle(256, rule_at, memory_at, seed) for seed in range(3)}))
    if state == "open":
        # novel samples are a rule sample with probability rho/(1 − mu): 0.9/(1 + (rule_at/step)²) of them are valid for the rule
        assert runs.rule("x").geometric_mean == pytest.approx(passage(rule_at, 0.9, 0.1), rel=0.1)
        assert runs.rule("x", View(rule=0.5)).geometric_mean == pytest.approx(passage(rule_at, 0.9, 0.5), rel=0.1)
    if state != "undetermined":
        assert runs.memory("x").geometric_mean == pytest.approx(passage(memory_at, 0.9, 0.1), rel=0.1)
        low, high = runs.counting("x", "memory", 0)
        assert low < passage(memory_at, 0.9, 0.1) < high
    assert opening(runs.window("x")) == state
    assert summary_table(runs)["window"][0] == state


def test_a_diverged_case_is_unknown_not_censored():
    broken = oracle(256, 1e9, 1e9, 0).assign_attrs(status="diverged")
    runs = Runs(assemble({("x", 0): broken, ("x", 1): oracle(256, 200, 4000, 1)}))
    assert runs.rule("x").status == ["unknown", "hit"]
    assert opening(runs.window("x")) == "mixed"
