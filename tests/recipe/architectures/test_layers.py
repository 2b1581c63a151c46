"""Products of scalar layers (T8, T9) against integration of all their factors, and against each other."""

import numpy as np
import pytest
import scipy.integrate
from recipes import OBJECTIVES

import eigenclock as ec

VARIANCE = np.array([0.0, 1e-3, 0.4, 20.0])
SIGMA = np.array([0.05, 0.6, 5.0])
TIME = np.array([0.0, 1e-3, 0.1, 1.0, 7.0, 300.0])
LR = 0.02
NETWORKS = [
    ec.TwoLayer((0.3, 0.3)),
    ec.TwoLayer((0.5, 0.1)),
    ec.TwoLayer((0.5, 0.0)),
    ec.TwoLayer((-0.3, 0.2)),
    ec.TwoLayer((1.5, 0.01)),
    ec.DeepLinear(1, 0.1),
    ec.DeepLinear(2, 0.1),
    ec.DeepLinear(3, 0.1),
    ec.DeepLinear(6, 0.1),
    ec.DeepLinear(3, (0.5, 0.2, 0.2)),
    ec.DeepLinear(3, (0.5, 0.2, -0.1)),
    ec.DeepLinear(4, (0.5, 0.0, 0.7, -0.3)),
    ec.Residual(1),
    ec.Residual(3),
    ec.Residual(3, (-0.5, 0.1, -1.2)),
]


def factors(network):
    """The scalars at time 0, written out."""
    match network:
        case ec.TwoLayer():
            return np.array(network.init)
        case ec.DeepLinear():
            return (
                np.array(network.init)
                if isinstance(network.init, tuple)
                else np.full(network.depth, network.init ** (1 / network.depth))
            )
        case ec.Residual():
            return 1 + np.broadcast_to(network.init, network.depth)


def integrated(network, regression, lr, time):
    """p_i' = −2·lr·w·Π_{j≠i}p_j·(κΠp − χ) for every factor, mode and noise level at once."""
    kappa, chi = regression.curvature.ravel(), regression.cross_moment.ravel()
    rate = 2 * lr * np.broadcast_to(regression.rate, regression.curvature.shape).ravel()
    start = factors(network)
    shape = (start.size, kappa.size)

    def slope(_, flat):
        p = flat.reshape(shape)
        error = rate * (kappa * p.prod(axis=0) - chi)
        return -np.stack([error * np.delete(p, i, axis=0).prod(axis=0) for i in range(start.size)]).ravel()

    flat = np.repeat(start, kappa.size).astype(float)
    solution = scipy.integrate.solve_ivp(
        slope, (0, time[-1]), flat, method="LSODA", t_eval=time, rtol=1e-12, atol=1e-14
    )
    return solution.y.reshape(*shape, -1).prod(axis=0).T.reshape(time.size, *regression.curvature.shape)


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_gain_solves_the_equations_of_all_layers(network, objective):
    regression = objective.regression(VARIANCE, SIGMA)
    got = network.network_gain(regression, ec.GradientFlow(LR), TIME)
    expected = integrated(network, regression, LR, TIME)
    assert np.abs(got - expected).max() <= 1e-8 * (1 + np.abs(expected).max())


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_balanced_layers_of_opposite_sign_cannot_cross_zero(objective):
    """The factors' own equations are unstable off p = −q; with u = −e^y, y' = −4·lr·w·(κe^y + χ) is not."""
    network, regression = ec.TwoLayer((-0.3, 0.3)), objective.regression(VARIANCE, SIGMA)
    kappa, chi = regression.curvature.ravel(), regression.cross_moment.ravel()
    rate = 4 * LR * np.broadcast_to(regression.rate, regression.curvature.shape).ravel()
    solution = scipy.integrate.solve_ivp(
        lambda _, y: -rate * (kappa * np.exp(y) + chi),
        (0, TIME[-1]),
        np.full(kappa.size, np.log(0.09)),
        method="Radau",
        t_eval=TIME,
        rtol=1e-11,
        atol=1e-14,
    )
    got = network.network_gain(regression, ec.GradientFlow(LR), TIME)
    assert np.abs(got.reshape(TIME.size, -1) + np.exp(solution.y.T)).max() < 1e-9
    assert (got <= 0).all()
    deep = ec.DeepLinear(2, (-0.3, 0.3)).network_gain(regression, ec.GradientFlow(LR), TIME)
    assert np.abs(got - deep).max() < 1e-10


@pytest.mark.parametrize("network", [*NETWORKS, ec.TwoLayer((-0.3, 0.3))], ids=str)
def test_limits(network):
    for objective in (ec.Denoising(), ec.EDM(), ec.Score()):
        regression = objective.regression(VARIANCE, SIGMA)
        gain = network.network_gain(regression, ec.GradientFlow(LR), np.array([0.0, np.inf]))
        assert np.allclose(gain[0], factors(network).prod(), rtol=1e-14)
        start, sizes = factors(network), np.sort(np.abs(factors(network)))
        barred = start.size > 1 and sizes[0] == sizes[1]  # two smallest layers of one size: the product keeps its sign
        sign = np.prod(np.where(start < 0, -1, 1))
        reachable = sign * np.maximum(sign * regression.optimum, 0) if barred else regression.optimum
        assert np.allclose(gain[1], reachable, rtol=1e-12, atol=1e-12)


WIDE = ec.Denoising().regression(np.geomspace(1e-3, 10, 20), np.geomspace(0.002, 80, 20))


@pytest.mark.parametrize("p", [1e-7, 1e-9, 1e-30, 1e-100])
def test_tiny_starts_still_learn(p):
    """Squares of such factors vanish beside their ends; the Riccati equation does not care."""
    time = np.array([1.0, 1e3, 1e6, np.inf])
    one = ec.TwoLayer((p, p)).network_gain(WIDE, ec.GradientFlow(), time)
    two = ec.DeepLinear(2, (p, p)).network_gain(WIDE, ec.GradientFlow(), time)
    assert np.abs(one - two).max() < 1e-9
    assert np.allclose(ec.DeepLinear(3, p).network_gain(WIDE, ec.GradientFlow(), np.array([np.inf]))[0], WIDE.optimum)


def test_levels_that_are_never_drawn_never_learn():
    """The density underflows to zero: nothing moves, not even for ever."""
    regression = ec.Denoising(density=ec.LogNormal(-1.2, 0.1)).regression(np.array([1.0]), np.array([50.0]))
    for network in (ec.TiedTwoLayer(0.1), ec.TwoLayer((0.5, 0.2)), ec.DeepLinear(3, 0.1), ec.Residual(2)):
        for optimizer in (ec.GradientFlow(0.01), ec.GradientDescent(0.01)):
            gain = network.network_gain(regression, optimizer, np.array([0.0, 1e5, np.inf]))
            assert np.allclose(gain, gain[0], rtol=1e-14)


@pytest.mark.parametrize(
    "network",
    [ec.TwoLayer((0.3, 0.3)), ec.TwoLayer((0.6, -0.2)), ec.TwoLayer((-0.3, 0.3)), ec.DeepLinear(4, 0.05)],
    ids=str,
)
def test_time_to_level_inverts_the_trajectory(network):
    regression = ec.Denoising().regression(np.array([0.4, 20.0]), np.array([0.2, 0.6]))
    start, end = (network.network_gain(regression, ec.GradientFlow(1.0), np.array([t])) for t in (0.0, np.inf))
    for share in (0.1, 0.5, 0.99):
        level = float(start[0, 0, 0] + share * (end[0, 0, 0] - start[0, 0, 0]))
        moment = network.time_to(level, regression, 1.0)
        assert np.isfinite(moment[0, 0])
        for i, k in np.argwhere(np.isfinite(moment)):
            reached = network.network_gain(regression, ec.GradientFlow(1.0), moment[i, k : k + 1])[0, i, k]
            assert reached == pytest.approx(level, rel=1e-9, abs=1e-12)
    assert np.isnan(network.time_to(5.0, regression, 1.0)).all()


@pytest.mark.parametrize("network", [ec.TwoLayer((0.3, 0.2)), ec.DeepLinear(3, 0.2), ec.Residual(2)], ids=str)
def test_descent_approaches_the_flow_at_first_order(network):
    regression = ec.Denoising().regression(np.array([1.0]), np.array([0.5]))
    exact = network.network_gain(regression, ec.GradientFlow(0.02), np.array([40.0]))
    errors = []
    for refinement in (4, 8, 16):
        stepped = network.network_gain(regression, ec.GradientDescent(0.02 / refinement), np.array([40.0 * refinement]))
        errors.append(abs(float((stepped - exact)[0, 0, 0])))
    assert 0.9 < np.log2(errors[0] / errors[1]) < 1.1
    assert 0.9 < np.log2(errors[1] / errors[2]) < 1.1


@pytest.mark.parametrize("network", NETWORKS[:5] + NETWORKS[8:12], ids=str)
def test_stiffness_bounds_the_hessian(network):
    """Largest eigenvalue of the Hessian in all factors, by finite differences, at the start and at rest."""
    regression = ec.EDM().regression(np.array([0.4]), np.array([0.6]))
    kappa, chi = float(regression.curvature[0, 0]), float(regression.cross_moment[0, 0])

    def loss(p):
        return float(regression.rate[0]) * (kappa * np.prod(p) ** 2 - 2 * chi * np.prod(p))

    def hessian(p):
        n, step, out = p.size, 1e-4, np.empty((p.size, p.size))
        for i in range(n):
            for j in range(n):
                a, b = np.eye(n)[i] * step, np.eye(n)[j] * step
                out[i, j] = (loss(p + a + b) - loss(p + a - b) - loss(p - a + b) + loss(p - a - b)) / (4 * step**2)
        return np.linalg.norm(out, 2)

    start = factors(network).astype(float)
    p = start.copy()
    for _ in range(20_000):
        error = 2 * float(regression.rate[0]) * (kappa * np.prod(p) - chi)
        p = p - 0.02 * error * np.array([np.prod(np.delete(p, i)) for i in range(p.size)])
    stiffness = float(network.stiffness(regression)[0, 0])
    assert hessian(start) <= stiffness * (1 + 1e-4) + 1e-6
    assert hessian(p) <= stiffness * (1 + 1e-4) + 1e-6


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ec.DeepLinear(depth=0), r"depth must be a whole number >= 1, got 0"),
        (lambda: ec.Residual(depth=0), r"depth must be a whole number >= 1, got 0"),
        (lambda: ec.DeepLinear(3, 0.0), r"init must be > 0 for depth >= 2, got 0\.0: a fixed point, nothing is ever learned"),
        (
            lambda: ec.DeepLinear(3, (0.0, 0.0, 1.0)),
            r"init must be > 0 for depth >= 2, got \(0\.0, 0\.0, 1\.0\): a fixed point, nothing is ever learned",
        ),
        (lambda: ec.DeepLinear(3, (0.1, 0.2)), r"init must be a number or 3 of them, one per layer, for depth 3, got \(0\.1, 0\.2\)"),
        (lambda: ec.DeepLinear(2, -0.1), r"init must be a finite number >= 0, got -0\.1"),
        (lambda: ec.TwoLayer((0.0, 0.0)), r"init must not be \(0, 0\) for TwoLayer: a fixed point, nothing is ever learned"),
        (lambda: ec.TwoLayer((np.nan, 0.0)), r"init\[0\] must be a finite number, got nan"),
        (lambda: ec.TwoLayer((1e-200, 1.0)), r"init must be 0 or at least 1e-150 in size, got 1e-200"),
        (lambda: ec.Residual(2, -1.0), r"init must not be -1 in two blocks, got -1\.0: a fixed point, nothing is ever learned"),
        (lambda: ec.DeepLinear(20, (1e20,) * 20), r"init must be at most 1e\+50 in size, factors and product, got .*"),
        (
            lambda: ec.predict(ec.Spectrum([1.0]), architecture=ec.DeepLinear(3), optimizer=ec.GradientDescent(1e-5), time=[1e9]),
            r"time must be at most 1e\+06 steps, or inf, for a network of layers under GradientDescent, got 1e\+09: .*",
        ),
        (lambda: ec.Residual(2, (0.1,)), r"init must be a number or 2 of them, one per layer, for depth 2, got \(0\.1,\)"),
        (
            lambda: ec.predict(ec.Spectrum([1.0]), architecture=ec.DeepLinear(3, 2.0), optimizer=ec.GradientDescent(0.01), sampler=ec.Heun(), time=[5.0]),
            r"lr must be smaller for this start, got 0\.01: descent from init=.* diverges on 1 of 1 modes \(0\)",
        ),
    ],
)  # fmt: skip
def test_errors(make, message):
    with pytest.raises(ec.InputError, match=f"^{message}$"):
        make()
