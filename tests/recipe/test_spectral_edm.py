"""Tests of `eigenclock.recipe.spectral_edm` (T19), by the formulas as THEORY.md has them, and by sampled pairs."""

import itertools

import numpy as np
import pytest

import eigenclock as ec

SPECTRUM = ec.Spectrum([400.0, 2.0, 0.3, 1e-2, 1e-4])
WRONG = ec.Spectrum([30.0, 9.0, 0.1, 2e-2, 1e-3])
SIGMA = np.geomspace(0.002, 80, 30)
START = ec.OneLayer(0.0)
CHOICES = [
    ec.SpectralEDM(),
    ec.SpectralEDM(loss="mode"),
    ec.SpectralEDM(input="scalar"),
    ec.SpectralEDM(WRONG),
    ec.SpectralEDM(WRONG, input="scalar", loss="mode"),
    ec.SpectralEDM(power=0.5),
    ec.SpectralEDM(WRONG, power=0.25, loss="mode"),
]


@pytest.mark.parametrize("objective", CHOICES, ids=str)
def test_optimal_denoiser_is_the_same_also_with_a_wrong_spectrum(objective):
    regression = objective.bound(SPECTRUM, 0.002).regression(SPECTRUM.variance, SIGMA)
    wiener = SPECTRUM.variance[:, None] / (SPECTRUM.variance[:, None] + SIGMA**2)
    assert np.abs(regression.denoiser_gain(regression.optimum) - wiener).max() <= 1e-12


@pytest.mark.parametrize("objective", CHOICES, ids=str)
def test_moments_are_those_of_sampled_pairs(objective, rng):
    """Target and input of T19 written out, and T1's moments of 200,000 pairs, within five standard errors."""
    n, sigma = 200_000, 0.7
    bound = objective.bound(SPECTRUM, 0.002)
    s = bound.assumed
    c_out = sigma * np.sqrt(s / (s + sigma**2))
    c_in = (s + sigma**2) ** -0.5 if objective.input == "mode" else (bound.mean_variance + sigma**2) ** -0.5
    clean = rng.standard_normal((n, s.size)) * np.sqrt(SPECTRUM.variance)
    noisy = clean + sigma * rng.standard_normal((n, s.size))
    x, y = c_in * noisy, (clean - s / (s + sigma**2) * noisy) / c_out
    regression = bound.regression(SPECTRUM.variance, np.array([sigma]))
    floor = regression.floor + regression.cross_moment**2 / regression.curvature
    for products, expected in ((x * x, regression.curvature), (x * y, regression.cross_moment), (y * y, floor)):
        error = np.abs(products.mean(axis=0) - expected[:, 0])
        assert (error <= 5 * products.std(axis=0) / np.sqrt(n) + 1e-12 * np.abs(expected[:, 0])).all()


@pytest.mark.parametrize("flow", [(0.002, 80.0), (0.1, 10.0)])
def test_untrained_variance_is_that_of_t19(flow):
    low, high = flow
    sampler = ec.ProbabilityFlow(sigma_min=low, sigma_max=high)
    objective = ec.SpectralEDM(floor=1e-9)
    curve = ec.predict(SPECTRUM, objective=objective, architecture=START, sampler=sampler, time=[0.0])
    lam = SPECTRUM.variance
    assert np.allclose(curve.variance[0], high**2 * (lam + low**2) / (lam + high**2), rtol=1e-10, atol=0)


def test_untrained_heun_is_its_product_of_gains():
    """T6 written out step by step for ψ = λ/(λ+σ²)."""
    sampler, lam = ec.Heun(steps=12), SPECTRUM.variance
    levels, x = np.append(sampler.levels, 0.0), np.full(lam.shape, sampler.sigma_max)
    for here, there in itertools.pairwise(levels):
        slope = (1 - lam / (lam + here**2)) / here
        ahead = x + (there - here) * slope * x
        if there > 0:
            ahead = x + (there - here) / 2 * (slope * x + (1 - lam / (lam + there**2)) / there * ahead)
        x = ahead
    curve = ec.predict(SPECTRUM, objective=ec.SpectralEDM(), architecture=START, sampler=sampler, time=[0.0])
    assert np.allclose(curve.variance[0], x**2, rtol=1e-10, atol=0)


def test_untrained_angular_sampler_makes_the_variances_themselves():
    recipe = {"objective": ec.SpectralEDM(), "architecture": START, "sampler": ec.Angular(steps=5), "time": [0.0]}
    assert np.allclose(ec.predict(SPECTRUM, **recipe).variance[0], SPECTRUM.variance, rtol=1e-12, atol=0)


def test_a_wrong_spectrum_costs_what_t19_says():
    """Error of the untrained denoiser over the best: at most sinh²(½ ln s/λ), which it has at σ² = s."""
    lam, s = SPECTRUM.variance[:, None], WRONG.variance[:, None]
    sigma = np.sqrt(s) * np.geomspace(0.01, 100, 2001)
    gain, best = s / (s + sigma**2), lam / (lam + sigma**2)
    error, optimal = (lam * (1 - g) ** 2 + g**2 * sigma**2 for g in (gain, best))
    worst = (error / optimal - 1).max(axis=1)
    assert np.allclose(worst, np.sinh(0.5 * np.log(s / lam)).ravel() ** 2, rtol=1e-9)
    assert np.allclose(ec.SpectralEDM(WRONG).bound(SPECTRUM, 0.002).row(SIGMA).offset, s / (s + SIGMA**2), rtol=1e-14)


@pytest.mark.parametrize("loss", ["sample", "mode"])
@pytest.mark.parametrize("time", [0.3, 5.0])
def test_one_layer_follows_the_formula_of_t19(loss, time):
    """ψ(τ) of T19's one layer, from zero."""
    objective, lam, s = ec.SpectralEDM(WRONG, loss=loss), SPECTRUM.variance[:, None], WRONG.variance[:, None]
    found = ec.predict(
        SPECTRUM, objective=objective, architecture=START, time=[time], sigma=SIGMA, keep_gain=True
    ).gain.values[0]
    weight = 1.0 if loss == "mode" else (1 + SIGMA**2 / 0.25) * s / (s + SIGMA**2)
    left = np.exp(-2 * weight * (lam + SIGMA**2) / (s + SIGMA**2) * time)
    expected = lam / (lam + SIGMA**2) - SIGMA**2 * (lam - s) / ((lam + SIGMA**2) * (s + SIGMA**2)) * left
    assert np.abs(found - expected).max() <= 1e-12


def test_power_zero_is_edm_entry_by_entry():
    for loss, input in (("sample", "mode"), ("mode", "scalar"), ("mode", "mode"), ("sample", "scalar")):
        row = ec.SpectralEDM(WRONG, power=0.0, loss=loss, input=input).bound(SPECTRUM, 0.002)
        mine, edm = row.row(SIGMA), ec.EDM().row(SIGMA)
        for name in ("a", "s", "c", "e", "offset", "slope"):
            values = np.broadcast_to(getattr(mine, name), (SPECTRUM.n_modes, SIGMA.size))
            assert np.allclose(values, getattr(edm, name), rtol=1e-14, atol=0), name
        assert np.allclose(row.loss_weight(SIGMA), ec.EDM().loss_weight(SIGMA), rtol=1e-14, atol=0)


def test_power_zero_predicts_what_edm_does_with_dead_modes_too():
    spectrum, time = ec.Spectrum([1.0, 0.1, 0.0]), np.geomspace(0.1, 1e4, 7)
    recipe = {"architecture": START, "sampler": ec.Heun(steps=9), "time": time}
    one = ec.predict(spectrum, objective=ec.SpectralEDM(power=0.0), **recipe)
    assert np.allclose(one.variance, ec.predict(spectrum, objective=ec.EDM(), **recipe).variance, rtol=1e-12, atol=0)


def test_density_may_be_any():
    objective = ec.SpectralEDM(density=ec.LogNormal(-0.4, 1.0))
    assert np.allclose(objective.bound(SPECTRUM, 0.002).density(SIGMA), ec.LogNormal(-0.4, 1.0)(SIGMA))


def test_low_modes_are_floored_and_counted_dead_ones_stay():
    bound = ec.SpectralEDM().bound(ec.Spectrum([1.0, 1e-7, 1e-9, 0.0]), 0.01)
    assert bound.assumed.tolist() == [1.0, 1e-4, 1e-4, 0.0]
    assert bound.floored == 2
    row = bound.row(SIGMA)
    for values in (row.c[3], row.e[3], row.slope[3], bound.loss_weight(SIGMA)[3]):
        assert (values == 0).all()
    assert ec.SpectralEDM(floor=0.5).bound(SPECTRUM, 0.01).assumed.min() == 0.5
    half = ec.SpectralEDM(power=0.5, floor=0.01).bound(SPECTRUM, 0.01)  # s = 0.5·√λ, of λ = 1e-4 0.005
    assert half.floored == 1
    assert half.assumed[-1] == 0.01


def test_a_dead_mode_goes_where_the_mean_is():
    curve = ec.predict(ec.Spectrum([1.0, 0.0]), objective=ec.SpectralEDM(), architecture=START, time=[0.0, 10.0])
    exact = (curve.variance[:, 1] / 0.002**2 - 1).values
    assert np.abs(exact).max() < 1e-9  # the exact flow takes the noise down to σ_min


def test_directions_left_out_get_the_null_variance():
    few = ec.Spectrum.from_samples(np.random.default_rng(0).standard_normal((30, 50)))
    with pytest.warns(ec.InputWarning, match="off by a factor"):
        few = few.cross_validated(folds=5)
    bound = ec.SpectralEDM().bound(few, 0.002)
    assert bound.outside == few.null_variance > 0.3
    assert bound.some(np.array([few.n_modes])).assumed[0] == few.null_variance


def test_waves_in_another_order_are_put_in_order(rng):
    a, b = rng.standard_normal((200, 6, 6)).cumsum(axis=1), rng.standard_normal((200, 6, 6)).cumsum(axis=1)
    for basis in ("dct", "fourier"):
        one, other = (ec.Spectrum.from_samples(x, basis=basis) for x in (a, b))
        known = ec.SpectralEDM(one).bound(other, 0.002).assumed
        assert np.allclose(known, one.to_modes(other.basis.from_modes(np.eye(36)) + one.mean).__pow__(2) @ one.variance)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"power": 1.5}, "power must be"),
        ({"floor": 0.0}, "floor must be"),
        ({"sigma_data": 0.0}, "sigma_data must be"),
    ],
)
def test_errors_name_what_is_wrong(options, words):
    with pytest.raises(ec.InputError, match=words):
        ec.SpectralEDM(**options)


def test_a_spectrum_of_other_modes_is_refused(rng):
    x = rng.standard_normal((100, 4, 4))
    for own in (ec.Spectrum([1.0, 2.0]), ec.Spectrum.from_samples(x, basis="dct")):
        with pytest.raises(ec.InputError, match=r"objective\.spectrum must have the modes"):
            ec.predict(ec.Spectrum.from_samples(x), objective=ec.SpectralEDM(own))


@pytest.mark.parametrize("architecture", [ec.LocalConv(3), ec.Affine()], ids=str)
def test_networks_that_mix_modes_are_refused(architecture, rng):
    spectrum = ec.Spectrum.from_samples(rng.standard_normal((100, 4, 4)), basis="fourier")
    for part in ({"objective": ec.SpectralEDM()}, {"sampler": ec.Angular()}):
        with pytest.raises(ec.InputError, match="must not be"):
            ec.predict(spectrum, architecture=architecture, **part)


def test_other_functions_of_theory_take_it():
    """Noise floor and overfitting clocks at power 0 are EDM's."""
    edm, own = ec.EDM(), ec.SpectralEDM(power=0.0)
    spectrum = ec.Spectrum([1.0, 0.1, 0.0], test_variance=[0.9, 0.02, 0.001])
    floors = [
        ec.noise_floor(spectrum, objective=one, optimizer=ec.GradientDescent(lr=0.01), batch_size=32, sigma=[0.1, 1.0])
        for one in (edm, own)
    ]
    assert np.allclose(floors[0].gain_std, floors[1].gain_std, rtol=1e-12)
    clocks = [
        ec.generalization(spectrum, objective=one, time=np.geomspace(1, 1e3, 50), sigma=[0.3]) for one in (edm, own)
    ]
    assert np.allclose(clocks[0].dataset.test_loss, clocks[1].dataset.test_loss, rtol=1e-12)


def test_a_curve_keeps_what_was_assumed(tmp_path):
    curve = ec.predict(SPECTRUM, objective=ec.SpectralEDM(WRONG, loss="mode"), time=[0.0, 1.0])
    curve.save(tmp_path / "curve.nc")
    again = ec.LearningCurve.load(tmp_path / "curve.nc").recipe
    assert ec.predict(SPECTRUM, **vars(again), time=[0.0, 1.0]).variance.equals(curve.variance)


def test_a_curve_keeps_waves_in_its_own_order(rng, tmp_path):
    a, b = rng.standard_normal((200, 5, 5)).cumsum(axis=1), rng.standard_normal((200, 5, 5)).cumsum(axis=2)
    own, data = (ec.Spectrum.from_samples(x, basis="fourier") for x in (a, b))
    for architecture in (START, ec.Circulant(0.0)):
        recipe = {
            "objective": ec.SpectralEDM(own),
            "architecture": architecture,
            "sampler": ec.Angular(7, spectrum=own),
        }
        curve = ec.predict(data, **recipe, time=[0.0, 3.0])
        curve.save(tmp_path / "curve.nc")
        again = ec.LearningCurve.load(tmp_path / "curve.nc").recipe
        assert np.allclose(ec.predict(data, **vars(again), time=[0.0, 3.0]).variance, curve.variance, rtol=1e-12)


def test_few_samples_must_be_cross_validated_in_theory_too(rng):
    """Else all would be there at step 0: sample eigenvalues know the samples (T22)."""
    few = ec.Spectrum.from_samples(rng.standard_normal((12, 25)))
    with pytest.raises(ec.InputError, match="12 samples do not show 25 dimensions"):
        ec.predict(few, objective=ec.SpectralEDM(), architecture=START, time=[0.0])
    with pytest.warns(ec.InputWarning, match="off by a factor"):
        known = few.cross_validated()
    ec.predict(few, objective=ec.SpectralEDM(known), architecture=START, time=[0.0])
