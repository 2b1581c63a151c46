"""Tests of `eigenclock_studies.class_imbalance.random_features`."""

import numpy as np
import pytest
import scipy.linalg
import scipy.stats

from eigenclock_studies.class_imbalance import (
    Mixture,
    RandomFeatures,
    rf_exact_losses,
    rf_moments,
)
from eigenclock_studies.class_imbalance.mixtures import noise
from eigenclock_studies.class_imbalance.random_features import class_losses, combine, flow, steps_of

T, PSI_P = 0.1, 4.0
TWO = Mixture((1.5, 0.5), (0.3, 0.7), 6)


@pytest.fixture(scope="module")
def features():
    """Moments of both classes, with the draws behind them, small enough for any brute force."""
    rng = np.random.default_rng(0)
    centroids, weights = TWO.centroids(rng), rng.standard_normal((24, 6))
    counts = TWO.counts(20)
    points = [TWO.draw(k, int(c), centroids, rng) for k, c in enumerate(counts)]
    parts = [rf_moments(x, weights, t=T, draws=8, rng=np.random.default_rng(1)) for x in points]
    whole = combine(parts, counts / counts.sum())
    lam, vectors = scipy.linalg.eigh(whole.U)
    return points, weights, counts, parts, whole, lam, vectors


def test_flow_against_explicit_descent(features):
    """Steps of size h give exactly ((1 − 2 D λ h/ψ_p)^k − 1)/λ, as a matrix loop has it; the flow is their limit, to first order."""
    _, _, _, _, whole, lam, vectors = features
    d, p, tau = 6, 24, 0.8
    psi_p, errors = p / d, []
    for steps in (2000, 4000):
        h = tau / steps
        a = np.zeros((d, p))
        for _ in range(steps):
            gradient = 2 * noise(T) * d / p * a @ whole.U + 2 * d * np.sqrt(noise(T)) / np.sqrt(p) * whole.V.T
            a = a - h * gradient
        # A/√p = V^T Q diag(g) Q^T/√D
        exact = (
            whole.V.T
            @ vectors
            @ np.diag(steps_of(lam, [steps], h, T, psi_p)[0])
            @ vectors.T
            / np.sqrt(noise(T))
            * np.sqrt(p)
        )
        assert a == pytest.approx(exact, rel=1e-8, abs=1e-9 * np.abs(exact).max())
        flowing = (
            whole.V.T
            @ vectors
            @ np.diag(flow(lam, np.array([tau]), T, psi_p)[0])
            @ vectors.T
            / np.sqrt(noise(T))
            * np.sqrt(p)
        )
        errors.append(np.abs(a - flowing).max())
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.02)


def test_flow_is_descent_of_vanishing_steps_to_1e_8(features):
    """Richardson: two step sizes extrapolated to zero cancel the first order, and reach the flow to 1e-8."""
    *_, lam, _ = features
    tau, psi_p, n = 0.5, 4.0, 100  # more steps would lose digits in 1 − 2Dλh/ψ_p
    coarse, fine, finer = (steps_of(lam, [k], tau / k, T, psi_p)[0] for k in (n, 2 * n, 4 * n))
    first, second = 2 * fine - coarse, 2 * finer - fine
    assert (4 * second - first) / 3 == pytest.approx(flow(lam, np.array([tau]), T, psi_p)[0], rel=1e-8)


def test_too_large_a_step_diverges(features):
    *_, lam, _ = features
    h = 1.01 * 4.0 / (noise(T) * lam[-1])
    grown = np.abs(steps_of(lam, [10, 1000], h, T, 4.0)[:, -1])
    assert grown[1] > 1e3 * grown[0]


def test_losses_are_the_direct_ones_on_the_same_draws(features):
    points, weights, counts, parts, whole, lam, vectors = features
    d, p, tau = 6, 24, 3.0
    g = flow(lam, np.array([tau]), T, p / d)[0]
    a_over = whole.V.T @ vectors @ np.diag(g) @ vectors.T / np.sqrt(noise(T))
    total = 0.0
    for k, x in enumerate(points):
        rng = np.random.default_rng(1)
        half = rng.standard_normal((len(x) * 4, d))
        xi = np.concatenate([half, -half])
        clean = np.tile(np.repeat(np.exp(-T) * x, 4, axis=0), (2, 1))
        seen = (clean + np.sqrt(noise(T)) * xi).astype(np.float32)
        phi = np.tanh(seen @ (weights / np.sqrt(d)).astype(np.float32).T).astype(float)
        direct = ((np.sqrt(noise(T)) * phi @ a_over.T + xi) ** 2).sum() / len(xi) / d
        exact = rf_exact_losses(lam, vectors, parts[k].U, parts[k].V, whole.V, [tau], T, p / d, noise2=parts[k].noise2)[
            0
        ]
        assert exact == pytest.approx(direct, rel=1e-8)
        total += counts[k] / counts.sum() * exact
    over_time = rf_exact_losses(
        lam, vectors, whole.U, whole.V, whole.V, np.geomspace(0.01, 1e6, 200), T, p / d, noise2=whole.noise2
    )
    assert over_time[np.searchsorted(np.geomspace(0.01, 1e6, 200), tau) - 1] > total > over_time[-1]
    assert (np.diff(over_time) <= 1e-12).all()


def test_zero_and_infinite_time(features):
    *_, parts, whole, lam, vectors = features
    start = rf_exact_losses(lam, vectors, parts[0].U, parts[0].V, whole.V, [0.0], T, PSI_P)
    assert start[0] == 1
    wide = np.geomspace(1e-14, 1e2, lam.size)
    late = rf_exact_losses(wide, vectors, parts[0].U, parts[0].V, whole.V, [0.0, 1e6], T, PSI_P)
    assert np.isfinite(late).all()


def test_class_losses_start_at_one_and_repeat():
    setting = RandomFeatures(TWO, 4, 4, draws=8, test=200)
    found = class_losses(setting, 0)
    assert found.shape == (3, 2, 400)
    assert found[:, :, 0] == pytest.approx(np.ones((3, 2)), abs=0.05)  # tau = 0.1, not 0
    assert (found == class_losses(setting, 0)).all()
    assert (found != class_losses(setting, 1)).any()


def test_losses_by_a_matrix_exponential(features):
    """Gradient flow of the weights as an affine system, integrated by expm on its own arrays; losses of the draws themselves."""
    points, weights, _, parts, whole, lam, vectors = features
    d, p, tau = 6, 24, 3.0
    slope, drive = 2 * noise(T) * d / p * whole.U, -2 * d * np.sqrt(noise(T)) / np.sqrt(p) * whole.V
    system = np.zeros((p + d, p + d))
    system[:p, :p], system[:p, p:] = -slope, drive
    a = (scipy.linalg.expm(system * tau)[:p, p:]).T  # A(τ), (d, p), from A(0) = 0
    for k in range(2):
        rng = np.random.default_rng(1)  # the draws that the moments of this class were made of
        repeated = np.repeat(np.exp(-T) * points[k], 4, axis=0)
        half = rng.standard_normal(repeated.shape)
        xi = np.concatenate([half, -half])
        seen = np.concatenate([repeated, repeated]) + np.sqrt(noise(T)) * xi
        score = np.tanh(seen @ weights.T / np.sqrt(d)) @ a.T / np.sqrt(p)
        by_hand = ((np.sqrt(noise(T)) * score + xi) ** 2).sum(axis=1).mean() / d
        moments = parts[k]
        found = rf_exact_losses(lam, vectors, moments.U, moments.V, whole.V, [tau], T, p / d, noise2=moments.noise2)
        assert found[0] == pytest.approx(by_hand, rel=1e-5)  # features are float32 in the moments
