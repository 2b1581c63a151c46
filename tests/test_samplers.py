import numpy as np
import pytest
import scipy.integrate
from recipes import OBJECTIVES

import eigenclock as ec


def trained_variance(sampler, variance):
    """Generated variance of the optimal denoiser."""
    return ec.predict(ec.Spectrum(variance), sampler=sampler, time=[np.inf]).variance.values[0]


@pytest.mark.parametrize(("steps", "percent"), [(20, ["26", "21", "15", "7"]), (40, ["2.2", "4.1", "3.1", "1.6"])])
def test_heun_inflates_variance_as_in_t6(steps, percent):
    variance = np.array([1e-4, 1e-3, 1e-2, 1.0])
    inflation = 100 * (trained_variance(ec.Heun(steps=steps), variance) / variance - 1)
    print(f"EDM–Heun, {steps} steps: {inflation.round(2)} %")
    assert [f"{value:.{len(p.partition('.')[2])}f}" for value, p in zip(inflation, percent, strict=True)] == percent


@pytest.mark.parametrize(("sampler", "order"), [(ec.Euler, 1), (ec.Heun, 2)])
def test_steps_converge_to_the_flow_at_their_order(sampler, order):
    """With the final jump to zero noise made negligible, error falls as steps^−order."""
    variance = np.array([0.5, 2.0])
    exact = trained_variance(ec.ProbabilityFlow(0.05, 5.0), variance)
    errors = []
    for steps in (400, 800, 1600):
        chosen = sampler(steps=steps, sigma_min=0.05, sigma_max=5.0)
        final = (variance / (variance + 0.05**2)) ** 2  # the last step multiplies x by ψ(σ_min)
        errors.append(np.abs(trained_variance(chosen, variance) / final / exact - 1).max())
    assert abs(np.log2(errors[0] / errors[1]) - order) < 0.1
    assert abs(np.log2(errors[1] / errors[2]) - order) < 0.1


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


def test_churn_of_zero_is_heun_and_many_steps_approach_the_flow():
    variance = np.array([0.5, 2.0])
    assert np.allclose(
        trained_variance(ec.Stochastic(20, churn=0.0), variance), trained_variance(ec.Heun(20), variance), rtol=1e-14
    )
    errors = []
    for steps in (500, 1000, 2000):
        chosen = ec.EulerMaruyama(steps=steps, sigma_min=0.05, sigma_max=5.0)
        # the reverse diffusion from N(0, σ_max²): v = λ²/(λ+σ²)·(...) solved exactly for the optimal denoiser
        start, end = 25.0, 0.05**2
        shrink = (variance + end) / (variance + start)
        exact = shrink**2 * start + (variance + end) * (1 - shrink)
        final = (variance / (variance + end)) ** 2
        errors.append(np.abs(trained_variance(chosen, variance) / (final * exact) - 1).max())
    assert abs(np.log2(errors[0] / errors[1]) - 1) < 0.1
    assert abs(np.log2(errors[1] / errors[2]) - 1) < 0.1


def test_noise_levels_of_edm():
    """Karras et al. (2022), Eq. 5, at its ends and in between."""
    levels = ec.Heun(steps=5, rho=7).levels
    root = levels ** (1 / 7)
    assert levels[0] == pytest.approx(80, rel=1e-14)
    assert levels[-1] == pytest.approx(0.002, rel=1e-12)
    assert np.allclose(np.diff(root), np.diff(root)[0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ec.ProbabilityFlow(2.0, 1.0),
            r"^sigma_min must be >= 0 and < sigma_max, got sigma_min=2, sigma_max=1$",
        ),
        (lambda: ec.Heun(sigma_min=3.0, sigma_max=3.0), r"^sigma_min must be >= 0 and < sigma_max"),
        (lambda: ec.Euler(sigma_min=0.0), r"^sigma_min must be a finite number > 0, got 0\.0$"),
        (lambda: ec.Euler(steps=1), r"^steps must be a whole number >= 2, got 1$"),
        (lambda: ec.Heun(rho=0.5), r"^rho must be a finite number >= 1, got 0\.5$"),
        (lambda: ec.ProbabilityFlow(nodes=1), r"^nodes must be a whole number >= 2, got 1$"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ec.InputError, match=message):
        make()
