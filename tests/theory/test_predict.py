"""Tests of `eigenclock.theory.predict`."""

import functools
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from recipes import ARCHITECTURES, OBJECTIVES, SAMPLERS

import eigenclock as ec
from eigenclock import predict as predict_function
from eigenclock.recipe.recipe import concrete

TIME = np.array([0.0, 1e-2, 1.0, 30.0, 1e4, np.inf])
factors = st.one_of(st.just(0.0), st.floats(1e-9, 2), st.floats(-2, -1e-9))


def later(kind, *arguments):
    """An architecture still to be built: the type checker draws random numbers, which strategies must not."""
    return st.builds(functools.partial, st.just(kind), *arguments)


architectures = st.one_of(
    later(lambda known: known, st.sampled_from(ARCHITECTURES)),
    later(ec.OneLayer, st.floats(-5, 50)),
    later(ec.TiedTwoLayer, st.one_of(st.just(0.0), st.floats(1e-250, 50))),
    later(ec.TwoLayer, st.tuples(st.floats(0.01, 5), factors)),
    later(ec.DeepLinear, st.integers(1, 6), st.floats(1e-8, 5)),
    later(ec.DeepLinear, st.just(3), st.tuples(st.floats(0.01, 2), factors, st.floats(0.01, 2))),
    later(ec.Residual, st.integers(1, 4), st.floats(-0.9, 0.5)),
    later(ec.Circulant, st.floats(-1, 1)),
)
recipes = st.fixed_dictionaries(
    {
        "objective": st.sampled_from(OBJECTIVES),
        "architecture": architectures,
        "sampler": st.sampled_from([*SAMPLERS, ec.ProbabilityFlow(), ec.Heun(steps=20)]),
        "optimizer": st.builds(ec.GradientFlow, lr=st.floats(1e-3, 10)),
    }
)


def built(recipe):
    return recipe | {"architecture": recipe["architecture"]()}


spectra = st.lists(st.one_of(st.just(0.0), st.floats(1e-8, 1e4)), min_size=1, max_size=8)


@given(recipes, spectra)
@settings(max_examples=150)
def test_always_finite_and_never_negative(recipe, variance):
    recipe = built(recipe)
    curve = ec.predict(ec.Spectrum(variance), time=TIME, keep_gain=True, keep_loss=True, sigma=[0.01, 1.0], **recipe)
    for values in (curve.gain, curve.loss):
        assert np.isfinite(values).all()
    # a large positive start pushes samples out exponentially, beyond any float
    start = recipe["architecture"]
    gain = start.layers.gain if hasattr(start, "layers") else start.init
    explosive = isinstance(recipe["objective"], ec.Score) or abs(gain) > 1
    for values in (curve.variance, curve.initial):
        assert not np.isnan(values).any()
        assert explosive or np.isfinite(values).all()
    assert (curve.variance >= 0).all()
    assert (curve.loss >= 0).all()


@given(recipes, spectra, st.randoms())
def test_modes_do_not_know_each_other(recipe, variance, random):
    recipe = built(recipe)
    order = list(range(len(variance)))
    random.shuffle(order)
    whole = ec.predict(ec.Spectrum(variance), time=TIME, **recipe).variance.values
    shuffled = ec.predict(ec.Spectrum(np.array(variance)[order]), time=TIME, **recipe).variance.values
    assert np.allclose(shuffled, whole[:, order], rtol=1e-12)


@given(recipes)
def test_array_of_times_equals_loop_over_times(recipe):
    recipe = built(recipe)
    spectrum = ec.Spectrum([3.0, 0.1, 0.0])
    together = ec.predict(spectrum, time=TIME, **recipe).variance.values
    alone = [ec.predict(spectrum, time=[t], **recipe).variance.values[0] for t in TIME]
    # quadrature refines for the hardest of its times
    assert np.allclose(together, alone, rtol=1e-9)


@given(st.sampled_from([ec.OneLayer(0.1), ec.TiedTwoLayer(0.3)]), st.floats(0.01, 100), st.floats(1e-3, 1e3))
def test_rescaling_data_rescales_time(architecture, scale, time):
    """λ → cλ, σ → √c·σ, τ → τ/c leaves v/c unchanged (plain denoising)."""
    flow = ec.ProbabilityFlow(0.002, 80.0)
    scaled = ec.ProbabilityFlow(0.002 * np.sqrt(scale), 80.0 * np.sqrt(scale))
    variance = np.array([10.0, 0.3])
    one = ec.predict(ec.Spectrum(variance), architecture=architecture, sampler=flow, time=[time]).variance.values
    two = ec.predict(
        ec.Spectrum(scale * variance), architecture=architecture, sampler=scaled, time=[time / scale]
    ).variance.values
    assert np.allclose(two / scale, one, rtol=1e-11)


@pytest.mark.parametrize("architecture", [ec.OneLayer(0.1), ec.TiedTwoLayer(0.1)], ids=str)
def test_larger_variance_is_learned_first(architecture):
    curve = ec.predict(ec.Spectrum(np.logspace(2, -3, 30)), architecture=architecture)
    assert (np.diff(curve.emergence().time) > 0).all()


REFERENCE = {
    (ec.OneLayer, 0.1, "rising"): (-1.019, -1.183),
    (ec.TiedTwoLayer, 0.1, "rising"): (-1.012, -1.133),
    (ec.OneLayer, 0.5, "rising"): (-1.169, -1.354),
    (ec.TiedTwoLayer, 0.5, "rising"): (-1.141, -1.317),
    (ec.OneLayer, 0.5, "falling"): (-1.031, -1.869),
    (ec.TiedTwoLayer, 0.5, "falling"): (-1.111, -1.934),
    (ec.OneLayer, 1.0, "falling"): (-0.496, -1.000),
    (ec.TiedTwoLayer, 1.0, "falling"): (-0.505, -1.001),
}


@pytest.mark.parametrize(("case", "exponents"), list(REFERENCE.items()), ids=lambda value: str(value)[:60])
def test_reference_exponents_of_t12(case, exponents):
    architecture, init, direction = case
    time = np.concatenate([[0.0], np.geomspace(1e-6, 1e6, 4000)])
    curve = ec.predict(ec.Spectrum(np.logspace(-3, 2, 20)), architecture=architecture(init), time=time)
    for threshold, expected in zip(("geometric", "harmonic"), exponents, strict=True):
        law = curve.emergence(threshold).power_law(direction)
        print(law)
        assert abs(law.exponent - expected) <= 0.005


def test_preconditioning_attenuates_exponents_as_in_t13():
    curve = ec.predict(
        ec.Spectrum(np.logspace(1.5, -4, 45)),
        objective=ec.EDM(),
        architecture=ec.OneLayer(0.0),
        time=np.geomspace(1e-6, 1e6, 2000),
    )
    table = curve.emergence()
    assert abs(table.power_law("rising").exponent - -0.54) <= 0.005
    assert abs(table.power_law("falling").exponent - -0.47) <= 0.005
    assert np.abs(curve.initial.values / 0.25 - 1).max() < 1e-4, "all modes start at sigma_data²"


def test_memory_of_a_large_prediction():
    """3,072 modes × 200 times × 100 noise levels: the gain would be 470 MiB, several of it in work; allowed is 1 GiB."""
    spectrum = ec.Spectrum.power_law(3072, exponent=1.5)
    tracemalloc.start()
    ec.predict(spectrum, objective=ec.EDM(), time=np.geomspace(1e-3, 1e5, 200))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"peak {peak / 2**20:.0f} MiB")
    assert peak < 2**30 / 4


def test_blocks_leave_no_seam(monkeypatch):
    spectrum, time = ec.Spectrum.power_law(50, exponent=1.0), np.geomspace(0.01, 100, 30)
    whole = ec.predict(spectrum, objective=ec.EDM(), time=time).variance
    monkeypatch.setitem(predict_function.__globals__, "BLOCK", 700)
    assert np.allclose(ec.predict(spectrum, objective=ec.EDM(), time=time).variance, whole, rtol=1e-14)


def test_gain_and_loss_are_kept_only_when_asked_for():
    curve = ec.predict(ec.Spectrum([1.0]), time=[1.0])
    with pytest.raises(ec.InputError, match=r"^gain was not kept in this curve: pass keep_gain=True$"):
        _ = curve.gain
    with pytest.raises(ec.InputError, match=r"^loss was not kept in this curve: pass keep_loss=True$"):
        _ = curve.loss
    kept = ec.predict(ec.Spectrum([1.0]), time=[1.0], sigma=[0.1, 2.0], keep_gain=True)
    assert kept.gain.dims == ("time", "mode", "sigma")
    own = ec.predict(ec.Spectrum([1.0]), time=[1.0], sampler=ec.Heun(steps=7), keep_gain=True)
    assert own.gain.sizes["sigma"] == 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time": [2.0, 1.0]}, r"time must be strictly increasing, got 2 before 1 at index 0"),
        ({"time": [1.0, 1.0]}, r"time must be strictly increasing, got 1 before 1 at index 0"),
        ({"time": [np.inf, np.inf]}, r"time must be strictly increasing, got inf before inf at index 0"),
        ({"time": [-1.0, 1.0]}, r"time must be >= 0 \(0 and inf allowed\), got -1\.0"),
        ({"time": [np.nan]}, r"time must be >= 0 \(0 and inf allowed\), got nan"),
        ({"time": []}, r"time must be a non-empty 1-D array of optimizer steps, got shape \(0,\)"),
        ({"time": [[1.0]]}, r"time must be a non-empty 1-D array of optimizer steps, got shape \(1, 1\)"),
        ({"time": "soon"}, r"time must be a 1-D array of optimizer steps, got str"),
        ({"sigma": [0.0], "keep_gain": True}, r"sigma must be a 1-D array of noise levels > 0, got \[0\.0\]"),
        (
            {"optimizer": ec.GradientDescent(lr=1.0), "sampler": ec.Heun()},
            r"lr must be < 0\.0001561 .* diverges on 1 of 1 .*",
        ),
    ],
)
def test_errors(options, message):
    with pytest.raises(ec.InputError, match=f"^{message}$"):
        ec.predict(ec.Spectrum([1.0]), **options)


def test_subnormal_times_change_nothing():
    for objective in (ec.Denoising(), ec.FlowMatching(), ec.EDM()):
        for architecture in (ec.OneLayer(0.1), ec.TiedTwoLayer(0.1)):
            curve = ec.predict(
                ec.Spectrum([1.0, 0.01, 0.0]),
                objective=objective,
                architecture=architecture,
                time=[5e-324, 1e-300, 1e308],
            )
            assert np.allclose(curve.variance.values[:2], curve.initial.values, rtol=1e-14)


def test_directions_without_variance_are_counted(rng):
    """20 samples of 100 coordinates: W₂ and samples are those of all 100 directions, as from the full covariance."""
    x = rng.standard_normal((20, 100))
    recipe = {
        "objective": ec.EDM(),
        "architecture": ec.OneLayer(0.0),
        "optimizer": ec.GradientFlow(0.01),
        "time": [0.0, 10.0, 1e4],
    }
    thin = ec.predict(ec.Spectrum.from_samples(x), **recipe)
    full = ec.predict(ec.Spectrum.from_covariance(np.cov(x.T, bias=True), mean=x.mean(axis=0)), **recipe)
    assert thin.null_dimension == 81
    assert np.allclose(thin.wasserstein(), full.wasserstein(), rtol=1e-6)
    assert thin.kl().attrs["modes_left_out"] == full.kl().attrs["modes_left_out"] == 81
    drawn = [curve.sample(4000, time=0.0, seed=1).var(axis=0).sum() for curve in (thin, full)]
    assert drawn[0] == pytest.approx(drawn[1], rel=0.02)
    brute_force = ec.simulate(ec.Spectrum.from_samples(x), n_particles=None, sampler=ec.Heun(steps=6), **recipe)
    predicted = ec.predict(ec.Spectrum.from_samples(x), sampler=ec.Heun(steps=6), **recipe)
    assert np.allclose(brute_force.wasserstein(), predicted.wasserstein(), rtol=1e-7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("ec.Denoising(weight='EDM')", "weight must be one of 'uniform', 'edm', 'snr', got 'EDM'"),
        ("ec.Epsilon(path='VE')", "path must be one of 've', 'vp', got 'VE'"),
        ("ec.EDM(density=0.5)", "density must be a Density, such as LogNormal(), or None, got 0.5"),
        ("ec.ProbabilityFlow(method='closed')", "method must be one of 'auto', 'closed_form', 'quadrature', got 'closed'"),
        ("ec.Spectrum.from_samples([[0, 1], [1, 0], [2, 2]], basis='wavelet')", "basis must be one of 'pca', 'dct', 'fourier', got 'wavelet'"),
        ("ec.EDM(weight='snr')", "weight must be 'uniform', MinSNR(), P2(), Sigmoid(), NoisePower(beta) or a function of σ, got 'snr'"),
        ("ec.SpectralEDM(loss='all')", "loss must be one of 'sample', 'mode', got 'all'"),
        ("ec.SpectralEDM(input='pixel')", "input must be one of 'mode', 'scalar', got 'pixel'"),
        ("ec.SpectralEDM([1.0])", "spectrum must be a Spectrum or None, got [1.0]"),
        ("ec.Angular(spectrum=[1.0])", "spectrum must be a Spectrum or None, got [1.0]"),
        ("ec.predict(ec.Spectrum([1.0])).emergence('middle')", "threshold must be one of 'geometric', 'harmonic', 'arithmetic', got 'middle'"),
        ("ec.predict(ec.Spectrum([1.0])).emergence().power_law('up')", "direction must be one of 'rising', 'falling', got 'up'"),
        ("ec.GradientFlow(lr='fast')", "lr must be a finite number > 0, got 'fast'"),
        ("ec.LocalConv(kernel=True)", "kernel must be a whole number >= 1, got True"),
        ("ec.predict([1.0])", "spectrum must be a Spectrum, got list: Spectrum(variance) or Spectrum.from_samples(x)"),
        ("ec.predict(ec.Spectrum([1.0]), sampler='heun')", f"sampler must be made by one of {', '.join(kind.__name__ for kind in concrete(ec.Sampler))}, got 'heun'"),
        ("ec.generalization(ec.Spectrum([1.0]), optimizer=3, time=[1.0], sigma=[1.0])", "optimizer must be made by one of GradientFlow, GradientDescent, HeavyBall, got 3"),
        ("ec.noise_floor(2.0, optimizer=ec.GradientDescent(), batch_size=2, sigma=[1.0])", "spectrum must be a Spectrum, got float: Spectrum(variance) or Spectrum.from_samples(x)"),
        ("ec.Coupled(ec.FeatureMap(3))", "features must be a function from (sigma,) to (sigma, feature), got 3"),
        ("ec.Coupled(ec.FeatureMap(lambda s: 1j * s[:, None]))", "features must be a function from (sigma,) to finite (sigma, feature), got ndarray that is not numeric"),
        ("ec.Heun(steps=20.5)", "steps must be a whole number >= 2, got 20.5"),
    ],
)  # fmt: skip
def test_misspelt_options_are_refused(call, message):
    """In a process of its own: here the tests' type checker would refuse them before the library does."""
    result = subprocess.run(
        [sys.executable, "-c", f"import eigenclock as ec; {call}"], capture_output=True, text=True, timeout=60
    )
    assert result.stderr.splitlines()[-1] == f"eigenclock.checks.InputError: {message}"
