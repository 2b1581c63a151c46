"""Rules on bits against the whole cube, and their exact denoisers against enumeration."""

import numpy as np
import pytest
from support.small_rules import SMALL, cube

import eigenclock as ec
from eigenclock.exact import (
    boxplus,
    empirical_denoiser,
    factorised,
    loss_ledger,
    parity_denoiser,
    parity_logpdf,
    rule_denoiser,
)
from eigenclock.exact.rules import Permutation
from eigenclock.observables.innovation import innovation


def by_enumeration(y, sigma, rule):
    corners = rule.encode(cube(rule.D)[rule.valid(cube(rule.D))])
    logits = y @ corners.T / sigma**2
    weight = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weight / weight.sum(axis=1, keepdims=True) @ corners


@pytest.mark.parametrize("group", [2, 3, 4, 5])
@pytest.mark.parametrize("sigma", [0.002, 0.02, 0.05, 0.3, 0.7, 1.5, 10.0])
def test_parity_denoiser_is_enumeration(group, sigma, rng):
    rule, corners = ec.GroupParity(group, group), 2.0 * cube(group) - 1
    y = np.concatenate([3 * rng.standard_normal((100, group)), corners, 7 * corners, corners + 0.01 * rng.standard_normal(corners.shape), np.zeros((1, group))])  # fmt: skip
    found = parity_denoiser(y, sigma, rule)
    # rounding of the exponents y/sigma², in both ways of computing
    bound = 32 * np.finfo(float).eps * (1 + np.abs(y / sigma**2).max(axis=1, keepdims=True))
    assert np.isfinite(found).all()
    assert (np.abs(found - by_enumeration(y, sigma, rule)) <= bound).all()
    if sigma >= 0.05:
        assert np.abs(found - by_enumeration(y, sigma, rule)).max() <= 1e-10


@pytest.mark.parametrize("rule", [rule for rule in SMALL if isinstance(rule, ec.GroupParity | ec.NoRule)], ids=repr)
@pytest.mark.parametrize("sigma", [0.05, 0.3, 1.0, 30.0])
def test_every_rule_denoiser_is_enumeration(rule, sigma, rng):
    y = np.concatenate([rule.encode(rule.sample(20, rng)) + sigma * rng.standard_normal((20, rule.D)), 2 * rng.standard_normal((20, rule.D))])  # fmt: skip
    found = rule_denoiser(y, sigma, rule)
    assert np.abs(found - by_enumeration(y, sigma, rule)).max() <= 1e-10
    points = rule.encode(cube(rule.D)[rule.valid(cube(rule.D))])
    assert np.abs(empirical_denoiser(y, sigma, points) - found).max() <= 1e-10


def test_denoisers_do_what_they_must(rng):
    rule = ec.GroupParity(12, 4)
    y = rng.standard_normal((50, 12))
    assert np.abs(parity_denoiser(y, 1e4, rule)).max() < 1e-6
    order = rng.permutation(4)
    within = y.reshape(50, 3, 4)[:, :, order].reshape(50, 12)
    assert parity_denoiser(within, 0.5, rule) == pytest.approx(
        parity_denoiser(y, 0.5, rule).reshape(50, 3, 4)[:, :, order].reshape(50, 12)
    )
    assert empirical_denoiser(y, 0.5, y[:1]) == pytest.approx(np.repeat(y[:1], 50, axis=0))
    far = empirical_denoiser(1e4 * y, 0.01, y)
    assert np.isfinite(far).all()
    assert factorised(y, 0.7) == pytest.approx(np.tanh(y / 0.49))


def test_boxplus_is_the_product_of_signs(rng):
    a, b = 3 * rng.standard_normal((2, 1000))
    assert boxplus(a, b) == pytest.approx(2 * np.arctanh(np.tanh(a / 2) * np.tanh(b / 2)), rel=1e-9, abs=1e-13)
    assert boxplus(1e6, -2e6) == pytest.approx(-1e6)


def test_log_density_and_score(rng):
    rule, sigma = ec.GroupParity(2, 2), 0.6
    grid = np.linspace(-6, 6, 401)
    points = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    mass = np.exp(parity_logpdf(points, sigma, rule)).sum() * (grid[1] - grid[0]) ** 2
    assert mass == pytest.approx(
        1, abs=1e-9
    )  # the trapezium rule of a Gaussian mixture converges faster than any power
    rule, sigma, h = ec.GroupParity(8, 4), 0.5, 1e-4
    y = rng.standard_normal((10, 8))
    slope = np.stack(
        [(parity_logpdf(y + h * e, sigma, rule) - parity_logpdf(y - h * e, sigma, rule)) / (2 * h) for e in np.eye(8)],
        axis=1,
    )
    score = (parity_denoiser(y, sigma, rule) - y) / sigma**2
    assert slope == pytest.approx(score, rel=1e-5, abs=1e-6)


@pytest.fixture(scope="module")
def parity():
    rule = ec.GroupParity(24, 4)
    train, control = rule.split(256, np.random.default_rng(1))
    return rule, train, control


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ec.GroupParity(24, 5), "G must divide D = 24, got 5"),
        (lambda: ec.GroupParity(24, 1), "G must be a whole number >= 2, got 1"),
        (lambda: ec.GroupParity(66, 3), "D must be at most 64, got 66"),
        (lambda: ec.GroupWeight(24, 4, k=4), "k must be 1 to G - 1 = 3, got 4"),
        (lambda: ec.GroupWeight(24, 4, k=0), "k must be a whole number >= 1, got 0"),
        (lambda: Permutation(9), "n must be 2 to 8, got 9"),
        (lambda: ec.GroupParity(12, 3).split(100, np.random.default_rng(0)), "N must be at most a quarter of the 256 valid samples, got 100"),
        (lambda: ec.GroupParity(12, 3).split(20, np.random.default_rng(0)), "N must be at most 0.02 of the 256 valid samples, got 20"),
        (lambda: ec.GroupParity(12, 3).split(0, np.random.default_rng(0)), "N must be a whole number >= 1, got 0"),
        (lambda: ec.GroupParity(4, 4).valid([[0, 1, 2, 0]]), "bits must be 0 or 1, got 2"),
        (lambda: ec.GroupParity(4, 4).valid([[0, 1, 1]]), r"bits must have shape \(n, 4\), got \(1, 3\)"),
        (lambda: ec.GroupParity(4, 4).decode([[0.1, np.nan, 1, 1]]), "values must be finite to be read as bits, got NaN or inf"),
        (lambda: parity_denoiser(np.zeros((1, 4)), 0.0, ec.GroupParity(4, 4)), "sigma must be a finite number > 0, got 0.0"),
        (lambda: parity_denoiser(np.zeros((1, 5)), 1.0, ec.GroupParity(4, 4)), r"y must have shape \(n, 4\), got \(1, 5\)"),
        (lambda: parity_denoiser(np.full((1, 4), np.nan), 1.0, ec.GroupParity(4, 4)), "y must be finite numbers"),
        (lambda: empirical_denoiser(np.zeros((1, 4)), 1.0, np.zeros((0, 4))), r"train must have shape \(m, D\) with m >= 1"),
        (lambda: rule_denoiser(np.zeros((1, 4)), 1.0, ec.GroupWeight(4, 4)), "no closed-form denoiser for GroupWeight"),
        (lambda: loss_ledger(Permutation(3), 1), "rule must be a GroupParity or NoRule, whose best denoisers are known"),
        (lambda: innovation(np.zeros((40, 4)), np.zeros((0, 4)), lambda x: x[:, 0] == 0), "train must hold at least one sample"),
        (lambda: innovation(np.zeros((40, 4)), np.zeros((5, 4)), lambda x: x), "is_valid must answer with 40 booleans, one per sample"),
        (lambda: innovation(np.zeros((40, 4)), np.zeros((5, 4)), lambda x: x[:, 0] == 0, support=4), "train must not be larger than the support, got 5 samples and support = 4"),
        (lambda: innovation(np.zeros((40, 4)), np.zeros((5, 4)), lambda x: x[:, 0] == 0, chance=1.0), "chance must be a finite number >= 0 and < 1, got 1.0"),
    ],
)  # fmt: skip
def test_errors(call, message):
    with pytest.raises(ec.InputError, match=message):
        call()


def test_noise_levels_and_samples_may_be_tensors():
    import torch

    y = torch.randn(5, 8, generator=torch.Generator().manual_seed(0), requires_grad=True)
    rule = ec.GroupParity(8, 4)
    assert (ec.exact.rule_denoiser(y, torch.tensor(0.5), rule) == rule_denoiser(y.detach().numpy(), 0.5, rule)).all()


def test_bits_in_another_coding_are_refused_not_missed(parity):
    rule, train, control = parity
    with pytest.raises(
        ec.InputError, match="samples must take the values of train, 0 and 1, got -1: decode them first"
    ):
        innovation(rule.encode(train), train, lambda x: rule.valid((x > 0).astype(int)), control=control)
    assert ec.memorization(train.astype(np.uint8), train, control, criterion="exact").copies.value == 1
