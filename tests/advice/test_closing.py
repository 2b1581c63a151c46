"""Tests of `eigenclock.advice.closing`: the clock, the shared density, and what never closes."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

import eigenclock as ec
from eigenclock.advice.closing import SHARED, UNITS, Shared, distances, pace, units_to, untrained
from eigenclock.advice.groups import grouped

SPECTRUM = ec.Spectrum.power_law(32, exponent=1.5)
GROUPS, SAMPLER = grouped(SPECTRUM), ec.Heun(steps=20)
FRACTIONS = np.array([0.5, 0.25])


@pytest.mark.parametrize(
    "objective",
    [
        ec.EDM(density=ec.LogNormal()),
        ec.Velocity(density=ec.CosineTime(), weight=ec.MinSNR()),
        ec.Epsilon(path="vp", density=ec.LogNormal(0.0, 1.0)),
    ],
    ids=str,
)
def test_pace_is_the_size_of_an_untrained_networks_gradients(objective):
    """By Monte Carlo: one draw's gradient of w·|W a·y − target|²/2 in the entries of W, at W = 0.

    Input and error are taken from two draws at one noise level: that both are of one draw adds a share of one in d.
    """
    rng, n, d = np.random.default_rng(0), 200_000, 32
    sigma = objective.density.draw(n, rng)
    clean = rng.standard_normal((2, n, d)) * np.sqrt(SPECTRUM.variance)
    noise = rng.standard_normal((2, n, d))
    row = objective.row(sigma)
    seen = row.a[:, None] * (clean[0] + sigma[:, None] * noise[0])
    error = row.c[:, None] * clean[1] + row.e[:, None] * noise[1]
    squares = objective.loss_weight(sigma) ** 2 * (seen**2).mean(axis=1) * (error**2).mean(axis=1)
    assert pace(objective, GROUPS, SAMPLER.sigma_min) == pytest.approx(
        np.sqrt(squares.mean()), rel=0.015
    )  # four standard errors


def test_a_loss_times_a_constant_trains_alike():
    one, many = (ec.EDM(density=ec.LogNormal(), weight=lambda s, k=k: k * np.ones_like(s)) for k in (1.0, 37.0))
    assert np.allclose(distances(one, GROUPS, SAMPLER), distances(many, GROUPS, SAMPLER), rtol=1e-9)


def test_data_of_another_size_ask_for_the_same_training():
    """All lengths times ten: σ_data, noise levels of training and sampling, and the data."""
    small = ec.EDM(sigma_data=0.3, density=ec.LogNormal(-1.0, 1.1))
    large = ec.EDM(sigma_data=3.0, density=ec.LogNormal(-1.0 + np.log(10), 1.1))
    wide = grouped(ec.Spectrum(100 * SPECTRUM.variance))
    far = ec.Heun(steps=20, sigma_min=0.02, sigma_max=800.0)
    ours, theirs = (units_to(distances(*given), FRACTIONS) for given in ((small, GROUPS, SAMPLER), (large, wide, far)))
    assert np.allclose(ours, theirs, rtol=1e-3)  # the shared density is tabulated in steps of 0.02 of ln σ


def test_the_shared_density_is_a_convolution_with_a_normal():
    shared = Shared(ec.EDM(density=ec.LogNormal(-1.0, 1.2)))
    x = np.linspace(-5, 3, 9)
    assert np.allclose(shared(np.exp(x)), scipy.stats.norm(-1.0, np.hypot(1.2, SHARED)).pdf(x), rtol=1e-4)
    weighed = Shared(ec.EDM(density=ec.LogNormal(), weight=ec.MinSNR()))
    product = lambda y: ec.LogNormal()(np.exp([y]))[0] * ec.MinSNR()(np.exp([y]))[0]  # noqa: E731
    by_hand = [
        scipy.integrate.quad(lambda y, at=at: product(y) * scipy.stats.norm.pdf(y, at, SHARED), -14, 10, limit=200)[0]
        for at in x
    ]
    assert np.allclose(weighed(np.exp(x)), by_hand, rtol=1e-3)


def test_no_density_is_an_even_one_over_edms_levels():
    even = ec.DensityTable([0.002, 80.0], [1.0, 1.0])
    assert np.allclose(
        distances(ec.Velocity(), GROUPS, SAMPLER), distances(ec.Velocity(density=even), GROUPS, SAMPLER), rtol=1e-3
    )


def test_distances_are_those_of_the_linear_network():
    """The same prediction, written out: two layers, product of rate and weight blurred, time divided by the pace."""
    objective = ec.Velocity(density=ec.UniformTime(), weight=ec.P2())
    shared = Shared(objective)
    levels = np.exp(np.linspace(-14, 14, 2001))
    known = replace(objective, weight="uniform", density=ec.DensityTable(levels, shared(levels)))
    mass = np.trapezoid(shared(levels), np.log(levels))  # a table has mass 1
    time = UNITS / pace(objective, GROUPS, SAMPLER.sigma_min) * mass
    curve = ec.predict(SPECTRUM, objective=known, architecture=ec.TwoLayer((1.0, 0.0)), sampler=SAMPLER, time=time)
    by_hand = curve.wasserstein() / np.sqrt(curve.total_variance)
    assert np.allclose(distances(objective, GROUPS, SAMPLER), by_hand, rtol=2e-3)


def test_spectral_preconditioning_is_there_from_the_start():
    units = units_to(distances(ec.SpectralEDM(density=ec.LogNormal()), GROUPS, SAMPLER), FRACTIONS)
    assert units.tolist() == [0, 0]
    half = ec.SpectralEDM(density=ec.LogNormal(), power=0.5)
    assert (units_to(distances(half, GROUPS, SAMPLER), FRACTIONS) > 0).all()


def test_levels_that_are_never_trained_cost_what_their_start_costs():
    near = ec.DensityTable([0.5, 1.5], [1.0, 1.0])
    left, missed = untrained(ec.Denoising(path="vp", density=near), GROUPS, SAMPLER)
    assert left == pytest.approx(1.0, rel=1e-6)  # x₀ of the last level stays 0
    assert min(missed) == pytest.approx(0.002)
    assert not any(0.5 <= one <= 1.5 for one in missed)
    narrow = ec.EDM(density=ec.LogNormal(-2.0, 0.8))
    left, missed = untrained(narrow, GROUPS, SAMPLER)
    assert left < 0.05  # it never sees σ = 80, where its start is nearly right
    assert max(missed) == pytest.approx(80)
    assert np.isfinite(units_to(distances(narrow, GROUPS, SAMPLER), FRACTIONS)).all()
