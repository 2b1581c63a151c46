"""Tests of `eigenclock_studies.class_imbalance.spectrum_equations`."""

import numpy as np
import pytest
import scipy.linalg
import scipy.stats

from eigenclock_studies.class_imbalance import (
    Mixture,
    SharedPhase,
    hermite_coefficients,
    rf_density,
    rf_moments,
    rf_resolvent,
)
from eigenclock_studies.class_imbalance.mixtures import noise
from eigenclock_studies.class_imbalance.random_features import combine
from eigenclock_studies.class_imbalance.spectrum_equations import overfitting_edge

T, PSI_P = 0.1, 4.0
CHECKS = [  # d = ∞, tanh, t = 0.1, psi_p = 16, psi_n = 4, computed independently
    ((1.0,), (1.0,), (7.72819728, 1.80181477, 0.31765539)),
    ((1.5, 0.5), (0.5, 0.5), (7.83992440, 1.80650476, 0.31794224)),
    ((1.5, 0.5), (0.1, 0.9), (8.27611386, 1.83674648, 0.31953706)),
    ((1.5, 1.0, 0.5), (0.2, 0.3, 0.5), (7.96421033, 1.81638084, 0.31844469)),
]


@pytest.mark.parametrize(("var", "pi", "expected"), CHECKS)
def test_resolvent_at_known_points(var, pi, expected):
    q, residual = rf_resolvent([-0.1, -0.5, -3.0], var, pi, 16, 4, T)
    assert q.real == pytest.approx(expected, rel=1e-6)
    assert np.abs(q.imag).max() < 1e-9
    assert residual.max() < 1e-9


@pytest.mark.parametrize("pi", [(0.5, 0.5), (0.1, 0.9)])
def test_equal_classes_are_one_class(pi):
    q, _ = rf_resolvent([-0.5], (1.0, 1.0), pi, 16, 4, T)
    one, _ = rf_resolvent([-0.5], (1.0,), (1.0,), 16, 4, T)
    assert q.real == pytest.approx(one.real, rel=1e-9)


def test_density_has_mass_one_and_the_right_mean():
    lam = np.r_[np.arange(-0.3, 0.4, 0.001), np.arange(0.4, 14, 0.004)]
    density = rf_density(lam, (1.5, 0.5), (0.5, 0.5), 16, 4, T)
    assert density.min() > 0
    assert np.trapezoid(density, lam) == pytest.approx(1, rel=0.02)
    above_one = lam > 1
    assert np.trapezoid(density[above_one], lam[above_one]) == pytest.approx(1 / 16, rel=0.02)
    total = np.mean([hermite_coefficients(v, T).total for v in (1.5, 0.5)])
    assert np.trapezoid(density * lam, lam) == pytest.approx(total, rel=0.02)
    assert rf_density(np.array([5.0, 0.05]), (1.5, 0.5), (0.5, 0.5), 16, 4, T) == pytest.approx(
        [0.008029, 1.808196], rel=1e-3
    )


def test_resolvent_against_a_drawn_matrix():
    rng, d = np.random.default_rng(0), 32
    mixture = Mixture((1.5, 0.5), (0.5, 0.5), d)
    centroids, counts = mixture.centroids(rng), mixture.counts(4 * d)
    weights = rng.standard_normal((16 * d, d))
    parts = [
        rf_moments(mixture.draw(k, int(c), centroids, rng), weights, t=T, draws=32, rng=rng)
        for k, c in enumerate(counts)
    ]
    eigenvalues = scipy.linalg.eigvalsh(combine(parts, counts / counts.sum()).U)
    q, _ = rf_resolvent([-0.5], (1.5, 0.5), (0.5, 0.5), 16, 4, T)
    assert (1 / (eigenvalues + 0.5)).mean() == pytest.approx(q[0].real, rel=0.05)


def test_coefficients():
    high, low = hermite_coefficients(1.5, T), hermite_coefficients(0.5, T)
    assert (high.a, high.b, high.v2, high.s2) == pytest.approx((0.543059, 0.231211, 0.0251441, 0.0161563), abs=1e-5)
    assert (low.a, low.b, low.v2, low.s2) == pytest.approx((0.698703, 0.297478, 0.0039893, 0.0089676), abs=1e-5)
    for one, variance in ((high, 1.5), (low, 0.5)):
        assert one.a == pytest.approx(one.kappa, rel=1e-6)
        assert one.b == pytest.approx(np.sqrt(noise(T)) * one.kappa, rel=1e-6)
        assert one.a**2 * np.exp(-2 * T) * variance + one.b**2 + one.v2 + one.s2 == pytest.approx(one.total, rel=1e-12)
    straight = hermite_coefficients(1.5, T, lambda x: x)
    assert (straight.v2, straight.s2) == pytest.approx((0, 0), abs=1e-12)


def test_shared_phase():
    phase = SharedPhase.of((1.5, 0.5), (0.5, 0.5), T)
    assert phase.best_time(0) == pytest.approx(10.58, abs=0.01)
    assert np.isnan(phase.best_time(1))
    tau = np.geomspace(0.1, 100, 2000)
    assert tau[phase.loss(tau, 0).argmin()] == pytest.approx(phase.best_time(0), rel=0.01)
    assert phase.loss(0.0, 1) == 1
    assert overfitting_edge(1.5, 0.5, 16, 4, 0.01, T) > overfitting_edge(0.5, 0.5, 16, 4, 0.01, T)
