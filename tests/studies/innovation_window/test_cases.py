"""Tests of `eigenclock_studies.innovation_window.cases`."""

from dataclasses import replace

import pytest
from support.oracle import case_of

import eigenclock as ec
from eigenclock_studies.innovation_window import Options
from eigenclock_studies.innovation_window.cases import AFFINE, NO_RULE, PRESETS, fresh, parity, width


@pytest.mark.parametrize("options", PRESETS.values(), ids=list(PRESETS))
def test_presets_have_every_case_that_claims_are_read_from(options):
    cases = options.cases()
    wanted = [parity(g, n) for g in options.groups for n in (options.compare_at, options.open_at)]
    wanted += [NO_RULE, AFFINE, fresh(options.simpler), fresh(options.G), *map(width, options.widths)]
    assert set(wanted) <= set(cases)
    assert cases[parity(options.simpler, options.open_at)].basins
    assert all(case.fresh == name.endswith("fresh") for name, case in cases.items())
    assert [case.N for case in options.token_cases().values()] == [n for n, _ in options.gpt_sizes]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seeds": ()}, r"seeds must be different whole numbers >= 0, got \(\)"),
        ({"seeds": (1, 1)}, r"seeds must be different whole numbers >= 0, got \(1, 1\)"),
        ({"gpt_seeds": (-1,)}, "gpt_seeds must be different whole numbers >= 0"),
        ({"max_minutes": 0}, "max_minutes must be a finite number > 0, got 0"),
        ({"open_at": 300}, "sizes must hold a smaller one, compare_at and a larger open_at"),
        ({"sizes": ((256, 10), (128, 10))}, "sizes must be rising numbers of samples"),
        ({"G": 7}, "G must lie between simpler and harder, got 3, 7, 6"),
    ],
)
def test_bad_configs(change, message):
    with pytest.raises(ec.InputError, match=message):
        replace(Options(), **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"N": 0}, "N must be a whole number >= 1, got 0"),
        ({"samples": 31}, "samples must be a whole number >= 32, got 31"),
        ({"batch": 0}, "batch must be a whole number >= 1, got 0"),
        ({"checkpoints": 3}, "checkpoints must be a whole number >= 4, got 3"),
        ({"lr": 0.0}, "lr must be a finite number > 0, got 0.0"),
        ({"judge": ec.GroupParity(12, 4)}, "judge must be a rule of 24 bits"),
    ],
)
def test_bad_cases(change, message):
    with pytest.raises(ec.InputError, match=message):
        replace(case_of(64), **change)
