"""Tests of `eigenclock.exact.ledger`."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock.exact import (
    loss_ledger,
)

REFERENCE = {3: (2.76, 7.22), 4: (1.92, 7.22), 6: (1.19, 7.29), 12: (0.54, 7.20)}
"""Gain of the rule and memorising floor at D = 24, N = 512, computed independently."""


@pytest.mark.parametrize("group", list(REFERENCE))
def test_ledger(group):
    found = loss_ledger(ec.GroupParity(24, group), 512)
    gain, floor = REFERENCE[group]
    assert float(found["factorised"]) == pytest.approx(12.86, abs=0.01)
    assert float(found["gain"]) == pytest.approx(gain, rel=0.08)
    assert float(found["memorising"]) == pytest.approx(floor, abs=0.2 + 2 * float(found["memorising_error"]))
    assert float(found["rule"]) == pytest.approx(12.86 - gain, abs=0.15)


def test_ledger_of_another_preconditioning():
    found = loss_ledger(
        ec.GroupParity(36, 3), 1024, edm=ec.EDM(sigma_data=0.5, density=ec.LogNormal(-1.2, 1.2)), n_memorising=400
    )
    assert float(found["factorised"]) == pytest.approx(27.60, abs=0.01)
    assert float(found["gain"]) == pytest.approx(6.41, rel=0.08)


def test_ledger_does_not_depend_on_how_draws_divide():
    rule, values = ec.GroupParity(12, 3), []
    for n in (400, 500, 599):
        found = [loss_ledger(rule, 32, n_draws=n, n_memorising=n, seed=seed) for seed in range(8)]
        values.append(np.mean([float(one["memorising"]) for one in found]))
        assert float(found[0]["memorising_error"]) > 0
    exact = float(loss_ledger(rule, 32, n_memorising=20_000)["memorising"])
    # eight seeds of at least 400 draws, against twenty thousand; and the training set differs from seed to seed
    assert values == pytest.approx([exact] * 3, abs=0.3)
