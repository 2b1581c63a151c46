"""Tests of `eigenclock.checks`: what holds numbers is converted, what does not is refused in one line."""

import decimal
import fractions
import subprocess
import sys

import numpy as np
import pytest
import torch

import eigenclock as ec
from eigenclock import checks
from eigenclock.checks import InputWarning

X = np.random.default_rng(0).standard_normal((20, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("value", "tolerance"),
    [
        (X.tolist(), 0),
        (torch.tensor(X), 0),
        (torch.tensor(X).requires_grad_(), 0),
        (torch.tensor(X).to_sparse(), 0),
        (torch.tensor(X).bfloat16(), 2**-8),  # eight bits of mantissa
        (torch.tensor(X).half(), 2**-11),
        (np.asfortranarray(X), 0),
        (X.astype(">f4"), 0),
        (np.ma.masked_invalid(X), 0),
        (X.astype(object), 0),
        ([[decimal_like for decimal_like in row] for row in X.tolist()], 0),
    ],
    ids=[
        "list",
        "tensor",
        "gradient",
        "sparse",
        "bfloat16",
        "half",
        "fortran",
        "big-endian",
        "unmasked",
        "objects",
        "rows",
    ],
)
def test_whatever_holds_numbers_is_converted(value, tolerance):
    """By one function, so that every entry point takes the same."""
    np.testing.assert_allclose(checks.numeric_array("x", value, "numbers"), X, rtol=tolerance, atol=tolerance)
    wanted = ec.Spectrum.from_samples(X).variance
    np.testing.assert_allclose(ec.Spectrum.from_samples(value).variance, wanted, rtol=1e-5 + 4 * tolerance)
    np.testing.assert_allclose(ec.Spectrum.from_batches([value]).variance, wanted, rtol=1e-5 + 4 * tolerance)


@pytest.mark.parametrize(
    "value",
    [
        np.array(["1", "2"]), ["1", "2"], "12", b"12", np.array(["2020-01-01"], "datetime64[D]"), np.array([1j]), [1j, 2], object(),
        {"a": 1}, {1, 2}, [[1.0], [1.0, 2.0]], [10**400], np.array([1, None]), torch.ones(2, device="meta"), [fractions.Fraction(1, 3), "a"],
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_holds_no_numbers_is_refused(value):
    for call in (
        ec.Spectrum,
        ec.Spectrum.from_samples,
        lambda x: checks.training_time(x),
        lambda x: ec.divergences.kl(x, [1.0]),
    ):
        with pytest.raises(ec.InputError) as error:
            call(value)
        assert "\n" not in str(error.value)


def test_masked_entries_are_refused_and_counted():
    masked = np.ma.masked_greater(np.r_[X, np.full((5, 3), 1e6)], 100)
    for call in (ec.Spectrum.from_samples, lambda x: ec.Spectrum(x[:, 0]), lambda x: ec.Spectrum.from_batches([x])):
        with pytest.raises(ec.InputError, match=r"must have no masked entries, got (5|15)"):
            call(masked)
    with pytest.raises(ec.InputError, match="time must have no masked entries, got 1"):
        ec.predict(ec.Spectrum([1.0]), time=np.ma.array([1.0, 2.0], mask=[False, True]))


@pytest.mark.parametrize("value", [2**64, 10**30, 18446744073709551616])
def test_seeds_of_any_size(value):
    assert checks.random_seed(value) == value
    first, again = (ec.Spectrum.log_normal(4, seed=value).variance for _ in range(2))
    assert np.array_equal(first, again)
    net = [ec.MLP(8, 1, 4).build((3,), seed=value).state_dict() for _ in range(2)]
    assert all(torch.equal(net[0][name], net[1][name]) for name in net[0])


@pytest.mark.parametrize(
    "value", [10**400, -(10**400), decimal.Decimal("1.5"), True, "1", None, float("inf"), np.nan, 1j, [1.0]]
)
def test_numbers_that_are_none(value):
    with pytest.raises(ec.InputError, match=r"^lr must be a finite number > 0, got "):
        checks.number("lr", value, above=0)


def test_options_are_kept_in_float64():
    """σ_max = 80 as an int filled an integer array; σ_data in float16 lost digits. Without the tests' type checker."""
    script = """
import numpy as np, eigenclock as ec
plain = ec.predict(ec.Spectrum([1.0]), sampler=ec.Heun(sigma_max=80.0), time=[0.0, 1.0]).variance
for kind in (int, np.int64, np.float32, np.float16):
    sampler = ec.Heun(steps=np.int8(20), sigma_max=kind(80))
    assert type(sampler.sigma_max) is float and type(sampler.steps) is int
    assert np.array_equal(ec.predict(ec.Spectrum([1.0]), sampler=sampler, time=[0.0, 1.0]).variance, plain)
half, whole = (ec.predict(ec.Spectrum([1.0]), objective=ec.EDM(s), time=[1.0]).variance for s in (np.float16(0.5), 0.5))
assert np.array_equal(half, whole)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "make",
    [
        lambda: ec.Heun(sigma_max=1e300), lambda: ec.Heun(sigma_min=1e-300), lambda: ec.ProbabilityFlow(1e-300, 1.0),
        lambda: ec.GradientDescent(1e308), lambda: ec.GradientFlow(1e-300), lambda: ec.EDM(1e300), lambda: ec.LogNormal(1e3, 1.0),
        lambda: ec.OneLayer(1e300), lambda: ec.Spectrum([1e300]), lambda: ec.Spectrum.power_law(3, exponent=1.0, scale=1e300),
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused_with_the_range(make):
    with pytest.raises(ec.InputError, match=r"1e[-+]?\d+|<= 30"):
        make()


@pytest.mark.parametrize("offset", [0.0, 1e5, 1e10])
def test_fourier_spectra_keep_their_digits_at_a_large_mean(offset):
    """White noise of full rank about an offset; what is left is the rounding of the samples themselves, eps·offset."""
    x = np.random.default_rng(0).standard_normal((200, 16))
    shifted = (x + offset) - offset  # the samples that float64 can hold there
    exact = ec.Spectrum.from_samples(shifted, basis="fourier")
    found = ec.Spectrum.from_samples(x + offset, basis="fourier")
    np.testing.assert_allclose(found.variance, exact.variance, rtol=1e-10)
    np.testing.assert_allclose(found.mean, exact.mean + offset, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.to_modes(x + offset).var(axis=0), found.variance, rtol=1e-9)


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_covariances_are_judged_by_their_own_digits(kind):
    x = np.random.default_rng(0).standard_normal((500, 8)).astype(kind)
    c = ((x.T @ x) / kind(len(x))).astype(kind)
    c[0, 1] *= 1 + 2 * np.finfo(kind).eps
    found = ec.Spectrum.from_covariance(c).variance
    assert np.allclose(found, np.linalg.eigvalsh((c + c.T).astype(float) / 2)[::-1])
    with pytest.raises(ec.InputError, match=r"c must be symmetric"):
        ec.Spectrum.from_covariance(c.astype(np.float64))


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_power_laws_do_not_depend_on_units(unit):
    """Variances that differ by parts in 10⁶ are different in any unit."""
    target = unit * (1 + 1e-6 * np.arange(5))
    time = 1.0 / np.arange(1, 6)
    none = np.zeros(5, dtype=bool)
    table = ec.Emergence(
        target, target / 1e9, target / 1e4, time, np.array(["rising"] * 5), none, none, "geometric", 1.0
    )
    law = table.power_law()
    assert law.exponent == pytest.approx(np.polyfit(np.log1p(1e-6 * np.arange(5)), np.log(time), 1)[0], rel=1e-4)


def test_levels_that_are_not_are_refused():
    for level in ("A", "(a)", "zzz", ""):
        with pytest.raises(ec.InputError, match=r"^level must be one of 'a', 'b', 'c', 'd', 'e', 'e_balanced', got"):
            ec.predict_level(level, ec.Spectrum([1.0]), ec.EDM(), ec.Heun())


def test_channels_first_and_bytes_are_said():
    images = np.random.default_rng(0).standard_normal((20, 3, 8, 8))
    with pytest.warns(InputWarning, match=r"x of shape \(20, 3, 8, 8\) looks like \(n, channels, h, w\)"):
        ec.Spectrum.from_samples(images)
    with pytest.raises(ec.InputError, match=r"images must have their channels last"):
        ec.Spectrum.from_samples(images, basis="fourier")
    with pytest.warns(InputWarning, match=r"x holds uint8 up to 2\d\d, taken as it is: divide by 255 for 0…1"):
        ec.Spectrum.from_samples(np.random.default_rng(0).integers(0, 256, (20, 4), dtype=np.uint8))


def test_times_out_of_order_are_refused_on_construction():
    curve = ec.predict(ec.Spectrum([1.0]), time=[1.0, 2.0])
    with pytest.raises(ec.InputError, match="time must be strictly increasing"):
        ec.LearningCurve(curve.dataset.isel(time=[1, 0]), recipe=None, source="theory")


def test_memory_that_is_not_there_is_told_before_it_is_asked_for():
    with pytest.raises(
        ec.InputError, match=r"^count = 1,000,000,000,000,000 needs [\d,]+\.\d GiB of memory, .* are free$"
    ):
        ec.log_steps(1, 10**6, 10**15)
    with pytest.raises(ec.InputError, match=r"^MLP\(width=1000000000.* needs [\d,]+\.\d GiB"):
        ec.MLP(10**9, 1).build((4,))
