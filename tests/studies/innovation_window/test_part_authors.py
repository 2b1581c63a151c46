"""Tests of `eigenclock_studies.innovation_window.part_authors`: clocks as the authors define them, on records that are known."""

import numpy as np
import pytest
import xarray as xr

from eigenclock_studies.innovation_window.authors_runs import PRESETS
from eigenclock_studies.innovation_window.authors_tables import MEMORY, MEMORY_SLOPE, RULE
from eigenclock_studies.innovation_window.part_authors import Found, claims, clock_table, sustained

STEPS = np.geomspace(10, 5120, 10)


@pytest.mark.parametrize(
    ("above", "low", "high"),
    [
        ([0, 0, 0, 1, 1, 1, 1, 1, 1, 1], 40, 80),  # the first of the row, and the one before
        ([0, 1, 1, 1, 0, 1, 1, 1, 1, 1], 160, 320),  # a row that breaks does not count
        (
            [0, 0, 0, 0, 0, 0, 1, 1, 1, 1],
            320,
            np.inf,
        ),  # four in a row by the end: the last row of five could begin at 320
        ([1] * 10, 0, 10),  # met at the first evaluation
        ([0] * 10, 320, np.inf),
    ],
)
def test_five_in_a_row(above, low, high):
    known = sustained(STEPS, np.array(above, dtype=float), 0.5, spans=True)
    assert (known.low[0], known.high[0]) == pytest.approx((low, high))
    read = sustained(STEPS, np.array(above, dtype=float), 0.5)
    assert read.low[0] == pytest.approx(low if np.isinf(high) or low == 0 else high)
    assert read.high[0] == pytest.approx(high)


def planted(accurate, copied, novel):
    """A run whose accuracy, copies and novel validity rise through their targets at these steps."""
    step = np.unique(np.round(np.geomspace(10, 20_000, 60)))
    rise = lambda at: 1 / (1 + (at / step) ** 6)  # noqa: E731
    values = {"accuracy": rise(accurate), "copies": rise(copied), "novel": rise(novel)}
    return xr.Dataset({"step": ("evaluation", step), **{k: ("evaluation", v) for k, v in values.items()}})


def cell(family, n, g):
    return f"{family} N={n} G={g}"


@pytest.fixture
def found():
    """Memory at 20 N; the rule at 50 and 200 steps for G = 2 and 3, never for G = 6, whose accuracy is that of its copies."""
    options = PRESETS["cpu"]
    runs = {}
    for family in ("denoiser", "gpt"):
        for n, g, _ in options.cells if family == "denoiser" else options.gpt_cells:
            rule = {2: 50.0, 3: 200.0, 6: 1e9}[g]
            copied = 20.0 * n
            several = [planted(min(rule, 1.2 * copied) * s, copied * s, rule * s) for s in (1.0, 1.02, 1.01)]
            runs[cell(family, n, g)] = several
    return Found(runs, options)


def test_clocks_of_planted_runs(found):
    table = clock_table(found)
    assert not any(name.startswith("theirs") for name in table), "none of theirs has these N"
    n = 128
    assert found.memory(cell("denoiser", n, 3)).hit.all()
    assert found.novel(cell("denoiser", n, 6)).status == ["right-censored"] * 3
    assert found.rule(cell("denoiser", n, 6)).hit.all(), "accuracy counts copies"


def test_claims_of_planted_runs(found):
    verdicts = {claim.words: str(claim.verdict) for claim in claims(found)}
    assert set(verdicts.values()) == {"shown"}, verdicts
    assert len(verdicts) >= 10
    twice = Found(
        {name: [run.assign(copies=run["copies"] * 0) for run in runs] for name, runs in found.runs.items()},
        found.options,
    )
    bounds = {claim.words: str(claim.verdict) for claim in claims(twice)}
    assert not any(v == "shown" for w, v in bounds.items() if "memory clock" in w or "copies" in w), (
        "no copies came: bounds"
    )


def test_their_tables_are_consistent_with_their_law():
    """Their memory clocks lie within a factor of two of their own fit, 35.3 N^1.14 (DiT-mini) and 2.14 N^0.97 (GPT-mini)."""
    factor = {"DiT-mini": 35.3, "GPT-mini": 2.14}
    for (model, n), clocks in MEMORY.items():
        law = factor[model] * n ** MEMORY_SLOPE[model]
        assert all(0.5 < time / law < 2 for time in clocks.values())
    for clocks in RULE.values():
        assert list(clocks.values()) == sorted(clocks.values()), (
            "the rule clock rises with G in every one of their rows"
        )
