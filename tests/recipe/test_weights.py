"""Tests of `eigenclock.recipe.weights`."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.integrate

import eigenclock as ec

SIGMA = np.geomspace(0.002, 80, 50)
EDM_WEIGHT = (SIGMA**2 + 0.25) / (0.5 * SIGMA) ** 2


def test_min_snr_weighs_the_clean_samples_error():
    """Hang et al. 2023: min(SNR, γ) on |x₀ − D|², SNR = 1/σ²; the network's own weight is that times c_out²."""
    weight = ec.EDM(weight=ec.MinSNR(3.0)).loss_weight(SIGMA)
    c_out = SIGMA * 0.5 / np.sqrt(SIGMA**2 + 0.25)
    assert np.allclose(weight, np.minimum(SIGMA**-2.0, 3.0) * c_out**2, rtol=1e-12)
    assert np.allclose(ec.MinSNR(3.0)(SIGMA) * EDM_WEIGHT, np.minimum(SIGMA**-2.0, 3.0), rtol=1e-12)


@pytest.mark.parametrize("beta", [-1.0, 0.0, 0.5, 2.0])
@pytest.mark.parametrize("density", [ec.LogNormal(-0.7, 0.9), None], ids=str)
def test_noise_power_has_mean_one_over_the_levels_that_are_drawn(beta, density):
    objective = ec.EDM(density=density, weight=ec.NoisePower(beta))
    low, high = np.log([0.002, 80.0])
    ends = (low, high) if density is None else (-12, 12)

    def weighed(ln_sigma):
        sigma = np.exp([ln_sigma])
        drawn = 1 / (high - low) if density is None else density(sigma)
        return float((objective.loss_weight(sigma) * drawn)[0])

    mean, _ = scipy.integrate.quad(weighed, *ends, epsabs=1e-12, limit=200)
    assert abs(mean - 1) < 1e-8
    assert np.allclose(np.diff(np.log(objective.loss_weight(SIGMA))) / np.diff(np.log(SIGMA)), beta)


def test_min_snr_knows_the_objectives_own_sigma_data():
    sigma_data = 1.3
    weight = ec.EDM(sigma_data=sigma_data, weight=ec.MinSNR(5.0)).loss_weight(SIGMA)
    c_out = SIGMA * sigma_data / np.sqrt(SIGMA**2 + sigma_data**2)
    assert np.allclose(weight, np.minimum(SIGMA**-2.0, 5.0) * c_out**2, rtol=1e-12)


OBJECTIVES = (
    ec.EDM(sigma_data=0.7),
    ec.Epsilon(path="vp"),
    ec.Epsilon(),
    ec.Velocity(),
    ec.FlowMatching(),
    ec.Score(),
    ec.Denoising(path="vp"),
)
ON_NOISE = {  # of |ε̂ − z|² by signal-to-noise ratio, as their papers have them
    "Min-SNR-γ": (ec.MinSNR(3.0), lambda snr: np.minimum(snr, 3.0) / snr),
    "P2": (ec.P2(0.5, 2.0), lambda snr: 1 / (2.0 + snr) ** 0.5),
    "sigmoid": (ec.Sigmoid(1.5), lambda snr: 1 / (1 + np.exp(np.log(snr) - 1.5))),
}


@pytest.mark.parametrize("name", ON_NOISE)
@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_a_weight_of_the_error_is_the_same_whatever_is_regressed(name, objective):
    """The loss of a wrong denoiser, in the objective's own units, is the paper's weight times its error as a prediction of z."""
    weight, of_noise = ON_NOISE[name]
    row, wrong = objective.row(SIGMA), 0.3  # of the denoiser's gain on a mode
    own = wrong / row.slope * row.a  # error of the network's output on a·y, for an error of D of wrong·y
    found = replace(objective, weight=weight).loss_weight(SIGMA) * own**2
    assert np.allclose(found, of_noise(SIGMA**-2.0) * (wrong / SIGMA) ** 2, rtol=1e-12)


def test_any_callable_is_a_weight():
    own = ec.EDM(weight=lambda sigma: 1 / (1 + sigma))
    assert np.allclose(own.loss_weight(SIGMA), 1 / (1 + SIGMA))
    spectrum, recipe = ec.Spectrum([1.0, 0.1]), {"architecture": ec.OneLayer(0.0), "time": [3.0], "sigma": SIGMA}
    found = ec.predict(spectrum, objective=own, keep_gain=True, **recipe).gain.values[0]
    regression = ec.EDM().regression(spectrum.variance, SIGMA)
    left = np.exp(-2 * regression.curvature / (1 + SIGMA) * 3.0)
    assert np.allclose(found, regression.denoiser_gain(regression.optimum * (1 - left)), atol=1e-12)


def test_weights_of_values_are_kept_in_files_and_functions_refused(tmp_path):
    for weight in (ec.MinSNR(2.0), ec.NoisePower(1.0)):
        recipe = ec.Recipe(objective=ec.EDM(weight=weight))
        assert ec.Recipe.from_dict(recipe.to_dict()) == recipe
    with pytest.raises(ec.InputError, match="weight must be a value that a file can hold"):
        ec.Recipe(objective=ec.EDM(weight=np.exp)).to_dict()


@pytest.mark.parametrize("weight", [ec.MinSNR(3.0), ec.NoisePower(1.0)], ids=str)
@pytest.mark.parametrize("given", [{}, {"sigma_data": 1.0}, {"density": ec.LogNormal(0.0, 1.0)}], ids=str)
def test_brute_force_weighs_alike(weight, given):
    spectrum = ec.Spectrum([2.0, 0.3, 0.02])
    parts = {
        "objective": ec.EDM(weight=weight, **given),
        "architecture": ec.OneLayer(0.1),
        "optimizer": ec.GradientDescent(lr=0.001),
        "sampler": ec.Heun(steps=8, sigma_max=20.0),
        "time": [200.0],
    }
    found, expected = ec.simulate(spectrum, n_particles=None, **parts), ec.predict(spectrum, **parts)
    assert np.allclose(found.variance, expected.variance, rtol=1e-10)  # 200 steps of rounding


def test_errors():
    with pytest.raises(ec.InputError, match=r"weight must be 'uniform', MinSNR\(\), .*, got 'edm'"):
        ec.EDM(weight="edm")
    with pytest.raises(ec.InputError, match="weight must give numbers >= 0, got -"):
        ec.EDM(weight=lambda sigma: -sigma).loss_weight(SIGMA)
    with pytest.raises(ec.InputError, match="beta must be"):
        ec.NoisePower(beta=300.0)
    with pytest.raises(ec.InputError, match="gamma must be"):
        ec.MinSNR(gamma=0)
    with pytest.raises(ec.InputError, match="beta must be"):
        ec.NoisePower(beta=float("nan"))
