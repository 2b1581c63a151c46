"""Tests of `eigenclock.theory.flow_clocks`."""

import numpy as np
import pytest
import scipy.integrate

import eigenclock as ec
from eigenclock.theory.flow_clocks import (
    linear_mode_variance,
    mode_clocks,
    predicted_mode_clocks,
    second_order_distance,
    time_to_learn,
)


@pytest.mark.parametrize("weighting", ["uniform", "logit-normal"])
def test_linear_generator_against_descent_and_integration(weighting):
    """Gains by explicit descent of the flow-matching risk on a grid of t, variance by solving the flow: first order in the step."""
    lam, eta, steps = 0.3, 0.02, 100

    def density(t):
        normal = np.exp(-(np.log(t / (1 - t)) ** 2) / 2) / (np.sqrt(2 * np.pi) * t * (1 - t))
        return 1.0 if weighting == "uniform" else normal

    def gain(t):
        c = lam * t**2 + (1 - t) ** 2
        w = (2 * t - 1) / (t**2 + (1 - t) ** 2)
        for _ in range(steps):  # half the risk E|w·x_t − (x₁ − x₀)|² has slope c·w − (λt − (1 − t)); the rate is 2ηp
            w -= 2 * eta * density(t) * (c * w - (lam * t - (1 - t)))
        return w

    exponent, _ = scipy.integrate.quad(gain, 1e-9, 1 - 1e-9, limit=200)
    found = linear_mode_variance([lam], [steps], eta, weighting)[0, 0]
    assert found == pytest.approx(np.exp(2 * exponent), rel=0.02)
    fine = linear_mode_variance([lam], [steps * 1000], eta / 1000, weighting)[0, 0]
    assert fine == pytest.approx(found, rel=1e-12)  # time is rate times steps


def test_linear_generator_in_its_limits():
    lam = np.array([0.01, 0.3, 1.0, 4.0, 30.0])
    assert np.allclose(linear_mode_variance(lam, [0.0]), 1, atol=1e-12)
    assert np.allclose(linear_mode_variance(lam, [1e6], weighting="uniform"), lam, rtol=1e-3)
    assert np.allclose(linear_mode_variance([1.0], np.geomspace(1e-2, 1e6, 9)), 1, atol=1e-12)
    times = predicted_mode_clocks([30.0, 8.0, 3.0, 1.0, 0.3, 0.1, 0.01])
    assert np.isnan(times[3])
    assert (np.diff(times[:3]) > 0).all()
    assert (np.diff(times[4:]) > 0).all()
    for bad in ([0.0], [-1.0], [np.nan]):
        with pytest.raises(ec.InputError, match="lam"):
            linear_mode_variance(bad, [1.0])


def test_linear_generator_is_the_core_theory():
    """The same gain as the package's own flow matching under gradient flow, from the same start, at noise level (1 − t)/t."""
    lam, t, step = 0.3, 0.4, 2.0
    sigma = (1 - t) / t
    c, best, start = (
        lam * t**2 + (1 - t) ** 2,
        (lam * t - (1 - t)) / (lam * t**2 + (1 - t) ** 2),
        (2 * t - 1) / (t**2 + (1 - t) ** 2),
    )
    ours = best + (start - best) * np.exp(-2 * c * step)
    curve = ec.predict(
        ec.Spectrum([lam]),
        objective=ec.FlowMatching(),
        architecture=ec.OneLayer(init=start),
        optimizer=ec.GradientFlow(lr=1.0),
        time=[step],
        sigma=[sigma],
        keep_gain=True,
    )
    psi = float(curve.gain[0, 0, 0])
    objective = ec.FlowMatching().row(np.array([sigma]))
    network = (psi - float(objective.offset[0])) / float(objective.slope[0])
    assert abs(network) == pytest.approx(abs(ours), rel=1e-10)


def test_clocks_of_modes_and_of_the_whole():
    lam = np.array([4.0, 1.1, 0.25])
    steps = np.geomspace(1, 1e4, 200)
    var = lam + (1 - lam) * np.exp(-steps[:, None] / 100)
    found = mode_clocks(steps, var, lam)
    assert found.gray_zone.tolist() == [False, True, False]
    exact = -100 * np.log((np.sqrt(lam) - lam) / (1 - lam))
    assert np.allclose(found.time[[0, 2]], exact[[0, 2]], rtol=1e-2)  # log-linear between 200 records over four decades
    assert second_order_distance(lam, lam) == 0
    assert second_order_distance(np.ones(2), np.array([4.0, 0.25])) == pytest.approx(1.25 / 4.25)
    assert time_to_learn([1.0, 1.0]) == 0
    assert time_to_learn([2.0, 0.01]) > time_to_learn([2.0, 0.5]) > 0
    with pytest.raises(ec.InputError, match=r"var must have shape \(step, mode\) = \(200, 3\), got \(200, 2\)"):
        mode_clocks(steps, var[:, :2], lam)


@pytest.mark.parametrize("weighting", ["uniform", "logit-normal"])
def test_time_to_learn_is_the_first_step_of_its_grid(weighting):
    """Halving finds what looking at all four hundred steps finds: the distance never grows again."""
    steps = np.concatenate([[0.0], np.geomspace(1e-3, 1e8, 400)])
    for variance in (np.geomspace(4, 1e-3, 12), np.array([1.3, 0.9, 0.8]), np.full(3, 5.0), np.full(2, 1e9)):
        distance = second_order_distance(linear_mode_variance(variance, steps, weighting=weighting), variance)
        assert (np.diff(distance) <= 1e-12).all()  # up to rounding of the quadrature's sum
        found, after = time_to_learn(variance, weighting=weighting), int((distance <= 0.02).argmax())
        assert np.isinf(found) if distance.min() > 0.02 else steps[max(after - 1, 0)] <= found <= steps[after]
