"""Shared weights across noise levels (T13): limits, features, and the explicit network in tests/simulation/test_simulate.py."""

import numpy as np
import pytest
import scipy.integrate

import eigenclock as ec

VARIANCE, SIGMA = np.array([3.0, 0.2, 0.0]), np.geomspace(0.05, 5.0, 7)
TIME = np.array([0.0, 0.5, 20.0, 1e3, np.inf])
DENSITY = ec.LogNormal(-0.5, 1.0)
FLOW, PRECONDITIONED = ec.GradientFlow(0.05), ec.EDM(density=DENSITY)


def gain(kernel, objective=PRECONDITIONED, optimizer=FLOW, time=TIME, **options):
    regression = objective.regression(VARIANCE, SIGMA)
    return ec.Coupled(kernel, **options).network_gain(regression, optimizer, time)


def test_a_narrow_kernel_trains_every_level_alone():
    """K → δ is one layer; a Gaussian smooths what it carries by its variance ℓ², so the error falls as ℓ²."""
    regression = ec.EDM(density=DENSITY).regression(VARIANCE, SIGMA)
    alone = ec.OneLayer(0.0).network_gain(regression, ec.GradientFlow(0.05), TIME[:3])
    errors = [
        np.abs(gain(ec.GaussianKernel(length), levels=256, time=TIME[:3]) - alone).max() for length in (0.4, 0.2, 0.1)
    ]
    assert 3.5 < errors[0] / errors[1] < 4.5
    assert 3.5 < errors[1] / errors[2] < 4.5


def test_training_levels_solve_the_integral_equation():
    """∂f/∂τ = −2·lr·∫K p w (κf − χ) d ln σ' as an ODE on the quadrature's own levels."""
    objective, kernel = ec.Velocity(density=DENSITY), ec.GaussianKernel(0.8)
    network = ec.Coupled(kernel, init=0.3, levels=40)
    sigma, share = network.training_levels
    regression = objective.regression(np.array([0.7]), sigma)
    reach = kernel.matrix(sigma, sigma)
    rate = share * regression.rate

    def slope(_, f):
        return -2 * 0.05 * reach @ (rate * (regression.curvature[0] * f - regression.cross_moment[0]))

    time = np.array([1.0, 30.0, 400.0])
    solution = scipy.integrate.solve_ivp(
        slope, (0, 400), np.full(40, 0.3), method="LSODA", t_eval=time, rtol=1e-12, atol=1e-14
    )
    got = network.network_gain(regression, ec.GradientFlow(0.05), time)
    assert np.abs(got[:, 0] - solution.y.T).max() < 1e-9


def test_one_feature_learns_one_gain_for_all_levels():
    """φ = 1: the weighted least squares of all levels together."""
    objective = ec.Denoising(density=DENSITY)
    one = gain(ec.FeatureMap(lambda sigma: np.ones((sigma.size, 1))), objective, levels=200)
    assert np.ptp(one, axis=2).max() < 1e-12
    sigma, share = ec.Coupled(levels=200).training_levels
    regression = objective.regression(VARIANCE, sigma)
    weight = share * regression.rate
    best = (weight * regression.cross_moment).sum(axis=1) / (weight * regression.curvature).sum(axis=1)
    assert np.allclose(one[-1, :, 0], best, rtol=1e-10, atol=1e-14)


def test_a_feature_map_equals_its_kernel_matrix():
    network = ec.Coupled(
        ec.FeatureMap(lambda s: np.stack([np.cos(np.log(s) / 3), np.sin(np.log(s) / 3)], axis=1)), levels=60
    )
    sigma, _ = network.training_levels
    regression = ec.EDM(density=DENSITY).regression(VARIANCE, sigma)
    one, two = (
        chosen.network_gain(regression, ec.GradientDescent(0.02), TIME) for chosen in (network, network.storable())
    )
    assert np.abs(one - two).max() < 1e-12


def test_discrete_optimizers_take_steps(rng):
    """Explicit heavy ball on the features of a kernel, three levels deep in the quadrature."""
    kernel, optimizer = ec.GaussianKernel(2.0), ec.HeavyBall(0.03, 0.5)
    network = ec.Coupled(kernel, init=0.1, levels=12, sigma_min=0.1, sigma_max=5.0)
    sigma, share = network.training_levels
    regression = ec.EDM().regression(np.array([0.9]), sigma)
    values, vectors = np.linalg.eigh(kernel.matrix(sigma, sigma))
    features = vectors * np.sqrt(np.maximum(values, 0))
    weights, before, states = np.zeros(12), np.zeros(12), []
    for _ in range(50):
        f = 0.1 + features @ weights
        slope = features.T @ (2 * share * regression.rate * (regression.curvature[0] * f - regression.cross_moment[0]))
        weights, before = weights - 0.03 * slope + 0.5 * (weights - before), weights
        states.append(0.1 + features @ weights)
    got = network.network_gain(regression, optimizer, np.arange(1.0, 51.0))
    assert np.abs(got[:, 0] - np.array(states)).max() < 1e-11


def test_recipes_of_coupled_levels_survive_a_file(tmp_path):
    curve = ec.predict(
        ec.Spectrum([1.0, 0.1]),
        objective=ec.EDM(density=ec.LogNormal()),
        architecture=ec.Coupled(ec.FeatureMap(lambda s: np.stack([np.ones_like(s), np.log(s)], axis=1)), levels=8),
        time=[1.0],
    )
    curve.save(tmp_path / "curve.nc")
    loaded = ec.LearningCurve.load(tmp_path / "curve.nc")
    assert isinstance(loaded.recipe.architecture.kernel, ec.KernelMatrix)
    assert loaded.recipe.objective == curve.recipe.objective


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ec.KernelMatrix([1.0, 2.0], [[1.0, 2.0], [2.0, 1.0]]), r"kernel must be positive semi-definite, got an eigenvalue of -1"),
        (lambda: ec.KernelMatrix([1.0, 2.0], [[1.0, 0.5], [0.0, 1.0]]), r"kernel must be symmetric and not zero, got an asymmetry of 0\.5"),
        (lambda: ec.KernelMatrix([1.0, 2.0], [[1.0]]), r"values must be \(sigma, sigma\) at increasing sigma, got \(1, 1\) and 2 levels"),
        (lambda: ec.Coupled(ec.FeatureMap(lambda s: s)), r"features must give shape \(128, feature\), got \(128,\)"),
        (lambda: ec.Coupled(ec.FeatureMap(lambda s: s[:, None] * np.nan)), r"features must be .* got nan at index \(0, 0\) .*"),
        (lambda: ec.GaussianKernel(0.0), r"length must be a finite number > 0, got 0\.0"),
        (lambda: ec.Coupled(ec.GaussianKernel(0.01)), r"length must be >= 0\.0828 for 128 training levels, got 0\.01: use more levels, .*"),
        (lambda: ec.Coupled(levels=1), r"levels must be a whole number >= 2, got 1"),
        (
            lambda: ec.predict(ec.Spectrum([1.0]), architecture=ec.Coupled(), optimizer=ec.GradientDescent(1.0), time=[1.0]),
            r"lr must be < .* diverges on 1 of 1 modes \(0\) .*",
        ),
    ],
)  # fmt: skip
def test_errors(make, message):
    with pytest.raises(ec.InputError, match=f"^{message}$"):
        make()
