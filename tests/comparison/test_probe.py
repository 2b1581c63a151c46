"""Tests of `eigenclock.comparison.probe`."""

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest

import eigenclock as ec
from eigenclock.comparison.probe import Probe


def halfway(spectrum, steps=(1, 10, 100, 1000), watch=None, **options):
    """A linear denoiser that learns each mode at a rate of its variance, probed up to its last step."""
    probe = ec.Probe(
        spectrum, sampler=ec.Heun(steps=20), steps=list(steps), n_samples=64, sigma=(), watch=watch, **options
    )
    variance = np.asarray(spectrum.variance, dtype=np.float32)

    def denoiser_at(step):
        def denoiser(x, sigma):
            learned = x.new_tensor(1 - np.exp(-0.01 * step * (variance + float(sigma) ** 2)))
            best = x.new_tensor(variance / (variance + float(sigma) ** 2))
            return learned * best * x

        return denoiser

    for step in (0, *steps):
        probe(step, denoiser_at(step))
    return probe


@pytest.fixture(scope="module")
def half_trained():
    return halfway(ec.Spectrum.power_law(40, exponent=1.5))


def test_scalars_are_the_numbers_of_the_curve_and_of_the_forecast(half_trained):
    found, curve = half_trained.scalars(), half_trained.curve()
    assert all(type(value) is float and np.isfinite(value) for value in found.values())
    share = curve.target.values / curve.target.values.sum()
    begun = curve.emergence()
    assert found["begun"] == pytest.approx(share[begun.gray_zone | ~begun.censored].sum())
    assert found["in_band"] == pytest.approx(share[curve.settling().settled].sum())
    distance = np.sqrt(((np.sqrt(curve.variance.values[-1]) - np.sqrt(curve.target.values)) ** 2).sum())
    assert found["w2"] == pytest.approx(distance / np.sqrt(curve.target.values.sum()))
    expected = ec.forecast(ec.predict_levels(curve.spectrum, ec.EDM(density=ec.LogNormal()), ec.Heun(steps=20)), curve)
    assert found["eta_begun_50"] == expected.variance_begun(0.5).step
    assert found["eta_begun_finest"] == expected.finest().step
    assert {name for name in found if name.startswith("eta_w2")} <= {"eta_w2_0.5", "eta_w2_0.25", "eta_w2_0.1"}
    assert half_trained.scalars("a/") == {f"a/{name}": value for name, value in found.items()}


def test_a_moment_that_is_put_off_again_and_again_is_said():
    """Modes that stay at a third of their way: theory expects them soon, always."""
    spectrum = ec.Spectrum.power_law(40, exponent=1.5)
    steps = [2**k for k in range(11)]
    probe = ec.Probe(spectrum, sampler=ec.Heun(steps=20), steps=steps, n_samples=64, sigma=())
    variance = np.asarray(spectrum.variance, dtype=np.float32)

    def at(step):
        def denoiser(x, sigma):
            best = x.new_tensor(variance / (variance + float(sigma) ** 2))
            return best * x * min(0.03 * step, 0.9)

        return denoiser

    counts = []
    for step in [0, *steps]:
        probe(step, at(step))
        counts.append(probe.forecast().put_off)
        words = str(probe.forecast())
        assert ("put off" in words) == (counts[-1] > 1)
    assert max(counts) >= 2
    assert probe.forecast() is probe.forecast()  # asked twice after a record, it is put off once


def test_what_is_watched_comes_by_its_name_and_copies_as_memorised():
    probe = halfway(ec.Spectrum([1.0, 0.1]), steps=[1], watch={"copies": lambda x: {"copies": 0.25, "excess": 0.125}})
    assert probe.scalars()["memorised"] == probe.scalars()["copies_excess"] == 0.125
    assert probe.scalars()["copies_copies"] == 0.25


def test_before_the_first_record_there_is_nothing():
    probe = ec.Probe(ec.Spectrum([1.0, 0.1]))
    assert probe.scalars() == {}
    with pytest.raises(ec.InputError, match="nothing was recorded yet"):
        probe.forecast()


def test_objectives_that_are_told_said_or_taken():
    spectrum = ec.Spectrum([1.0, 0.1])
    for given, said, wanted in (
        (None, None, ec.EDM(density=ec.LogNormal())),
        (None, ec.Epsilon(), ec.Epsilon()),
        (ec.Velocity(), None, ec.Velocity()),
    ):
        probe = ec.Probe(spectrum, steps=[1], n_samples=64, objective=given)
        denoiser = (
            (lambda x, sigma: 0.5 * x) if said is None else ec.as_denoiser(lambda x, sigma: 0 * x, objective=said)
        )
        probe(0, denoiser)
        assert probe.levels()["c"].recipe.objective == wanted
    with pytest.raises(ec.InputError, match="objective must be an objective"):
        ec.Probe(spectrum, objective="edm")


def test_the_figure_draws_what_was_measured_and_what_is_expected(half_trained):
    open_before = plt.get_fignums()
    figure = half_trained.figure(loss=([1, 10, 100], [3.0, 2.0, 1.9]))
    below, above = figure.axes
    assert plt.get_fignums() == open_before  # no loop collects open figures
    goal = half_trained.curve().reachable.values
    line = below.lines[0]
    np.testing.assert_allclose(line.get_ydata(), half_trained.curve().variance.values[:, 0] / goal[0])
    assert line.get_xdata().tolist() == [0.5, 1, 10, 100, 1000]
    assert above.lines[0].get_ydata().tolist() == [3.0, 2.0, 1.9]
    assert below.get_xlabel() == "training step"
    dashed = [one for one in below.lines if one.get_linestyle() == "--"]
    assert all(len(one.get_xdata()) for one in dashed)
    with pytest.raises(ec.InputError, match="loss must be"):
        half_trained.figure(loss=([1, 2], [1.0]))


def test_pictures_are_the_kept_samples_or_what_they_are_decoded_to():
    images = np.random.default_rng(0).standard_normal((200, 6, 5))
    spectrum = ec.Spectrum.from_samples(images)
    options = {"sampler": ec.Heun(steps=4), "steps": [1], "n_samples": 64, "sigma": (), "keep_samples": 3}
    seen = []
    plain = Probe(spectrum, watch={"kept": lambda x: seen.append(x[:3]) or {"n": len(x)}}, **options)
    plain(0, lambda x, sigma: x / (1 + sigma**2))
    np.testing.assert_allclose(
        plain.pictures(), seen[0], rtol=1e-5, atol=1e-5
    )  # float32 samples, through the basis and back
    decoded = Probe(spectrum, decode=lambda x: np.repeat(x[..., None], 3, axis=-1), **options)
    decoded(0, lambda x, sigma: x / (1 + sigma**2))
    assert decoded.pictures().shape == (3, 6, 5, 3)
    vectors = Probe(ec.Spectrum([1.0, 0.1]), **options)
    vectors(0, lambda x, sigma: x / (1 + sigma**2))
    with pytest.raises(ec.InputError, match="pictures need samples"):
        vectors.pictures()
    with pytest.raises(ec.InputError, match="decode must be a function"):
        Probe(spectrum, decode=3)


def test_a_probe_loads_nothing_that_it_does_not_use():
    """On a cluster none of these need be there; xarray itself loads dask, and with it jinja2, once an array is made."""
    code = """
import sys
import eigenclock as ec

probe = ec.Probe(ec.Spectrum([1.0, 0.1]), steps=[1], n_samples=64)
for step in range(2):
    probe(step, lambda x, sigma: x / (1 + sigma**2))
heavy = {"plotly", "matplotlib", "jinja2", "rich", "jsonargparse", "skimage", "sklearn", "scipy.stats", "scipy.optimize"}
print(sorted(heavy & set(sys.modules)))
probe.curve(), probe.scalars(), probe.state_dict()
print(sorted((heavy & set(sys.modules)) - ({"jinja2"} if "dask" in sys.modules else set())))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "[]"]
