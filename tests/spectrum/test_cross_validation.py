"""Tests of `eigenclock.spectrum.cross_validation` (T22): against the truth, on data whose spectrum is known."""

import pickle
import warnings

import numpy as np
import pytest
from scipy.stats import ortho_group

import eigenclock as ec
from eigenclock.spectrum.cross_validation import factor_between


def drawn(rng, n, exponent, d=40):
    """Samples of a power law in a random basis, and their covariance."""
    variance = np.arange(1, d + 1) ** -float(exponent)
    modes = ortho_group.rvs(d, random_state=rng)
    return rng.standard_normal((n, d)) * np.sqrt(variance) @ modes, (modes.T * variance) @ modes


@pytest.fixture(autouse=True)
def quiet():
    """The warning has a test of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ec.InputWarning)
        yield


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_nearer_to_what_the_modes_have_than_sample_variances(rng, exponent):
    """What new samples have along a spectrum's modes, u_kᵀΣu_k; n = 2D, ten draws."""
    raw, validated = [], []
    for _ in range(10):
        x, covariance = drawn(rng, 80, exponent)
        spectrum = ec.Spectrum.from_samples(x)
        true = np.einsum("kd,de,ke->k", spectrum.basis.components, covariance, spectrum.basis.components)
        raw.append(np.abs(np.log(spectrum.variance / true)))
        validated.append(np.abs(np.log(spectrum.cross_validated().variance / true)))
    before, after = (np.quantile(np.stack(one), 0.9) for one in (raw, validated))
    assert after < 0.35  # T22: 0.11 on 256 smooth modes of images; these are 40
    assert after < 0.4 * before


def test_white_noise_reads_white_also_from_few_samples(rng):
    for n, most in ((20, 4.0), (60, 2.5), (400, 1.5)):
        found = ec.Spectrum.from_samples(rng.standard_normal((n, 40))).cross_validated()
        every = np.append(found.variance, [found.null_variance] * (40 - found.n_modes))
        assert every.max() / every.min() < most  # raw: infinite, 80, 3.5
        assert every.mean() == pytest.approx(1.0, abs=0.1)


def test_what_few_samples_do_not_see_has_the_null_variance(rng):
    x, covariance = drawn(rng, 25, 0.5)
    found = ec.Spectrum.from_samples(x).cross_validated()
    assert found.n_modes == 24
    left_out = np.trace(covariance) - found.variance.sum()
    assert found.null_variance == pytest.approx(left_out / 16, rel=0.5)


def test_total_variance_is_kept(rng):
    x, _ = drawn(rng, 300, 1.0)
    found = ec.Spectrum.from_samples(x)
    assert found.cross_validated().variance.sum() == pytest.approx(found.variance.sum(), rel=0.02)
    assert (np.diff(found.cross_validated().variance) <= 0).all()


@pytest.mark.parametrize("basis", ["dct", "fourier"])
def test_waves_are_cross_validated_too(rng, basis):
    x = rng.standard_normal((400, 6, 6)).cumsum(axis=1)
    found = ec.Spectrum.from_samples(x, basis=basis)
    assert np.abs(np.log(found.cross_validated().variance / found.variance)).max() < 0.4  # modes known: 4·√(2/400)


def test_given_samples_and_seed_decide(rng):
    x, _ = drawn(rng, 100, 1.0)
    found = ec.Spectrum.from_samples(x)
    assert np.array_equal(found.cross_validated().variance, found.cross_validated(x).variance)
    assert not np.array_equal(found.cross_validated(seed=1).variance, found.cross_validated().variance)
    assert found.cross_validated().basis is found.basis


def test_groups_are_never_in_two_folds(rng):
    """Every sample twice: taken apart they leak, in groups they read as white as they are."""
    x = np.tile(rng.standard_normal((100, 60)), (2, 1))
    spectrum = ec.Spectrum.from_samples(x)
    apart, together = spectrum.cross_validated(), spectrum.cross_validated(groups=np.tile(np.arange(100), 2))
    ratio = [one.variance.max() / one.variance.min() for one in (apart, together)]
    assert ratio[0] > 5
    assert ratio[1] < 2


def test_what_is_rounding_is_zero(rng):
    x = rng.standard_normal((200, 6)) @ np.diag([1.0, 1, 1, 1, 0, 0]) + 0.3
    assert ec.Spectrum.from_samples(x).cross_validated().rank == 4
    few = ec.Spectrum.from_samples(rng.standard_normal((20, 5)) @ rng.standard_normal((5, 40))).cross_validated()
    assert few.null_variance == 0.0


def test_copies_and_files_hold_no_samples(rng, tmp_path):
    spectrum = ec.Spectrum.from_samples(rng.standard_normal((5000, 8)))
    assert len(pickle.dumps(spectrum)) < 20_000
    validated = spectrum.cross_validated()
    validated.save(tmp_path / "s.nc")
    again = ec.Spectrum.load(tmp_path / "s.nc")
    assert again.null_variance == validated.null_variance == 0.0
    assert spectrum.null_variance is None
    with pytest.raises(ec.InputError, match="samples must be given"):
        again.cross_validated()
    assert spectrum.with_test(rng.standard_normal((50, 8))).cross_validated().test_variance is not None


def test_truncated_spectra_count_the_rest_as_left_out(rng):
    x, _ = drawn(rng, 300, 1.0)
    whole = ec.Spectrum.from_samples(x)
    first = ec.Spectrum(
        whole.variance[:10], mean=whole.mean, basis=ec.PCA(whole.basis.components[:10], (40,)), n_samples=300
    )
    found = first.cross_validated(x)
    assert found.variance.sum() + 30 * found.null_variance == pytest.approx(whole.variance.sum(), rel=0.05)


def test_the_user_is_told_where_samples_were_too_few(rng):
    with pytest.warns(ec.InputWarning, match=r"variances of 80 samples in 40 dimensions are off by a factor"):
        ec.Spectrum.from_samples(drawn(rng, 80, 1.0)[0]).cross_validated()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ec.Spectrum.from_samples(drawn(rng, 8000, 1.0)[0]).cross_validated()


def test_factor_between():
    assert factor_between(np.array([1.0, 2.0, 0.0]), np.array([1.0, 1.0, 5.0])) == pytest.approx(2**0.9)
    assert factor_between(np.zeros(2), np.ones(2)) == 1.0


def test_errors(rng):
    with pytest.raises(ec.InputError, match="abstract"):
        ec.Spectrum([1.0]).cross_validated()
    with pytest.raises(ec.InputError, match="samples must be given"):
        ec.Spectrum.from_covariance(np.eye(3)).cross_validated()
    x = rng.standard_normal((10, 3))
    with pytest.raises(ec.InputError, match="folds must be"):
        ec.Spectrum.from_samples(x).cross_validated(folds=11)
    with pytest.raises(ec.InputError, match=r"groups must have shape \(10,\)"):
        ec.Spectrum.from_samples(x).cross_validated(groups=[1, 2])
    with pytest.raises(ec.InputError, match="groups must hold at least 2"):
        ec.Spectrum.from_samples(x).cross_validated(groups=np.zeros(10))
    changed = ec.Spectrum.from_samples(x)
    x += 3.0
    with pytest.raises(ec.InputError, match="they have been changed"):
        changed.cross_validated()
    x -= x.mean(axis=0)
    scaled = ec.Spectrum.from_samples(x)
    scaled.cross_validated()
    x *= 3.0
    with pytest.raises(ec.InputError, match="they have been changed"):
        scaled.cross_validated()
    with pytest.raises(ec.InputError, match="samples must"):
        ec.Spectrum.from_samples(x).cross_validated(rng.standard_normal((10, 4)))
    with pytest.raises(ec.InputError, match="at least 4"):
        ec.Spectrum.from_samples(x[:3]).cross_validated()
