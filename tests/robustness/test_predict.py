"""(e) Any recipe on any spectrum, at any times: curves of finite, right-signed numbers, or a refusal in one line."""

import os
from functools import partial

import numpy as np
from hypothesis import given, settings, strategies as st

import eigenclock as ec

EXAMPLES = int(os.environ.get("EIGENCLOCK_EXAMPLES", "25"))
"""`make robustness` asks for more."""

signed = st.just(0.0) | st.floats(0.01, 1) | st.floats(-1, -0.01)
scale = st.floats(-8, 4).map(lambda power: 10.0**power)
levels = st.tuples(st.floats(-4, 0), st.floats(0.1, 3)).map(lambda pair: (10.0 ** pair[0], 10.0 ** pair[1]))


def later(kind, *parts):
    """How to make something of parts that are drawn: it is made in the test, where checkers may draw random numbers."""
    return st.tuples(*parts).map(lambda values: partial(kind, *values))


densities = st.none() | st.tuples(st.floats(-3, 3), st.floats(0.1, 3))
weights, paths = st.sampled_from(["uniform", "edm", "snr"]), st.sampled_from(["ve", "vp"])
objectives = st.one_of(
    later(lambda w, p, d: ec.Denoising(w, p, density(d)), weights, paths, densities),
    later(lambda s, d: ec.EDM(s, density(d)), scale, densities),
    later(lambda p, d: ec.Epsilon(path=p, density=density(d)), paths, densities),
    later(lambda d: ec.Velocity(density=density(d)), densities),
    later(lambda d: ec.Score(density=density(d)), densities),
    later(lambda d: ec.FlowMatching(density=density(d)), densities),
)
architectures = st.one_of(
    later(ec.OneLayer, st.floats(-1, 2)),
    later(ec.TiedTwoLayer, st.floats(1e-4, 2)),
    later(lambda p, q: ec.TwoLayer((p, q)), st.floats(0.01, 1), signed),
    later(ec.DeepLinear, st.integers(1, 4), st.floats(0.01, 1)),
    later(ec.Residual, st.integers(1, 3), st.floats(-0.5, 0.5)),
    later(ec.Affine, st.floats(-0.5, 0.5), st.floats(-1, 1)),
    later(lambda: ec.Coupled(ec.GaussianKernel(1.0), sigma_min=0.01, sigma_max=80.0, levels=32)),
)
optimizers = st.one_of(
    later(ec.GradientFlow, scale),
    later(ec.GradientDescent, scale),
    later(ec.HeavyBall, scale, st.floats(0, 0.95)),
)


def density(pair):
    return None if pair is None else ec.LogNormal(*pair)


def sampler(kind, pair, steps):
    low, high = pair
    return ec.ProbabilityFlow(low, high) if kind is ec.ProbabilityFlow else kind(steps, sigma_min=low, sigma_max=high)


samplers = later(
    sampler,
    st.sampled_from([ec.ProbabilityFlow, ec.Euler, ec.Heun, ec.Stochastic, ec.EulerMaruyama]),
    levels,
    st.integers(2, 12),
)
spectra = st.lists(st.just(0.0) | scale, min_size=1, max_size=6)
times = st.lists(st.integers(0, 10**6), min_size=1, max_size=5, unique=True).map(sorted)


@settings(max_examples=EXAMPLES, deadline=None)
@given(spectra, objectives, architectures, optimizers, samplers, times, st.booleans())
def test_predict_answers_or_refuses(spectrum, objective, architecture, optimizer, sampler, time, forever):
    """Warnings are errors here: an overflow that is not meant would be one."""
    asked = [float(one) for one in time] + ([float("inf")] if forever else [])
    spectrum = ec.Spectrum(spectrum)
    try:
        parts = {"objective": objective, "architecture": architecture, "optimizer": optimizer, "sampler": sampler}
        recipe = {name: make() for name, make in parts.items()}
        curve = ec.predict(spectrum, time=asked, keep_gain=True, sigma=[0.1, 1.0], **recipe)
    except ec.InputError:  # of one line, by its constructor
        return
    variance = curve.variance.values
    assert variance.shape == (len(asked), spectrum.n_modes)
    assert not np.isnan(variance).any()
    assert (variance >= 0).all()
    assert curve.gain.shape == (len(asked), spectrum.n_modes, 2)
    table = curve.emergence()
    known = table.time[~table.censored]
    assert ((known >= 0) & np.isfinite(known)).all()
    assert ec.LearningCurve(curve.dataset, recipe=curve.recipe, source="theory").recipe == curve.recipe
