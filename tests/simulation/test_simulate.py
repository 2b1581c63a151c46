"""Theory and brute force, written apart, meet here."""

import numpy as np
import pytest
from recipes import ARCHITECTURES, OBJECTIVES, OPTIMIZERS, PAIRS, ROUTES, SAMPLERS

import eigenclock as ec

SPECTRUM = ec.Spectrum([2.0, 0.5, 0.1, 0.0])
PATCHES = {
    "objective": ec.EDM(),
    "architecture": ec.OneLayer(0.0),
    "optimizer": ec.GradientDescent(lr=0.01),
    "sampler": ec.Heun(steps=10),
}
"""How real patches are trained on."""
FLOW_DISCRETISATION = 1e-6
"""Fourth-order steps of ln(10)/60 in ln σ: (0.04)⁴/120 per unit, times the few units of the range."""


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_prediction_equals_full_matrix_descent(objective, architecture, optimizer, sampler):
    recipe = {
        "objective": objective,
        "architecture": architecture,
        "optimizer": optimizer,
        "sampler": sampler,
        "time": [0.0, 1.0, 7.0, 30.0],
        "sigma": [0.4, 2.0],
        "keep_gain": True,
        "keep_loss": True,
    }
    theory = ec.predict(SPECTRUM, **recipe)
    brute_force = ec.simulate(SPECTRUM, n_particles=None, **recipe)
    assert np.abs(theory.gain - brute_force.gain).max() <= 1e-8
    scale = np.abs(theory.loss).max()
    assert np.abs(theory.loss - brute_force.loss).max() <= 1e-8 * scale
    tolerance = FLOW_DISCRETISATION if isinstance(sampler, ec.ProbabilityFlow) else 1e-8
    for name in ("variance", "initial"):
        one, two = getattr(theory, name).values, getattr(brute_force, name).values
        assert np.allclose(one, two, rtol=tolerance, atol=1e-14)
    assert np.abs(brute_force.alignment - 1).max() < 1e-12


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_every_objective_with_every_architecture(objective, pair):
    """Gain, loss, variance, covariance, mean and alignment: theory against whole matrices, by four routes."""
    architecture, spectrum = PAIRS[pair]
    for optimizer, sampler in ROUTES:
        recipe = {
            "objective": objective,
            "architecture": architecture,
            "optimizer": optimizer,
            "sampler": sampler,
            "time": [0.0, 1.0, 7.0, 30.0],
            "sigma": [0.4, 2.0],
            "keep_gain": True,
            "keep_loss": True,
            "keep_covariance": True,
        }
        theory = ec.predict(spectrum, **recipe)
        brute_force = ec.simulate(spectrum, n_particles=None, **recipe)
        flow = isinstance(sampler, ec.ProbabilityFlow)
        if flow and isinstance(objective, ec.Score):
            continue  # an untrained score blows up as e^{σ²}: 60 Runge–Kutta steps are no reference for it
        for name in ("gain", "loss", "variance", "initial", "covariance", "generated_mean", "alignment"):
            if name in theory.dataset:
                one, two = theory.dataset[name].values, brute_force.dataset[name].values
                discretised = flow and name not in ("gain", "loss")
                tolerance = FLOW_DISCRETISATION if discretised else 1e-8
                # a zero start generates exactly nothing in theory, and rounding in brute force
                assert np.abs(one - two).max() <= tolerance * np.abs(two).max() + 1e-25, (name, optimizer, sampler)


@pytest.mark.parametrize("pair", PAIRS)
def test_explicit_descent_approaches_gradient_flow_at_first_order(pair):
    """Half the step, twice as many: half the error, for every architecture."""
    architecture, spectrum = PAIRS[pair]
    recipe = {
        "objective": ec.EDM(),
        "architecture": architecture,
        "sampler": ec.Heun(steps=4, sigma_min=0.3, sigma_max=3.0),
    }
    flow = ec.predict(
        spectrum, optimizer=ec.GradientFlow(0.002), time=[40.0], sigma=[0.4, 2.0], keep_gain=True, **recipe
    )
    errors = []
    for refinement in (1, 2, 4):
        steps = ec.simulate(
            spectrum,
            optimizer=ec.GradientDescent(0.002 / refinement),
            time=[40.0 * refinement],
            sigma=[0.4, 2.0],
            keep_gain=True,
            n_particles=None,
            **recipe,
        )
        errors.append(np.abs(steps.gain.values - flow.gain.values).max())
    assert 0.9 < np.log2(errors[0] / errors[1]) < 1.1
    assert 0.9 < np.log2(errors[1] / errors[2]) < 1.1


def test_real_patches_full_batch(patches):
    """On the samples' own moments nothing is Gaussian and nothing is diagonal, yet the clocks are the theory's."""
    data, spectrum = patches
    recipe = PATCHES | {"time": [0, 1, 10, 100, 1000]}
    brute_force = ec.simulate(spectrum, samples=data.samples, n_particles=None, **recipe)
    assert np.abs(brute_force.variance / ec.predict(spectrum, **recipe).variance - 1).max() <= 1e-8


def test_real_patches_minibatches(patches):
    data, spectrum = patches
    time = np.concatenate([[0], np.unique(np.geomspace(1, 400, 25).round())])
    recipe = PATCHES | {"time": time}
    simulated = ec.simulate(
        spectrum, samples=data.samples, batch_size=256, n_particles=4096, keep_particles=4, **recipe
    )
    predicted = ec.predict(spectrum, **recipe)
    comparison = ec.compare(predicted, simulated)
    print(comparison)
    # a variance of 4,096 particles is known to 2 %, and emergence turns it into time at an exponent near -1/2
    assert comparison.median_error < 0.1
    assert abs(np.log(comparison.time_scale)) < 0.1
    assert comparison.rank_correlation > 0.98
    assert simulated.dataset["particles"].shape == (time.size, 4, spectrum.n_modes)


def test_gaussian_minibatches_without_samples():
    spectrum = ec.Spectrum([1.0, 0.2])
    recipe = {
        "objective": ec.EDM(),
        "optimizer": ec.GradientDescent(lr=0.05),
        "sampler": ec.Heun(steps=8),
        "time": [200],
    }
    noisy = ec.simulate(spectrum, batch_size=512, n_particles=None, **recipe)
    # the noise floor of the gain is about √(lr·d/batch) = 1.4 %, and 8 steps double it at most
    assert np.abs(noisy.variance / ec.predict(spectrum, **recipe).variance - 1).max() < 0.1


def test_same_seed_same_result(patches):
    data, spectrum = patches
    options = {
        "samples": data.samples,
        "batch_size": 16,
        "n_particles": 32,
        "optimizer": ec.GradientDescent(lr=1e-5),
        "time": [0, 3],
    }
    one = ec.simulate(spectrum, sampler=ec.Heun(steps=4), seed=1, **options)
    two = ec.simulate(spectrum, sampler=ec.Heun(steps=4), seed=1, **options)
    other = ec.simulate(spectrum, sampler=ec.Heun(steps=4), seed=2, **options)
    assert (one.variance == two.variance).all()
    assert (one.variance != other.variance).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time": [1.0, np.inf]}, r"time must be finite for simulate, got inf"),
        ({"batch_size": 0}, r"batch_size must be a whole number >= 1, got 0"),
        ({"batch_size": 8}, r"optimizer must be GradientDescent or HeavyBall for minibatches, got GradientFlow"),
        ({"keep_particles": -3}, r"keep_particles must be a whole number >= 0, got -3"),
        ({"sigma": [0.0], "keep_gain": True}, r"sigma must be a 1-D array of noise levels > 0, got \[0\.0\]"),
        (
            {"time": [1e5]},
            r"time must end earlier for simulate, got 100000: that takes about .* steps of brute force.*",
        ),
        ({"n_particles": 1}, r"n_particles must be >= 2 and >= keep_particles=0, got 1"),
        ({"samples": np.zeros((4, 2))}, r"samples need a spectrum with a basis, .*"),
        (
            {"optimizer": ec.GradientDescent(lr=1.0), "time": [2000.0]},
            r"lr must be smaller, got 1: the simulated weights overflow by step 2000",
        ),
        (
            {"sampler": ec.ProbabilityFlow(sigma_min=0.0)},
            r"sigma_min must be > 0 and sigma_max finite for simulate, got 0 and 80",
        ),
    ],
)
def test_errors(options, message):
    with pytest.raises(ec.InputError, match=f"^{message}$"):
        ec.simulate(SPECTRUM, **({"time": [1.0]} | options))


def test_too_large_a_problem_is_refused():
    with pytest.raises(
        ec.InputError, match=r"^simulate needs 241 matrices of 3072×3072 \(17 GiB\), at most 4 GiB allowed"
    ):
        ec.simulate(ec.Spectrum.power_law(3072, exponent=1.0), time=[1.0])
