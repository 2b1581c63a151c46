"""Tests of `eigenclock.data.bundled`."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock.data import BUNDLED, load, natural_patches


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("natural16", (16, 16)),
        ("natural32", (32, 32)),
        ("natural16-colour", (16, 16, 3)),
        ("natural32-colour", (32, 32, 3)),
        ("digits", (8, 8)),
        ("faces", (25, 25)),
    ],
)
def test_bundled_images(name, shape):
    data = load(name)
    assert data.samples.shape[1:] == data.test.shape[1:] == shape
    assert data.samples.dtype == np.float64
    assert 0 <= data.samples.min() < data.samples.max() <= 1
    if name.startswith("natural"):
        assert len(data.samples) >= 10_000
    assert len(np.unique(data.samples.reshape(len(data.samples), -1), axis=0)) > 0.8 * len(data.samples)


def test_natural_patches_look_natural():
    """Neighbouring pixels correlate, and power falls with frequency about as 1/f²."""
    data = natural_patches(16, n=4000)
    x = data.samples - data.samples.mean()
    assert (x[:, :, 1:] * x[:, :, :-1]).mean() / (x**2).mean() > 0.85
    spectrum = ec.Spectrum.from_samples(data.samples, basis="fourier")
    radius = np.hypot(*spectrum.basis.frequency.T)
    ring = (radius > 0.1) & (radius < 0.5)
    slope = np.polyfit(np.log(radius[ring]), np.log(spectrum.variance[ring]), 1)[0]
    assert -3.5 < slope < -1.5


def test_patches_are_seeded_and_held_out():
    one, two, other = natural_patches(8, n=50), natural_patches(8, n=50), natural_patches(8, n=50, seed=1)
    assert (one.samples == two.samples).all()
    assert (one.samples != other.samples).any()
    train = {patch.tobytes() for patch in natural_patches(8, n=5000).samples}
    assert not any(patch.tobytes() in train for patch in one.test if patch.std() > 0)


def test_every_bundled_name_is_listed():
    assert set(BUNDLED) == {"natural16", "natural32", "natural16-colour", "natural32-colour", "digits", "faces"}


def test_missing_extra_is_one_line(monkeypatch):
    from eigenclock.data import bundled

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(bundled, "import_module", missing)
    with pytest.raises(ec.InputError, match=r"^bundled images need sklearn: pip install 'eigenclock\[data\]'$"):
        load("digits")
