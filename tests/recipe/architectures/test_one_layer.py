"""The gains against numerical integration of the scalar training equations and against their limits."""

import numpy as np
import pytest
import scipy.integrate
from recipes import OBJECTIVES

import eigenclock as ec

VARIANCE = np.array([0.0, 1e-3, 0.4, 20.0])
SIGMA = np.array([0.05, 0.6, 5.0])
TIME = np.array([0.0, 1e-3, 0.1, 1.0, 7.0])
LR = 0.02
EQUATIONS = {
    ec.OneLayer: lambda f, kappa, chi: -2 * (kappa * f - chi),
    ec.TiedTwoLayer: lambda f, kappa, chi: -8 * f * (kappa * f - chi),
}
"""f' of a mode under gradient flow, in units of lr × weight × density (T4, T7)."""


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
@pytest.mark.parametrize("init", [0.0, 0.1, 0.6])
@pytest.mark.parametrize("architecture", EQUATIONS)
def test_gain_solves_its_equation(objective, init, architecture):
    """Integrated numerically, mode by mode and level by level."""
    regression = objective.regression(VARIANCE, SIGMA)
    got = architecture(init).network_gain(regression, ec.GradientFlow(LR), TIME)
    kappa, chi = regression.curvature.ravel(), regression.cross_moment.ravel()
    rate = LR * np.broadcast_to(regression.rate, regression.curvature.shape).ravel()
    solution = scipy.integrate.solve_ivp(
        lambda _, f: rate * EQUATIONS[architecture](f, kappa, chi),
        (0, TIME[-1]),
        np.full(kappa.size, init),
        method="Radau",
        t_eval=TIME,
        rtol=1e-11,
        atol=1e-14,
    )
    assert np.allclose(got.reshape(TIME.size, -1), solution.y.T, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
@pytest.mark.parametrize(
    "optimizer", [ec.GradientFlow(1e-4), ec.GradientDescent(1e-5), ec.HeavyBall(1e-5, 0.5)], ids=str
)
@pytest.mark.parametrize("architecture", [ec.OneLayer(0.1), ec.TiedTwoLayer(0.1)], ids=str)
def test_limits(objective, optimizer, architecture):
    regression = objective.regression(VARIANCE, SIGMA)
    gain = architecture.network_gain(regression, optimizer, np.array([0.0, np.inf]))
    reachable = regression.optimum if isinstance(architecture, ec.OneLayer) else np.maximum(regression.optimum, 0)
    assert np.abs(gain[0] - 0.1).max() <= 1e-16
    assert np.allclose(gain[1], reachable, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("architecture", [ec.OneLayer(0.2), ec.TiedTwoLayer(0.2)], ids=str)
def test_stiffness_bounds_the_second_derivative(architecture):
    """By finite differences of the loss in the parameter (f, or p with f = p²)."""
    regression = ec.EDM().regression(VARIANCE, SIGMA)
    square = isinstance(architecture, ec.TiedTwoLayer)
    stiffness = architecture.stiffness(regression)

    def loss(parameter):
        return regression.density * regression.loss(parameter**2 if square else parameter)

    for gain in (np.full_like(stiffness, 0.2), np.maximum(regression.optimum, 0)):
        p, step = np.sqrt(gain) if square else gain, 1e-4
        second = (loss(p + step) - 2 * loss(p) + loss(p - step)) / step**2
        assert (second <= stiffness * (1 + 1e-5) + 1e-5).all()


def test_infinite_time_does_not_hide_divergence():
    regression = ec.Denoising().regression(np.array([1.0]), np.array([0.5]))
    for time in ([np.inf], [0.0, np.inf], [100.0]):
        with pytest.raises(ec.InputError, match=r"^lr must be smaller for this start"):
            ec.TiedTwoLayer(50.0).network_gain(regression, ec.GradientDescent(0.04), np.array(time))
