"""Copies: chance against mathematics, copiers and learners told apart."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

import eigenclock as ec
from eigenclock.observables.copies import found_in, matches, nearest, neighbour_ratio


@pytest.mark.parametrize(("d", "m"), [(2, 200), (2, 2000), (3, 500)])
def test_chance_of_the_ratio_is_r_to_the_d(rng, d, m):
    n, r = 20_000, 1 / 3
    # on a torus there is no edge: points shifted by whole periods
    y = rng.random((m, d))
    shifts = np.stack(np.meshgrid(*[[-1, 0, 1]] * d), axis=-1).reshape(-1, d)
    everywhere = (y[None] + shifts[:, None]).reshape(-1, d)
    found = (neighbour_ratio(rng.random((n, d)), everywhere) < r).mean()
    # binomial noise of n samples, and of m cells that share neighbours
    assert abs(found - r**d) < 4 * np.sqrt(r**d / n) + 4 * r**d / np.sqrt(m)


def test_copier_learner_and_mixture(rng):
    train, control, fresh = rng.standard_normal((3, 400, 16))
    copier = ec.memorization(train[rng.integers(0, 400, 300)] + 0.01 * rng.standard_normal((300, 16)), train, control)
    assert copier.copies.value == 1
    assert copier.excess.low > 0.95
    learner = ec.memorization(fresh, train, control)
    assert learner.copies.value < 0.01
    assert learner.excess.low <= 0 <= learner.excess.high
    swapped = ec.memorization(control, train, control)
    assert swapped.excess.high < -0.95
    half = ec.memorization(np.concatenate([train[:100], fresh[:100]]), train, control)
    assert half.excess.low < 0.5 < half.excess.high
    assert half.is_copy[:100].all()
    assert half.record() == {"copies": half.copies.value, "control": half.control.value, "excess": half.excess.value}
    assert ec.memorization(fresh, train).excess is None


def test_repeats_in_the_training_set_count_once(rng):
    train = np.concatenate([rng.standard_normal((50, 10))] * 2)
    near = train[:20] + 1e-3
    assert matches(near, train).all()
    assert matches(train, train).all()


def test_exact_matches_and_their_chance(rng):
    rule = ec.GroupParity(12, 3)
    train, control = rule.split(40, rng, allow_chance=True)
    fresh = rule.sample(20_000, rng)
    found = ec.memorization(fresh, train, control, criterion="exact")
    # a perfect rule sampler hits N of 256 valid samples
    expected = 40 / rule.size
    assert abs(found.copies.value - expected) < 4 * np.sqrt(expected / 20_000)
    assert found.excess.low < 0 < found.excess.high
    smaller = ec.memorization(fresh, train, control[:20], criterion="exact")
    assert abs(smaller.control.value - expected) < 8 * np.sqrt(expected / 20_000)
    assert found_in(np.array([[0.0, -0.0]]), np.array([[-0.0, 0.0]])).all()


def test_discrete_data_of_any_type(rng):
    bits = rng.integers(0, 2, (30, 7))
    assert found_in(bits.astype(np.uint8), bits.astype(np.float32)).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ec.memorization(x, x[:0], x), r"train must hold at least one sample, got shape \(0, 3\)"),
        (lambda x: ec.memorization(x[:0], x, x), "samples must hold at least one sample"),
        (lambda x: ec.memorization(x, x[:, :2]), r"samples must be shaped like train, got \(3,\) and \(2,\)"),
        (lambda x: ec.memorization(x, x[:, :2], criterion="exact"), r"samples must be shaped like train, got \(3,\) and \(2,\)"),
        (lambda x: ec.memorization(x, x[:1]), "train must hold at least 2 different samples for the ratio of distances, got 1"),
        (lambda x: ec.memorization(x, x * np.nan), "train must be finite numbers of shape"),
        (lambda x: ec.memorization(x, x, ratio=1.0), "ratio must be a finite number > 0 and < 1, got 1.0"),
        (lambda x: nearest(x, x, k=9), "train must hold at least 9 samples, got 5"),
    ],
)  # fmt: skip
def test_errors(rng, call, message):
    with pytest.raises(ec.InputError, match=message):
        call(rng.standard_normal((5, 3)))


def test_single_precision_is_compared_as_such(rng):
    train = rng.standard_normal((20, 5))
    assert found_in(train.astype(np.float32), train).all()
    assert not found_in(train + 1e-12, train).any()


def test_axes_in_another_order_are_refused(rng):
    with pytest.raises(ec.InputError, match=r"samples must be shaped like train, got \(3, 4, 4\) and \(4, 4, 3\)"):
        ec.memorization(rng.random((9, 3, 4, 4)), rng.random((9, 4, 4, 3)))
    with pytest.raises(ec.InputError, match="control must be finite numbers"):
        ec.memorization(rng.random((9, 3)), rng.random((9, 3)), rng.random((9, 3)) * np.nan)


def test_a_larger_control_set_is_cut_to_the_size_of_the_training_set(rng):
    train, samples = rng.random((30, 2)), rng.random((2000, 2))
    many = ec.memorization(samples, train, rng.random((3000, 2)))
    # two sets of 30 points in a square: the shares near each point differ by their cells, 0.11·√(2/30) and binomial noise
    assert abs(many.excess.value) < 4 * (0.11 * np.sqrt(2 / 30) + np.sqrt(2 * 0.1 / 2000))


def test_tensors_are_samples_too():
    train = torch.randn(30, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert ec.memorization(train, train.detach().numpy()).copies.value == 1
    assert ec.memorization(train, train.detach().double().numpy() * (1 + 1e-12), criterion="exact").copies.value == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float32])
def test_precision_and_whole_numbers_change_no_verdict(rng, dtype):
    """Images of 0–255 with noisy copies, against distances in float64 by SciPy."""
    train = rng.integers(20, 230, (300, 6, 6, 3))
    samples = np.concatenate([train[:40] + rng.integers(-6, 7, (40, 6, 6, 3)), rng.integers(20, 230, (60, 6, 6, 3))])
    found = ec.memorization(samples.astype(dtype), train.astype(dtype))
    every = np.sort(cdist(samples.reshape(100, -1).astype(float), train.reshape(300, -1).astype(float)), axis=1)
    assert (found.is_copy == (every[:, 0] < every[:, 1] / 3)).all()
    assert found.is_copy.sum() == 40


def test_copies_in_the_space_of_features(rng):
    """Mirrored training images: no copies by pixels, all of them by features that a mirror does not change."""
    train, control = rng.random((2, 300, 8, 8, 3))
    mirrored = train[:50, :, ::-1] + 0.001 * rng.standard_normal((50, 8, 8, 3))
    seen = []

    def features(x):
        seen.append(len(x))
        assert isinstance(x, np.ndarray)
        return torch.as_tensor((x + x[:, :, ::-1]).reshape(len(x), -1)[:, :96])

    assert ec.memorization(mirrored, train, control).copies.value == 0
    found = ec.memorization(mirrored, train, control, features=features)
    assert (found.copies.value, found.control.value) == (1, 0)
    assert (sum(seen), max(seen)) == (50 + 300 + 300, 256)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"features": 3}, "features must be a function of samples, got 3"),
        ({"features": lambda x: x[:1]}, r"features must give 5 rows \(b, k\) for as many of samples, got shape \(1, 3\)"),
        ({"features": lambda x: x.sum(axis=1)}, r"features must give 5 rows \(b, k\) for as many of samples, got shape \(5,\)"),
        ({"features": lambda x: "a"}, r"features must be a function to numbers \(b, k\), got str that is not numeric"),
        ({"features": lambda x: x, "criterion": "exact"}, "features must be left out where criterion='exact'"),
        ({"device": "abacus"}, "device must be one of cpu"),
    ],
)  # fmt: skip
def test_errors_of_features_and_devices(rng, more, message):
    x = rng.standard_normal((5, 3 if "features" in more else 30))
    with pytest.raises(ec.InputError, match=message):
        ec.memorization(x, x, **more)
