"""Tests of `eigenclock.recipe.samplers.flow`."""

import numpy as np
import pytest
import scipy.integrate
from recipes import OBJECTIVES

import eigenclock as ec


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_quadrature_solves_the_variance_equation(objective):
    """d ln v/d ln σ = 2(1 − ψ), integrated as an ODE from σ_max down."""
    variance, time, architecture = np.array([1e-3, 0.3, 5.0]), np.array([0.7]), ec.OneLayer(0.1)
    flow = ec.ProbabilityFlow(0.01, 20.0, "quadrature")
    recipe = {"objective": objective, "architecture": architecture, "optimizer": ec.GradientFlow(0.3)}
    got = ec.predict(ec.Spectrum(variance), sampler=flow, time=time, **recipe).variance.values[0]

    def slope(u, _):
        regression = objective.regression(variance, np.exp(np.array([u])))
        gain = regression.denoiser_gain(architecture.network_gain(regression, recipe["optimizer"], time))
        return 2 * (1 - gain[0, :, 0])

    solution = scipy.integrate.solve_ivp(
        slope, (np.log(20.0), np.log(0.01)), np.full(3, np.log(400.0)), method="DOP853", rtol=1e-12, atol=1e-12
    )
    assert np.abs(np.log(got) - solution.y[:, -1]).max() < 1e-8


HARD = {
    "oscillating": ({"objective": ec.EDM(), "optimizer": ec.HeavyBall(0.005, 0.95), "time": [100.0]}, [31.6]),
    "steep": (
        {"objective": ec.EDM(density=ec.LogNormal()), "architecture": ec.TiedTwoLayer(0.1), "time": [1e3, 1e6]},
        [1e-3, 1e4],
    ),
    "wide": ({"objective": ec.Epsilon(), "sampler": ec.ProbabilityFlow(1e-8, 1e6), "time": [1.0]}, [1e-6, 1.0]),
}


@pytest.mark.parametrize("case", HARD)
def test_quadrature_refines_itself_where_the_gain_is_hard(case):
    """Against composite Gauss–Legendre on 2,000 panels, which shares neither nodes nor error estimate."""
    options, variance = HARD[case]
    flow = options.get("sampler", ec.ProbabilityFlow())
    got = ec.predict(ec.Spectrum(variance), **options).variance.values
    recipe = ec.Recipe(**{key: value for key, value in options.items() if key != "time"})
    edges = np.linspace(np.log(flow.sigma_min), np.log(flow.sigma_max), 2001)
    x, w = np.polynomial.legendre.leggauss(4)
    half = np.diff(edges)[:, None] / 2
    levels = np.exp((edges[:-1, None] + half) + half * x).ravel()
    regression = recipe.objective.regression(np.array(variance), levels)
    gain = regression.denoiser_gain(
        recipe.architecture.network_gain(regression, recipe.optimizer, np.array(options["time"]))
    )
    expected = flow.sigma_max**2 * np.exp(-2 * (1 - gain) @ (half * w).ravel())
    assert np.abs(np.log(got / expected)).max() < 1e-9


@pytest.mark.parametrize("density", [None, ec.LogNormal()], ids=["equal", "log-normal"])
@pytest.mark.parametrize(
    "architecture",
    [
        ec.TiedTwoLayer(0.1),
        ec.TwoLayer((0.3, 0.3)),
        ec.TwoLayer((0.3, 0.25)),
        ec.DeepLinear(3, 0.1),
        ec.DeepLinear(3, (0.3, 0.29, 0.28)),
    ],
    ids=str,
)
def test_kinks_and_fronts_of_flow_matching(architecture, density):
    """Balanced layers stop at zero where σ > λ; unbalanced ones cross it one level after the other, a front that travels.

    Against 3,800 panels, some of which shrink geometrically towards the kink from both sides.
    """
    objective, time = ec.FlowMatching(density=density), np.array([0.5, 20.0, 220.0, 1e5])
    variance = np.array([1.0, 3.0, 0.005, 30.0])
    got = ec.predict(ec.Spectrum(variance), objective=objective, architecture=architecture, time=time).variance.values
    x, w = np.polynomial.legendre.leggauss(6)
    for k, power in enumerate(variance):
        kink = np.log(power)
        below, above = (np.geomspace(1e-14, reach, 400) for reach in (kink - np.log(0.002), np.log(80) - kink))
        graded = np.concatenate([kink - below, [kink], kink + above])
        edges = np.union1d(graded, np.linspace(np.log(0.002), np.log(80), 3001))
        half = np.diff(edges)[:, None] / 2
        regression = objective.regression(variance[k : k + 1], np.exp((edges[:-1, None] + half) + half * x).ravel())
        gain = regression.denoiser_gain(architecture.network_gain(regression, ec.GradientFlow(), time))
        expected = 80.0**2 * np.exp(-2 * (1 - gain) @ (half * w).ravel())[:, 0]
        assert np.abs(np.log(got[:, k] / expected)).max() < 1e-8
