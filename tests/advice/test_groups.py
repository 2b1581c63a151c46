"""Tests of `eigenclock.advice.groups`, against samples that were standardised, and distances between whole covariances."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock.advice.groups import grouped
from eigenclock.curve.divergences import wasserstein_full

RNG = np.random.default_rng(0)
SAMPLES = RNG.standard_normal((4000, 12)) @ RNG.standard_normal((12, 12)) * np.geomspace(3, 0.1, 12) + 0.7
SPECTRUM = ec.Spectrum.from_samples(SAMPLES)


def test_modes_of_scaled_data_are_those_of_the_samples_scaled():
    for standardization, scaled in (
        ("none", SAMPLES),
        ("scale", SAMPLES * 0.5 / SAMPLES.std()),
        ("pixel", (SAMPLES - SAMPLES.mean(axis=0)) * 0.5 / SAMPLES.std(axis=0)),
    ):
        found = grouped(SPECTRUM, standardization)
        assert np.allclose(found.variance, np.linalg.eigvalsh(np.cov(scaled.T, bias=True))[::-1], rtol=1e-6)
        assert found.total == pytest.approx(SPECTRUM.variance.sum(), rel=1e-9)  # always of the data as they are
        assert found.scale == pytest.approx(np.sqrt(found.variance.mean()))


@pytest.mark.parametrize("standardization", ["none", "scale", "pixel"])
def test_distance_is_of_the_data_as_they_are(standardization):
    """Against the distance between whole covariances, generated modes turned and scaled back; an upper bound for pixels."""
    groups = grouped(SPECTRUM, standardization)
    generated = groups.variance * np.exp(RNG.uniform(-1, 1, 12))
    scaled = (SAMPLES - SAMPLES.mean(axis=0)) * {"none": 1.0}.get(standardization, 0.5)
    size = SAMPLES.std() if standardization == "scale" else SAMPLES.std(axis=0)
    size = 1.0 if standardization == "none" else size
    _, vectors = np.linalg.eigh(np.cov((scaled / size).T, bias=True))
    turned = vectors[:, ::-1]
    back = np.diag(np.ones(12) * size / {"none": 1.0}.get(standardization, 0.5))
    made = back @ (turned * generated) @ turned.T @ back
    true = np.cov(SAMPLES.T, bias=True)
    exact = wasserstein_full(np.zeros(12), made, np.zeros(12), true) / np.sqrt(np.trace(true))
    found = float(groups.distance(generated))
    if standardization == "pixel":
        assert exact <= found * (1 + 1e-9)
        assert found < 1.5 * exact
    else:
        assert found == pytest.approx(exact, rel=1e-6)


def test_many_modes_in_groups_say_what_each_alone_says():
    """768 modes in at most 192 groups: times of closeness within a thousandth of all modes' own."""
    spectrum = ec.Spectrum.power_law(768, exponent=1.3)
    groups = grouped(spectrum)
    assert groups.variance.size <= 193
    assert groups.weight.sum() == 768
    recipe = {"objective": ec.EDM(), "sampler": ec.Heun(steps=10), "time": np.geomspace(0.1, 1e3, 40)}
    own = ec.predict(spectrum, **recipe)
    together = groups.distance(ec.predict(groups.spectrum, **recipe).variance.values)
    assert np.allclose(together, own.wasserstein() / np.sqrt(own.total_variance), rtol=1e-3)


def test_directions_that_few_samples_leave_out_count():
    with pytest.warns(ec.InputWarning, match="cross-validated"):
        few = ec.Spectrum.from_samples(RNG.standard_normal((30, 50))).cross_validated()
    groups = grouped(few)
    assert groups.weight.sum() == 50
    assert groups.total == pytest.approx(few.variance.sum() + (50 - few.n_modes) * few.null_variance)


def test_dead_pixels_are_left_alone():
    dead = SAMPLES.copy()
    dead[:, 3] = 2.0
    groups = grouped(ec.Spectrum.from_samples(dead), "pixel")
    assert groups.variance.size == 11
    assert np.isfinite(groups.weight).all()


def test_what_cannot_be_standardised_is_refused():
    with pytest.raises(ec.InputError, match="at most 1024 coordinates to scale each alone, got abstract modes"):
        grouped(ec.Spectrum([1.0, 0.5]), "pixel")
    with pytest.raises(ec.InputError, match="a mode of variance > 0, got none"):
        grouped(ec.Spectrum([0.0, 0.0]))
