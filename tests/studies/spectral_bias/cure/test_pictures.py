"""Tests of `eigenclock_studies.spectral_bias.cure.pictures`."""

import numpy as np
import pytest

from eigenclock.curve.marginals import excess_kurtosis
from eigenclock_studies.spectral_bias.cure.pictures import SIGMA_DATA, Pictures


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    rng = np.random.default_rng(0)
    file = tmp_path_factory.mktemp("data") / "mine.npy"
    np.save(file, rng.laplace(size=(3000, 5, 5)).cumsum(axis=1))
    return str(file)


def test_whitened_data_are_white_and_come_back(place):
    source = Pictures(place, whitened=True)
    white, spectrum = source.load()
    known = source.known()
    assert np.allclose(spectrum.variance, SIGMA_DATA**2, rtol=0.2)  # cross-validated variances whiten
    assert np.allclose(known.centre + known.rescaled(white.astype(float), 1.0), known.train, atol=1e-5)


def test_gaussian_data_have_the_same_moments_and_no_others(place):
    plain, gaussian = Pictures(place).known(), Pictures(place, gaussian=True).known()
    ratio = gaussian.train.var(axis=0) / plain.train.var(axis=0)
    assert np.abs(ratio - 1).max() < 4 * np.sqrt(
        (2 + 3.5) / 2500
    )  # Gaussian and Laplace samples, kurtosis of at most 3
    ours, theirs = (excess_kurtosis(one.modes.to_modes(one.train)) for one in (gaussian, plain))
    assert np.abs(ours).max() < 5 * np.sqrt(24 / 2500)
    assert theirs.min() > 0.1  # sums of up to 25 Laplace variables, of kurtosis 3 each
    assert np.median(theirs) > 3 * np.abs(np.median(ours))


def test_held_out_images_are_not_trained_on(place):
    known = Pictures(place).known()
    assert (len(known.train), len(known.held_out)) == (2500, 500)
    assert known.train.std() == pytest.approx(SIGMA_DATA)
    assert not {image.tobytes() for image in known.train} & {image.tobytes() for image in known.held_out}


def test_names(place):
    assert Pictures(place + ":x").name == "mine"
    assert Pictures("digits", gaussian=True).name == "digits_gaussian"
