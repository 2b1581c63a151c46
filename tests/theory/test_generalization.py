"""Train and test clocks (T16), and the noise floor of minibatches, against brute force."""

import numpy as np
import pytest

import eigenclock as ec


def test_best_time_of_one_layer_in_closed_form():
    """The gain passes the test optimum at τ = −ln[(f*_train − f*_test)/(f*_train − f₀)]/(2·lr·κ)."""
    train, test, sigma = np.array([1.0, 0.1, 0.05]), np.array([0.9, 0.02, 0.08]), np.array([0.2, 1.0])
    spectrum = ec.Spectrum(train, test_variance=test)
    result = ec.generalization(spectrum, time=np.geomspace(1e-3, 1e3, 4000), sigma=sigma)
    best, tested = (v[:, None] / (v[:, None] + sigma**2) for v in (train, test))
    with np.errstate(invalid="ignore", divide="ignore"):
        remaining = (best - tested) / (best - 0.1)
        expected = -np.log(remaining) / (2 * (train[:, None] + sigma**2))
    passes = (remaining > 0) & (remaining < 1)
    assert (result.overfits.values == passes).all()
    # interpolated between records a factor of 1.0035 apart
    assert np.allclose(result.best_time.values[passes], expected[passes], rtol=1e-5)
    never = (tested - best) * (best - 0.1) > 0  # the test optimum lies beyond the training optimum
    assert np.isinf(result.best_time.values[never]).all()


def test_equal_splits_never_overfit():
    spectrum = ec.Spectrum([1.0, 0.1], test_variance=[1.0, 0.1])
    result = ec.generalization(spectrum, time=np.geomspace(1e-3, 1e4, 300), sigma=[0.3, 2.0])
    assert not result.overfits.any()
    assert np.isinf(result.best_time).all()


def test_best_time_needs_no_early_record():
    """Training from 0 is known without being recorded."""
    spectrum = ec.Spectrum([1.0, 0.1], test_variance=[0.9, 0.02])
    late = ec.generalization(spectrum, time=np.geomspace(1, 100, 800), sigma=[0.3])
    assert late.best_time.values[1, 0] == pytest.approx(
        -np.log((0.1 / 0.19 - 0.02 / 0.11) / (0.1 / 0.19 - 0.1)) / 0.38, rel=0.1
    )
    assert ec.generalization(spectrum, time=[5.0], sigma=[0.3]).overfits.all()


@pytest.mark.parametrize("optimizer", [ec.HeavyBall(0.1, 0.9), ec.GradientDescent(0.8)], ids=str)
def test_swinging_about_the_optimum_is_not_overfitting(optimizer):
    variance = np.array([1.0, 0.3])
    result = ec.generalization(
        ec.Spectrum(variance, test_variance=variance), optimizer=optimizer, time=np.arange(0, 400.0), sigma=[0.3]
    )
    assert not result.overfits.any()
    assert np.isinf(result.best_time).all()


def test_waves_of_one_frequency_overfit_alike(rng):
    x = rng.standard_normal((40, 6)).cumsum(axis=1)
    spectrum = ec.Spectrum.from_samples(x[:20], basis="fourier")
    result = ec.generalization(
        spectrum, test=x[20:], architecture=ec.Circulant(), time=np.geomspace(1e-3, 1e2, 300), sigma=[0.3]
    )
    basis = spectrum.stationary().basis
    by_wave = basis.by_frequency(result.best_time.values[:, 0])
    assert (by_wave == by_wave[basis.opposite]).all()


@pytest.mark.parametrize("architecture", [ec.OneLayer(0.05), ec.TiedTwoLayer(0.1), ec.DeepLinear(3, 0.2)], ids=str)
def test_losses_equal_those_of_full_batch_descent(architecture, rng):
    x = rng.standard_normal((40, 6)) * np.geomspace(1.5, 0.1, 6)
    train, test = x[:20], x[20:]
    spectrum = ec.Spectrum.from_samples(train)
    recipe = {
        "objective": ec.EDM(),
        "architecture": architecture,
        "optimizer": ec.GradientDescent(0.01),
        "time": [0.0, 5.0, 60.0],
        "sigma": [0.3, 1.5],
    }
    result = ec.generalization(spectrum, test=test, **recipe)
    brute_force = ec.simulate(
        spectrum, samples=train, test=test, n_particles=None, sampler=ec.Heun(4), keep_loss=True, **recipe
    )
    assert np.allclose(result.dataset["train_loss"], brute_force.loss, rtol=1e-8)
    assert np.allclose(result.dataset["test_loss"], brute_force.dataset["test_loss"], rtol=1e-8)


@pytest.mark.parametrize("n", [100, 1000])
def test_stopping_time_on_real_patches_under_minibatches(n):
    """Natural 8×8 patches: the least total test loss comes when predicted, within the flatness of its minimum."""
    data = ec.data.natural_patches(8, n=n, n_test=2000, seed=3).standardized()
    spectrum = ec.Spectrum.from_samples(data.samples)
    time, sigma = np.unique(np.geomspace(1, 3000, 40).round()), [0.1, 0.3]
    recipe = {
        "objective": ec.EDM(),
        "architecture": ec.OneLayer(0.0),
        "optimizer": ec.GradientDescent(0.01),
        "sigma": sigma,
    }
    predicted = ec.generalization(spectrum, test=data.test, time=time, **recipe)
    simulated = ec.simulate(
        spectrum,
        samples=data.samples,
        test=data.test,
        batch_size=64,
        n_particles=None,
        sampler=ec.Euler(2, sigma_min=0.1, sigma_max=0.3),
        keep_loss=True,
        time=time,
        **recipe,
    )
    measured = simulated.dataset["test_loss"].sum(("mode", "sigma")).values / len(sigma)
    stop, found = predicted.stopping_time, time[measured.argmin()]
    print(f"n={n}: predicted stop at step {stop:.0f}, simulated {found:.0f}; {predicted}")
    # by stopping where predicted one loses at most 1 % of the least loss, and training on costs what it is said to cost
    assert measured[np.flatnonzero(time == stop)[0]] <= 1.01 * measured.min()
    total = predicted.dataset["test_total"].values
    assert measured[-1] / measured.min() == pytest.approx(total[-1] / total.min(), rel=0.03)


def test_directions_outside_the_training_data_count_in_the_totals(rng):
    x = rng.standard_normal((60, 30))
    recipe = {"time": [0.0, 3.0, 50.0], "sigma": [0.5], "optimizer": ec.GradientFlow(0.1)}
    thin = ec.generalization(ec.Spectrum.from_samples(x[:10]), test=x[10:], **recipe)
    covariance, mean = np.cov(x[:10].T, bias=True), x[:10].mean(axis=0)
    values, vectors = np.linalg.eigh(covariance)
    full = ec.Spectrum(
        np.maximum(values, 0) * (values > 1e-12), test_variance=((x[10:] - mean) @ vectors).__pow__(2).mean(axis=0)
    )
    assert np.allclose(thin.dataset["test_total"], ec.generalization(full, **recipe).dataset["test_total"], rtol=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ec.generalization(ec.Spectrum([1.0]), time=[1.0], sigma=[1.0]),
            r"test must be held-out samples, got None, and the spectrum has no test_variance",
        ),
        (
            lambda: ec.generalization(ec.Spectrum([1.0]), test=np.ones((3, 1)), time=[1.0], sigma=[1.0]),
            r"test samples need a spectrum with a basis, .*",
        ),
        (
            lambda: ec.generalization(
                ec.Spectrum([1.0], mean=[0.0]), architecture=ec.Affine(), time=[1.0], sigma=[1.0]
            ),
            r"architecture must keep modes apart for train and test clocks, got Affine",
        ),
        (
            lambda: ec.noise_floor(ec.Spectrum([1.0]), optimizer=ec.GradientFlow(), batch_size=2, sigma=[1.0]),
            r"optimizer must be GradientDescent or HeavyBall for a noise floor, got GradientFlow\(lr=1\.0\)",
        ),
        (
            lambda: ec.noise_floor(ec.Spectrum([1.0]), optimizer=ec.GradientDescent(0.1), batch_size=0, sigma=[1.0]),
            r"batch_size must be a whole number >= 1, got 0",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ec.InputError, match=f"^{message}$"):
        make()
