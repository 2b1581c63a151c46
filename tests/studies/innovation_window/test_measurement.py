"""Tests of `eigenclock_studies.innovation_window.measurement`."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.oracle import RULE, case_of, oracle

import eigenclock as ec
from eigenclock.exact import LEDGER_EDM, factorised
from eigenclock.training.losses import coefficients
from eigenclock.training.sampling import sample
from eigenclock_studies.innovation_window import Runs, measure
from eigenclock_studies.innovation_window.basins import Basins
from eigenclock_studies.innovation_window.cases import PRESETS
from eigenclock_studies.innovation_window.clocks import assemble, opening
from eigenclock_studies.innovation_window.measurement import SAMPLER, scored


def test_a_pure_copier_never_learns_the_rule():
    """Copies are valid: a clock of plain validity would be fooled."""
    runs = Runs(assemble({("x", seed): oracle(256, 1e9, 100, seed) for seed in range(3)}))
    assert runs.rule("x").status == ["right-censored"] * 3
    assert runs.memory("x").hit.all()
    assert opening(runs.window("x")) == "closed"
    assert runs.passages("x", "V", 0.5).hit.all()


def test_chance_and_controls_in_the_metrics():
    rng = np.random.default_rng(0)
    train, control = RULE.split(512, rng)
    found = scored(RULE.sample(4096, rng), case_of(512), train, control)
    error = 3 * np.sqrt(found["expected"] / 4096)
    assert found["q"] == 1
    assert abs(found["M_ex"]) < error
    assert abs(found["M_ctrl"] - found["expected"]) < error
    held = scored(control, case_of(512), train, control)
    assert held["M"] == 0
    assert held["M_ctrl"] == 1
    nothing = scored(rng.integers(0, 2, (4096, 24)), case_of(512), train, control)
    assert abs(nothing["q"]) < 3 * np.sqrt(1 / 64 / 4096)
    assert abs(nothing["a"]) < 3 * np.sqrt(1 / 6 / 4096)
    ruleless = replace(case_of(512), rule=ec.NoRule(24))
    free = scored(rng.integers(0, 2, (4096, 24)), ruleless, rng.integers(0, 2, (512, 24)), control)
    assert abs(free["q"]) < 3 * np.sqrt(1 / 64 / 4096)
    assert free["expected"] == 512 / 2**24


@pytest.mark.parametrize("knows", ["nothing", "rule", "training set"])
def test_sampler_on_exact_denoisers(knows):
    from eigenclock.exact import empirical_denoiser, parity_denoiser

    rng = np.random.default_rng(0)
    train, _ = RULE.split(256, rng)
    exact = {
        "nothing": factorised,
        "rule": lambda y, s: parity_denoiser(y, s, RULE),
        "training set": lambda y, s: empirical_denoiser(y, s, RULE.encode(train)),
    }[knows]
    noise = torch.randn(1024, 24, generator=torch.Generator().manual_seed(0))
    ends = sample(lambda y, s: torch.as_tensor(exact(y.double().numpy(), float(s)), dtype=y.dtype), SAMPLER, noise)
    bits = RULE.decode(ends.numpy())
    seen = ec.innovation(bits, train, RULE.valid)
    expected = {"nothing": (1 / 64, 0), "rule": (1, 0.001), "training set": (1, 1)}[knows]
    assert (seen.valid.value, seen.copies.value) == pytest.approx(expected, abs=0.02)


def test_preconditioning_weights_are_one():
    sigma = np.geomspace(0.01, 10, 9)
    row = LEDGER_EDM.row(sigma)
    assert LEDGER_EDM.loss_weight(sigma) == pytest.approx(np.ones(9))
    assert row.c == pytest.approx((1 - 1 / (sigma**2 + 1)) / (sigma / np.sqrt(sigma**2 + 1)))
    assert coefficients(LEDGER_EDM, sigma).shape == (6, 9)


def test_a_network_that_overfits_four_samples():
    case = replace(PRESETS["tiny"].cases()["G=4 N=16"], N=4, steps=1500, checkpoints=4, lr=3e-3, basins=False)
    case = replace(case, model=ec.FeedForward(64, 2))
    assert float(measure(case, 0)["M"][-1]) > 0.9


def test_evaluation_does_not_change_training():
    case = replace(PRESETS["tiny"].token_cases()["gpt N=16"], steps=40)
    few, many = measure(case, 0), measure(replace(case, samples=256), 0)
    assert (few["nll_train"] == many["nll_train"]).all()
    again = measure(case, 0)
    assert again.equals(few)
    assert not measure(case, 1).equals(few)


def test_basins_of_a_denoiser_without_a_rule():
    rng = np.random.default_rng(0)
    train, control = RULE.split(64, rng)
    basins = Basins(RULE, train, control, rng)
    none = lambda y, sigma: torch.tanh(y / float(sigma) ** 2)  # noqa: E731
    found = [basins(none) for _ in range(2)]
    assert found[0] == found[1], "the same corners and the same noise"
    assert abs(found[0]["E_R"]) < 0.05
    assert found[0]["ahead"] == pytest.approx(found[0]["D_m"] - found[0]["E_R"])
