"""Tests of `eigenclock_studies.innovation_window.verdicts`."""

from dataclasses import replace

import numpy as np
import pytest
from support.oracle import STEPS, oracle

from eigenclock_studies.innovation_window import InnovationConfig, Runs
from eigenclock_studies.innovation_window.cases import parity
from eigenclock_studies.innovation_window.claims import CLAIMS
from eigenclock_studies.innovation_window.clocks import assemble
from eigenclock_studies.innovation_window.verdicts import claim_rows, target_table


@pytest.fixture(scope="module")
def designed():
    """Every case of the study from known clocks: the rule clock falls with N and rises with G, memory = 8 N."""
    config = replace(InnovationConfig(), basins=False, other_rules=False, held_out=(), widths=(64, 128, 256))
    rule_at = {3: 60.0, 4: 900.0, 6: 1e9}
    results = {}
    for name, case in config.cases().items():
        for seed in range(3):
            late = 8.0 * case.N * (1 + 0.05 * seed)
            first = rule_at[getattr(case.rule, "G", 6)] if "gpt" not in name else 300.0
            if name == "fresh data":
                late = 1e9
            if name in ("affine", "no rule"):
                first = 1e9
            if name.startswith("width"):
                first, late = 40_000.0 / case.model.width, 1e9
            # passages are at the tenth of the logistic: shift the middles so that the clocks are the times above
            found = oracle(case.N, first * np.sqrt(8), late * np.sqrt(8), seed, 256)
            results[name, seed] = found.assign(nll_open=("checkpoint", np.full(STEPS.size, 0.7)))
    return config, Runs(assemble(results))


def test_verdicts_on_designed_runs(designed):
    config, runs = designed
    found = {row["claim"][:2]: row for row in claim_rows(runs, config)}
    for claim in ("C1", "C2", "C3", "C4", "C5"):
        assert found[claim]["verdict"] == "shown", found[claim]
    assert found["C7"]["verdict"] == "not assessed"
    table = target_table(runs, config)
    assert set(table["claim"]) == set(CLAIMS) - {"C7"}
    forecast = next(row for row in claim_rows(runs, config) if row["claim"].startswith("forecast: memory"))
    assert forecast["verdict"] == "shown"
    for row in found.values():
        assert list(row) == ["claim", "paper", "here", "interval", "control", "verdict"]


def test_a_failing_control_leaves_a_claim_undetermined(designed):
    config, runs = designed
    leaky = runs.dataset.copy(deep=True)
    leaky["M_ctrl"][:] = 0.2
    leaky["q"].loc[{"case": "no rule"}] = 0.5
    found = {row["claim"][:2]: row["verdict"] for row in claim_rows(Runs(leaky), config)}
    assert found["C1"] == found["C4"] == "undetermined (a control failed)"


def test_a_law_that_is_not_there_is_not_shown(designed):
    config, runs = designed
    flat = runs.dataset.copy(deep=True)
    same = flat["M_ex"].sel(case=parity(4, 128)).values
    for n in config.sizes:
        flat["M_ex"].loc[{"case": parity(4, n)}] = same
    found = {row["claim"][:2]: row["verdict"] for row in claim_rows(Runs(flat), config)}
    assert found["C4"] == "not shown"


def test_a_wide_network_that_never_learns_speaks_against_capacity(designed):
    config, runs = designed
    late = runs.dataset.copy(deep=True)
    late["q"].loc[{"case": "width 512"}] = 0.0
    found = {row["claim"][:2]: row["verdict"] for row in claim_rows(Runs(late), config)}
    assert found["C2"] == "undetermined"
    narrow = runs.dataset.copy(deep=True)
    narrow["q"].loc[{"case": "width 64"}] = 0.0
    assert {row["claim"][:2]: row["verdict"] for row in claim_rows(Runs(narrow), config)}["C2"] in (
        "shown",
        "undetermined",
    )


def test_claims_of_dropped_cases_are_not_assessed(designed):
    config, runs = designed
    fewer = runs.dataset.drop_sel(case=["width 256"])
    found = {row["claim"][:2]: row["verdict"] for row in claim_rows(Runs(fewer), config)}
    assert found["C2"] == "not assessed"
    without = runs.dataset.drop_sel(case=[parity(4, 512)])
    assert not any(
        row["verdict"] == "shown"
        for row in claim_rows(Runs(without), config)
        if row["claim"].startswith("forecast: memory")
    )
