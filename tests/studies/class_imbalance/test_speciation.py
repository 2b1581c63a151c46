"""Tests of `eigenclock_studies.class_imbalance.speciation`."""

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
from support.clones import clone_agreement

from eigenclock_studies.class_imbalance import return_probability, speciation_time
from eigenclock_studies.class_imbalance.speciation import exact_score, log_joint, normalised_returns, posterior

TIMES = np.arange(0.05, 6.3, 0.1)


@pytest.mark.parametrize(
    ("d", "pi", "expected"),
    [
        (256, (1 / 3,) * 3, (2.38, 2.38, 2.38)),
        (256, (0.949, 0.05, 0.001), (2.20, 2.20, 1.77)),
        (64, (0.949, 0.05, 0.001), (1.51, 1.51, 1.08)),
        (64, (0.9, 0.09, 0.01), (1.57, 1.58, 1.26)),
    ],
)
def test_speciation_times(d, pi, expected):
    r = normalised_returns(return_probability(pi, np.sqrt(d) * np.eye(3, d), np.ones(3), TIMES, pairs=1500), pi)
    found = [speciation_time(TIMES, r[:, k]) for k in range(3)]
    assert found == pytest.approx(expected, abs=0.05)
    assert r[0] == pytest.approx(np.ones(3), abs=1e-6)
    assert np.abs(return_and_normalise(pi, d, 8.0)).max() < 0.01


def return_and_normalise(pi, d, t):
    return normalised_returns(return_probability(pi, np.sqrt(d) * np.eye(3, d), np.ones(3), [t], pairs=1500), pi)


def test_detailed_balance_and_permutation():
    pi, d = np.array([0.6, 0.3, 0.1]), 16
    mu, var = np.sqrt(d) * np.eye(3, d), np.array([1.0, 0.5, 1.5])
    returns = return_probability(pi, mu, var, [0.3, 0.8, 1.5], pairs=20_000)
    assert returns.sum(axis=2) == pytest.approx(np.ones((3, 3)))
    balance = pi[:, None] * returns
    assert balance == pytest.approx(balance.transpose(0, 2, 1), abs=2e-3)
    order = [2, 0, 1]
    again = return_probability(pi[order], mu[order], var[order], [0.3, 0.8, 1.5], pairs=20_000)
    assert again == pytest.approx(returns[:, order][:, :, order], abs=0.02)


@pytest.mark.parametrize("share", [0.5, 0.05, 0.001])
def test_two_classes_by_quadrature(share):
    """R_k = E[1/(1 + ((1 − pi)/pi) exp(−2Λ − 2√Λ g))], Λ = e^{−2t}|mu|²/G; both normalised curves are one."""
    d, mu = 16, np.array([[1.0], [-1.0]]) * np.ones((1, 16))
    x, weight = np.polynomial.hermite_e.hermegauss(120)
    pi = (share, 1 - share)
    returns = return_probability(pi, mu, (1.0, 1.0), [0.5, 1.5, 2.5], pairs=40_000)
    for a, t in enumerate((0.5, 1.5, 2.5)):
        size = np.exp(-2 * t) * d
        exact = [
            float(weight @ (1 / (1 + (1 - p) / p * np.exp(-2 * size - 2 * np.sqrt(size) * x))) / weight.sum())
            for p in pi
        ]
        assert np.diag(returns[a]) == pytest.approx(exact, abs=0.01)
        assert pi[0] * (1 - exact[0]) == pytest.approx(pi[1] * (1 - exact[1]), abs=1e-8)
    r = normalised_returns(returns, pi)
    assert r[:, 0] == pytest.approx(r[:, 1])


def test_exact_score_is_the_gradient(rng):
    pi, mu, var = (0.7, 0.3), rng.standard_normal((2, 3)), (1.5, 0.5)
    x, h = rng.standard_normal((5, 3)), 1e-5
    p = lambda y: scipy.special.logsumexp(log_joint(y, 0.4, np.array(pi), mu, np.array(var)), axis=1)  # noqa: E731
    slope = np.stack([(p(x + h * e) - p(x - h * e)) / (2 * h) for e in np.eye(3)], axis=1)
    assert exact_score(x, 0.4, pi, mu, var) == pytest.approx(slope, abs=1e-7)
    assert posterior(x, 0.4, pi, mu, var).sum(axis=1) == pytest.approx(np.ones(5))


def test_clones_agree_with_the_exact_values():
    d = 16
    mu = np.sqrt(d) * np.eye(3, d)
    found = clone_agreement((0.6, 0.3, 0.1), mu, np.ones(3), 0.9, pairs=400, steps=80)
    # four binomial standard errors, and the bias of 80 Euler steps
    for seen, exact in zip((found.same, *found.again), (found.same_exact, *found.again_exact), strict=True):
        assert abs(seen.value - exact) < 4 * np.sqrt(exact * (1 - exact) / seen.n) + 0.03
    rare = clone_agreement((0.98, 0.01, 0.01), mu, np.ones(3), 0.9, pairs=100, steps=40)
    assert rare.from_data == (False, True, True)


def test_speciation_time_by_hand():
    assert speciation_time([1.0, 2.0, 3.0], [1.0, 0.75, 0.25]) == 2.5
    assert np.isnan(speciation_time([1.0, 2.0], [0.4, 0.3]))
    assert speciation_time([1.0, 2.0], [0.9, 0.8]) == np.inf
    assert speciation_time([1.0, 2.0, 3.0, 4.0], [1.0, 0.4, 0.6, 0.2]) == 3.25  # the largest
