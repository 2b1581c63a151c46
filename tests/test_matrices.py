"""Networks that mix modes (T14, App. E.1.2) and the transport that carries them (T5, T6)."""

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg

import eigenclock as ec
from eigenclock.recipe.architectures.matrices import Denoiser
from eigenclock.recipe.samplers.transport import exponential
from eigenclock.theory.matrices import carried

SPECTRUM = ec.Spectrum([2.0, 0.5, 0.1], mean=[0.5, -1.0, 0.0])


@pytest.mark.parametrize("size", [1e-8, 0.3, 4.0, 40.0])
def test_exponential_of_a_stack(rng, size):
    stack = size * (rng.standard_normal((6, 3, 3)) + 1j * rng.standard_normal((6, 3, 3))) / 3
    expected = np.stack([scipy.linalg.expm(matrix) for matrix in stack])
    assert np.abs(exponential(stack, np.eye(3)) - expected).max() <= 1e-12 * np.abs(expected).max()


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


def test_affine_weights_solve_their_gradient_flow():
    """d[W b]/dτ = −2·lr·w·([W b]M − E Y(X, 1)ᵀ), moments written out from samples of a known Gaussian."""
    sigma, lr, moments = np.array([0.4, 3.0]), 0.05, np.array([0.3, 4.0, 50.0])
    mean, covariance = SPECTRUM.mean, np.diag(SPECTRUM.variance)
    got = list(ec.Affine(0.2, 0.5).denoisers(ec.Denoising(), SPECTRUM, sigma, ec.GradientFlow(lr), moments))
    for i, level in enumerate(sigma):
        noisy = covariance + np.outer(mean, mean) + level**2 * np.eye(3)
        second = np.block([[noisy, mean[:, None]], [mean[None], np.ones((1, 1))]])
        cross = np.column_stack([covariance + np.outer(mean, mean), mean])

        def slope(_, flat, second=second, cross=cross):
            return (-2 * lr * (flat.reshape(3, 4) @ second - cross)).ravel()

        start = np.column_stack([0.2 * np.eye(3), 0.5 * mean]).ravel()
        solution = scipy.integrate.solve_ivp(
            slope, (0, 50), start, method="LSODA", t_eval=moments, rtol=1e-12, atol=1e-14
        )
        for j in range(3):
            expected = solution.y[:, j].reshape(3, 4)
            assert np.abs(got[j].linear[i] - expected[:, :3]).max() < 1e-9
            assert np.abs(got[j].shift[i] - expected[:, 3]).max() < 1e-9


def test_without_a_mean_affine_is_one_layer():
    spectrum = ec.Spectrum([2.0, 0.3], mean=[0.0, 0.0])
    recipe = {"objective": ec.EDM(), "time": [0.0, 1.0, 20.0], "sampler": ec.Heun(steps=12)}
    affine, one = (ec.predict(spectrum, architecture=a, **recipe) for a in (ec.Affine(0.1), ec.OneLayer(0.1)))
    assert np.allclose(affine.variance, one.variance, rtol=1e-12)
    assert np.abs(affine.generated_mean).max() == 0
    assert np.allclose(affine.kl(), one.kl(), rtol=1e-9)
    assert np.allclose(affine.wasserstein(), one.wasserstein(), rtol=1e-7, atol=1e-7)


def test_modes_along_the_mean_overshoot():
    """The same noise level, with and without mean along the mode: W first learns λ + μ² as if it were variance."""
    along = ec.Spectrum([0.5, 0.1], mean=[2.0, 0.0])
    recipe = {"time": np.geomspace(1e-2, 1e3, 60), "optimizer": ec.GradientFlow(0.1), "sampler": ec.Heun(steps=6)}
    curve = ec.predict(along, architecture=ec.Affine(0.0), sigma=[1.0], keep_gain=True, **recipe)
    mixed, best = curve.gain.values[:, :, 0], along.variance / (along.variance + 1)
    assert mixed[:, 0].max() > 1.5 * best[0]
    assert mixed[-1, 0] == pytest.approx(best[0], rel=1e-6)
    known = ec.predict(along, architecture=ec.OneLayer(0.0), sigma=[1.0], keep_gain=True, **recipe).gain.values[:, :, 0]
    assert known.max(axis=0) == pytest.approx(best, rel=1e-6)
    assert np.allclose(mixed[:, 1], known[:, 1], rtol=1e-9), "no mean along it, no overshoot"


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


START = np.array([[0.3, 0.2, -0.1], [0.1, 0.2, 0.15], [-0.2, 0.1, 0.25]])


def test_overlaps_of_one_layer_decay_with_the_mode_they_come_from():
    """W_ij(τ) = W_ij(0)·e^{−2·lr·(λ_j + σ²)τ} off the diagonal."""
    sigma, time = np.array([0.5]), np.array([0.7])
    network = ec.UnalignedOneLayer(ec.MatrixStart(START))
    (got,) = network.denoisers(ec.Denoising(), SPECTRUM, sigma, ec.GradientFlow(1.0), time)
    decay = np.exp(-2 * (SPECTRUM.variance + 0.25) * 0.7)
    off = ~np.eye(3, dtype=bool)
    assert np.allclose(got.linear[0][off], (START * decay)[off], rtol=1e-12)


@pytest.mark.parametrize("kind", [ec.UnalignedOneLayer, ec.UnalignedTiedTwoLayer])
def test_aligned_starts_are_the_plain_networks(kind):
    gain = 0.2
    scale = gain if kind is ec.UnalignedOneLayer else np.sqrt(gain)
    plain = ec.OneLayer(gain) if kind is ec.UnalignedOneLayer else ec.TiedTwoLayer(gain)
    recipe = {"optimizer": ec.GradientFlow(0.02), "sampler": ec.Heun(steps=8, sigma_max=5.0), "time": [0.0, 3.0, 30.0]}
    mixed = ec.predict(SPECTRUM, architecture=kind(ec.MatrixStart(scale * np.eye(3))), **recipe)
    assert np.allclose(mixed.variance, ec.predict(SPECTRUM, architecture=plain, **recipe).variance, rtol=1e-7)
    assert np.allclose(mixed.alignment, 1)


def test_overlaps_of_tied_layers_rise_and_fall():
    """App. E.1.2: from a small random start an overlap of two learnable modes peaks before it vanishes; for one layer it only falls."""
    spectrum, sigma = ec.Spectrum([1.0, 0.8, 0.1]), np.array([0.3])
    time = np.concatenate([[0.0], np.geomspace(0.1, 400, 80)])
    start = ec.MatrixStart(0.3 * START)
    histories = {}
    for kind in (ec.UnalignedTiedTwoLayer, ec.UnalignedOneLayer):
        states = kind(start).denoisers(ec.Denoising(), spectrum, sigma, ec.GradientFlow(0.1), time)
        histories[kind] = np.abs([state.linear[0, 0, 1] for state in states])
    tied, one = histories.values()
    assert tied.max() > 5 * tied[0]
    assert tied[-1] < 1e-3 * tied.max()
    assert (np.diff(one) <= 0).all()


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
