"""Tests of `eigenclock.observables.innovation`."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock.observables.innovation import innovation


@pytest.fixture(scope="module")
def parity():
    rule = ec.GroupParity(24, 4)
    train, control = rule.split(256, np.random.default_rng(1))
    return rule, train, control


def judged(bits, parity, **more):
    rule, train, control = parity
    chance = (rule.size - 256) / (2**24 - 256)
    return innovation(bits, train, rule.valid, chance=chance, control=control, support=rule.size, **more)


def test_a_perfect_rule_sampler(parity):
    rule = parity[0]
    found = judged(rule.sample(4096, np.random.default_rng(2)), parity)
    assert found.rule.value == 1
    assert found.far_rule.value == 1
    assert abs(found.excess.value) <= 3 * np.sqrt(256 / rule.size / 4096) + 1e-3
    assert found.copies.value == pytest.approx(256 / rule.size, abs=4 * np.sqrt(256 / rule.size / 4096))


def test_a_pure_copier(parity):
    found = judged(parity[1][np.random.default_rng(3).integers(0, 256, 512)], parity)
    assert (found.valid.value, found.copies.value, found.innovations.value) == (1, 1, 0)
    assert np.isnan(found.rule.value)
    assert found.excess.value == 1
    assert found.novel == 0


def test_a_model_without_the_rule(parity):
    found = judged(np.random.default_rng(4).integers(0, 2, (4096, 24)), parity)
    assert abs(found.rule.value) < 3 * np.sqrt(1 / 64 / 4096)
    assert found.excess.value <= 1e-3


def test_noisy_copies_do_not_pass_for_innovation(parity):
    """Two flips inside a group keep parity: near copies are valid and novel, but not far from the training set."""
    rng = np.random.default_rng(5)
    bits = parity[1][rng.integers(0, 256, 512)].copy()
    group, rows = rng.integers(0, 6, 512), np.arange(512)
    for place in (0, 1):
        bits[rows, 4 * group + place] ^= 1
    found = judged(bits, parity)
    assert found.rule.value > 0.99
    assert np.isnan(found.far_rule.value) or found.far_rule.n < 32


def test_control_takes_the_place_of_the_support(parity):
    rule, train, control = parity
    fresh = rule.sample(2000, np.random.default_rng(6))
    found = innovation(fresh, train, rule.valid, control=control)
    assert found.excess.value == pytest.approx(
        (found.copies.value - found.control_copies.value) / (1 - found.control_copies.value)
    )
    assert set(found.record()) == {
        "valid",
        "copies",
        "control_copies",
        "innovations",
        "novel_valid",
        "rule",
        "excess",
        "far_rule",
        "novel",
    }


def test_excess_carries_the_noise_of_the_control(parity):
    rule, train, control = parity
    mixed = np.concatenate([train[:100], control[:60]])
    found = innovation(mixed, train, rule.valid, control=control)
    share = (100 - 60) / 160 / (1 - 60 / 160)
    assert found.excess.value == pytest.approx(share)
    assert found.excess.low < share - 0.05
    with pytest.raises(ec.InputError, match="support counts exact matches"):
        innovation(mixed, train, rule.valid, support=rule.size, criterion="ratio")
    with pytest.raises(ec.InputError, match="is_valid must be a function of samples, got GroupParity"):
        innovation(mixed, train, rule)
