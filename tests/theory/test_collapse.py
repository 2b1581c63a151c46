"""The collapse and refine clocks in theory: closed forms against descent, quadrature, perturbation and Monte Carlo."""

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg

import eigenclock as ec
from eigenclock.clocks.passage import Clock
from eigenclock.theory import collapse

LAM = np.array([1.0, 0.6, 0.3])
D, SIGMA = 7, 0.2


@pytest.fixture(scope="module")
def basis():
    return np.linalg.qr(np.random.default_rng(0).standard_normal((D, D)))[0]


def risk_of(matrix, covariance, sigma):
    """E|M(x + σz) − x|², from its definition."""
    left = matrix - np.eye(len(matrix))
    return np.trace(left @ covariance @ left.T) + sigma**2 * (matrix**2).sum()


@pytest.mark.parametrize("width", [1, 3, 5])
def test_best_bottleneck(width, basis, rng):
    """Risk, clean error and Wasserstein distance from the matrix; trained factors reach it from random starts."""
    covariance = basis[:, :3] * LAM @ basis[:, :3].T
    best = collapse.optimal_map(covariance, SIGMA, width)
    assert risk_of(best, covariance, SIGMA) / SIGMA**2 == pytest.approx(
        collapse.optimal_risk(LAM, SIGMA, width), rel=1e-10
    )
    clean = np.trace((best - np.eye(D)) @ covariance @ (best - np.eye(D)).T)
    assert clean == pytest.approx(collapse.reconstruction_error(LAM, SIGMA, width), rel=1e-10)
    zero = np.zeros(D)
    distance = ec.divergences.wasserstein_full(zero, covariance, zero, best @ covariance @ best.T)
    assert distance**2 == pytest.approx(clean, abs=2e-7)  # square roots of rounding, 1e-8, in each empty direction
    total = covariance + SIGMA**2 * np.eye(D)
    for _ in range(2):
        e, g = 0.3 * rng.standard_normal((width, D)), 0.3 * rng.standard_normal((D, width))
        for _ in range(20_000):
            error = g @ e @ total - covariance
            e, g = e - 0.2 * g.T @ error, g - 0.2 * error @ e.T
        assert np.abs(g @ e - best).max() < 1e-6


def test_one_layer_from_any_start(basis, rng):
    """The closed form against the differential equation of the matrix, and the core's gain where the start is aligned."""
    covariance = basis[:, :3] * LAM @ basis[:, :3].T
    total = covariance + SIGMA**2 * np.eye(D)
    start, time = 0.4 * rng.standard_normal((D, D)), np.array([0.0, 0.3, 3.0, 30.0])
    flow = scipy.integrate.solve_ivp(
        lambda t, m: -(m.reshape(D, D) @ total - covariance).ravel(),
        (0, 30),
        start.ravel(),
        "DOP853",
        time,
        rtol=1e-11,
        atol=1e-13,
    )
    numeric = [risk_of(m.reshape(D, D), covariance, SIGMA) / SIGMA**2 for m in flow.y.T]
    exact = collapse.one_layer_risk(time / 2, start, basis[:, :3], LAM, SIGMA)  # the equation above is of half the risk
    assert np.allclose(exact, numeric, atol=1e-6)
    aligned = collapse.one_layer_risk(time, 0.5 * np.eye(D), basis[:, :3], LAM, SIGMA)
    core = collapse.collapse_curve(LAM, D, SIGMA, time=time, architecture=ec.OneLayer(init=0.5))
    assert np.allclose(core, aligned, rtol=1e-12)


@pytest.mark.parametrize(("tied", "rate"), [(False, 1.0), (True, 2.0)])
def test_two_layers(tied, rate, basis):
    """m(t) = m*/(1 + (m*/m₀ − 1)e^{−2λt}) (tied: 4λ), off the manifold m₀/(1 + 2σ²m₀t), against descent and the core."""
    m0, time = 0.05, np.array([0.0, 1.0, 5.0, 40.0])
    best = LAM / (LAM + SIGMA**2)
    on = best / (1 + (best / m0 - 1) * np.exp(-2 * rate * LAM * time[:, None]))
    off = m0 / (1 + 2 * rate * SIGMA**2 * m0 * time)
    closed = (LAM * (1 - on) ** 2 / SIGMA**2 + on**2).sum(1) + (D - 3) * off**2
    covariance = basis[:, :3] * LAM @ basis[:, :3].T
    total = covariance + SIGMA**2 * np.eye(D)
    root = np.sqrt(m0) * np.eye(D)

    def slope(t, state):
        if tied:
            w = state.reshape(D, D)
            error = w @ w.T @ total - covariance
            return -((error + error.T) @ w).ravel()
        e, g = state.reshape(2, D, D)
        error = g @ e @ total - covariance
        return -np.stack([g.T @ error, error @ e.T]).ravel()

    begin = root.ravel() if tied else np.stack([root, root]).ravel()
    flow = scipy.integrate.solve_ivp(slope, (0, 40), begin, "DOP853", time, rtol=1e-11, atol=1e-13)
    maps = [
        y.reshape(D, D) @ y.reshape(D, D).T if tied else y.reshape(2, D, D)[1] @ y.reshape(2, D, D)[0] for y in flow.y.T
    ]
    assert np.allclose([risk_of(m, covariance, SIGMA) / SIGMA**2 for m in maps], closed, atol=1e-6)
    architecture = ec.TiedTwoLayer(init=m0) if tied else ec.TwoLayer(init=(m0**0.5, m0**0.5))
    core = collapse.collapse_curve(LAM, D, SIGMA, time=time / 2, architecture=architecture)
    assert np.allclose(core, closed, rtol=1e-10)


def test_collapse_clock_is_the_first_passage_of_its_curve():
    """Root finding against the shared first-passage code on a fine record; a Bayes risk above the target is refused."""
    time = np.geomspace(1e-2, 1e3, 20_000)
    curve = collapse.collapse_curve(LAM, D, SIGMA, time=time, architecture=ec.TwoLayer(init=(0.2, 0.2)))
    seen = Clock("risk", 1.5 * 3, "falling").of(time, curve.values).time[0]
    clock = collapse.collapse_time(LAM, D, SIGMA, architecture=ec.TwoLayer(init=(0.2, 0.2)))
    assert clock == pytest.approx(seen, rel=1e-3)
    with pytest.raises(ec.InputError, match="delta must put"):
        collapse.collapse_time(LAM, D, 0.01, delta=-0.2)
    assert collapse.collapse_time(LAM, D, SIGMA, delta=100.0, architecture=ec.OneLayer(init=0.5)) == 0
    assert collapse.collapse_time(LAM, D, SIGMA, architecture=ec.TiedTwoLayer(init=0.0)) == np.inf


def test_a_network_that_gives_nothing_has_not_collapsed():
    """Where σ² exceeds the variances, ρ = Σλ/σ² of D = 0 is below the target from the start: said, as by a fitted model."""
    with pytest.warns(
        ec.InputWarning, match=r"the best ρ is 0.31, below 0.75·k with k = 2: sigma = 2 smooths the density away"
    ):
        assert collapse.collapse_time([1.0, 0.5], 64, 2.0) == 0
    assert 1.0 / 4 + 0.5 / 4 < 1.5 * 2  # the risk of D = 0, from its definition


@pytest.mark.parametrize(("power", "slope"), [(0, -2), (-2, 0), (-4, 2)])
def test_weighting_sets_the_time_of_collapse(power, slope):
    """T ∝ σ^{+2, 0, −2} for score, noise and clean weights 1, here as rates σ^power; a start on the identity. Within 0.1."""
    sigma = np.array([0.01, 0.02])
    times = [
        collapse.collapse_time(LAM, 64, s, architecture=ec.OneLayer(init=1.0), optimizer=ec.GradientFlow(lr=s**power))
        for s in sigma
    ]
    assert np.log(times[1] / times[0]) / np.log(2) == pytest.approx(slope, abs=0.1)


def test_refine_clock(rng):
    """Excess risk of the score against explicit descent on its matrix; the clock solves it."""
    c, tau, step = np.array([1.5, 0.5, 0.1]), 0.3, 1e-4
    gain = np.zeros(3)
    for _ in range(10_000):  # half the score-matching risk of s = az: slope (c + τ²)a + 1
        gain = gain - step * ((c + tau**2) * gain + 1)
    numeric = ((gain + 1 / (c + tau**2)) ** 2 * (c + tau**2)).sum()
    assert collapse.refine_excess(0.5, c, tau) == pytest.approx(numeric, rel=2e-3)  # first order in the step
    clock = collapse.refine_time(c, tau, null=5)
    start = collapse.refine_excess(0.0, c, tau, null=5)
    assert collapse.refine_excess(clock, c, tau, null=5) == pytest.approx(0.1 * start, rel=1e-9)
    assert clock > collapse.refine_time(c, tau)  # ambient directions are the slow ones


def test_samples_that_geometry_and_density_need(rng):
    """E KL by 20,000 draws, four standard errors; the subspace is exact from n = k samples on."""
    for k, n, value in ((2, 20, 0.0986), (3, 50, 0.0691)):
        assert collapse.density_error(k, n) == pytest.approx(value, abs=5e-5)
        x = rng.standard_normal((20_000, n, k))
        sample = np.einsum("dni,dnj->dij", x, x) / n
        inverse = np.linalg.inv(sample)
        drawn = (np.trace(inverse, axis1=1, axis2=2) - k + np.linalg.slogdet(sample)[1]) / 2
        assert drawn.mean() == pytest.approx(collapse.density_error(k, n), abs=4 * drawn.std() / np.sqrt(20_000))
    covariance, sigma = np.diag([1.0, 0.6, 0.3, 0.0, 0.0]), 1e-3
    for n, reached in ((2, False), (3, True)):
        x = rng.standard_normal((n, 3)) * np.sqrt(LAM) @ np.eye(3, 5)
        found = collapse.optimal_map(x.T @ x / n, sigma, 5)
        assert (abs(risk_of(found, covariance, sigma) / sigma**2 - 3) < 0.1) == reached
    with pytest.raises(ec.InputError, match="n must be a whole number >= 4"):
        collapse.density_error(2, 3)


@pytest.mark.parametrize("ratio", [0.01, 1.0, 30.0])
def test_what_errors_cost(ratio):
    """Both costs against finite perturbations of the best map of one direction, 1e-3."""
    lam, small = 1.0, 1e-4
    sigma = np.sqrt(ratio * lam)
    covariance, floor = np.diag([lam, 0.0]), sigma**2 * lam / (lam + sigma**2)

    def cost(direction, variance):
        best = variance / (variance + sigma**2) * np.outer(direction, direction)
        return (risk_of(best, covariance, sigma) - floor) / floor

    turned = np.array([np.cos(small), np.sin(small)])
    assert cost(turned, lam) == pytest.approx(collapse.rotation_cost(small, ratio), rel=1e-3, abs=1e-13)
    # second order in q, so centred: the cubic terms cancel
    moved = (cost(np.array([1.0, 0.0]), lam * 1.01) + cost(np.array([1.0, 0.0]), lam * 0.99)) / 2
    assert moved == pytest.approx(collapse.variance_cost(0.01, ratio), rel=1e-3)
