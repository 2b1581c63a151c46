"""Networks that mix modes (T14, App. E.1.2) and the transport that carries them (T5, T6)."""

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg

import eigenclock as ec
from eigenclock.recipe.architectures.matrices import Denoiser
from eigenclock.theory.matrices import carried

SPECTRUM = ec.Spectrum([2.0, 0.5, 0.1], mean=[0.5, -1.0, 0.0])


def noncommuting(sigma):
    """Denoisers whose matrices share no eigenvectors across noise levels."""
    twist = np.array([[0.0, 0.3, 0.1], [-0.2, 0.0, 0.2], [0.1, 0.0, 0.1]])
    best = np.diag(SPECTRUM.variance)[None] / (np.diag(SPECTRUM.variance).max() + sigma[:, None, None] ** 2)
    return best + twist * np.exp(-(sigma[:, None, None] ** 2))


def test_matrix_steps_are_of_sixth_order():
    """Against an ODE integrator with 1e-12; three nodes a step."""
    shift = np.array([0.3, -0.2, 0.1])

    def slope(u, flat):
        state, sigma = flat.reshape(3, 4), np.exp(np.array([u]))
        return (
            (np.eye(3) - noncommuting(sigma)[0]) @ state - np.outer(shift, [0, 0, 0, 1]) * sigma / (1 + sigma)
        ).ravel()

    start = np.column_stack([80 * np.eye(3), np.zeros(3)])
    solution = scipy.integrate.solve_ivp(
        slope, (np.log(80), np.log(0.002)), start.ravel(), method="DOP853", rtol=1e-12, atol=1e-12
    )
    end = solution.y[:, -1].reshape(3, 4)
    errors = []
    for nodes in (60, 120, 240):
        flow = ec.ProbabilityFlow(nodes=nodes)
        sigma = flow.matrix_levels
        mean, covariance = carried(flow, Denoiser(noncommuting(sigma), shift * (sigma / (1 + sigma))[:, None]))
        expected = end[:, :3] @ end[:, :3].T
        errors.append(max(np.abs(covariance / expected - 1).max(), np.abs(mean / end[:, 3] - 1).max()))
    print(errors)
    assert np.log2(errors[0] / errors[1]) > 5.5
    assert errors[1] < 1e-7
    assert errors[2] < 1e-8


def test_samples_have_the_generated_mean_and_covariance(rng):
    x = rng.standard_normal((500, 3)) @ np.array([[1.0, 0.4, 0.0], [0, 0.6, 0.2], [0, 0, 0.3]]) + [1.0, -2.0, 0.5]
    curve = ec.predict(
        ec.Spectrum.from_samples(x),
        architecture=ec.Affine(),
        optimizer=ec.GradientFlow(0.1),
        sampler=ec.Heun(steps=18),
        time=[2.0, 500.0],
        keep_covariance=True,
    )
    n = 40_000
    drawn = curve.sample(n, time=500.0, seed=0)
    # an 18-step Heun sampler is itself off by some percent
    assert np.allclose(drawn.mean(axis=0), x.mean(axis=0), atol=0.05)
    coordinates = curve.spectrum.to_modes(curve.sample(n, time=2.0, seed=1))
    shift = curve.generated_mean.values[0] - curve.dataset["target_mean"].values
    assert np.abs(coordinates.mean(axis=0) - shift).max() < 4 * np.sqrt(curve.variance.values[0].max() / n)
    assert np.allclose(np.cov(coordinates.T), curve.covariance.values[0], atol=0.03 * curve.variance.values[0].max())


def test_an_exploding_start_is_infinite_not_undefined():
    recipe = {"objective": ec.Score(), "time": [0.0, 1.0]}
    for network in (ec.Affine(0.5), ec.UnalignedOneLayer(ec.MatrixStart(0.5 * np.eye(3)))):
        curve = ec.predict(SPECTRUM, architecture=network, **recipe)
        assert np.isinf(curve.initial).all()
        assert np.isinf(curve.wasserstein()[0])
    both = ec.Spectrum.from_power(np.eye(2) * np.ones((3, 1, 1)), channels=True)
    assert np.isinf(ec.predict(both, architecture=ec.LocalConv(1, 0.5), **recipe).initial).all()


def test_simulated_distances_count_the_mean():
    recipe = {
        "architecture": ec.Affine(),
        "optimizer": ec.GradientDescent(1e-4),
        "sampler": ec.Heun(steps=8),
        "time": [0.0, 50.0],
    }
    brute_force = ec.simulate(SPECTRUM, n_particles=None, **recipe)
    theory = ec.predict(SPECTRUM, **recipe)
    assert np.allclose(brute_force.wasserstein(), theory.wasserstein(), rtol=1e-6)
    assert np.allclose(brute_force.kl(), theory.kl(), rtol=1e-6)


def test_alignment_grows_over_training():
    recipe = {
        "optimizer": ec.GradientFlow(0.05),
        "sampler": ec.Heun(steps=10, sigma_max=5.0),
        "time": [0.0, 10.0, 500.0],
    }
    curve = ec.predict(
        ec.Spectrum([1.0, 0.5, 0.2]), architecture=ec.UnalignedOneLayer(ec.GaussianStart(2.0, seed=1)), **recipe
    )
    assert curve.alignment[0] < 0.95
    assert curve.alignment[-1] > 0.999


def test_wide_data_take_seconds():
    """d = 256 × 60 levels: finite, positive, and right in the end. `make benchmark` times it."""
    rng = np.random.default_rng(0)
    spectrum = ec.Spectrum(np.geomspace(10, 1e-3, 256), mean=rng.standard_normal(256))
    curve = ec.predict(spectrum, architecture=ec.Affine(), sampler=ec.ProbabilityFlow(nodes=60), time=[0.1, np.inf])
    assert np.isfinite(curve.variance).all()
    one = ec.predict(ec.Spectrum(spectrum.variance), time=[np.inf])  # 1e-6: Magnus steps of 60 nodes
    assert np.allclose(curve.variance.values[-1], one.variance.values[-1], rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ec.predict(ec.Spectrum([1.0]), architecture=ec.Affine()), r"Affine needs a spectrum with a mean, got none: .*"),
        (
            lambda: ec.predict(ec.Spectrum.from_samples(np.random.default_rng(0).standard_normal((5, 9))), architecture=ec.Affine()),
            r"Affine needs all 9 directions of the data, got 4 modes: .*",
        ),
        (
            lambda: ec.predict(ec.Spectrum.from_samples(np.random.default_rng(0).standard_normal((5, 9))), architecture=ec.UnalignedOneLayer()),
            r"UnalignedOneLayer needs all 9 directions of the data, got 4 modes: .*",
        ),
        (lambda: ec.MatrixStart([[1.0, 2.0]]), r"weights must be a square \(mode, mode\) matrix, got shape \(1, 2\)"),
        (
            lambda: ec.predict(ec.Spectrum([1.0]), architecture=ec.UnalignedOneLayer(ec.MatrixStart(np.eye(2)))),
            r"weights must be 1×1 for 1 modes, got 2×2",
        ),
        (
            lambda: ec.predict(ec.Spectrum([1.0]), architecture=ec.UnalignedTiedTwoLayer(), time=[1e9]),
            r"time must end earlier for UnalignedTiedTwoLayer, got 1e\+09: .*",
        ),
        (lambda: ec.GaussianStart(-1.0), r"scale must be a finite number >= 0, got -1\.0"),
    ],
)  # fmt: skip
def test_errors(make, message):
    with pytest.raises(ec.InputError, match=f"^{message}$"):
        make()
