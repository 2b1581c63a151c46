"""Copies: nearest neighbours against brute force, chance against mathematics, copiers and learners told apart."""

import sys
import tracemalloc

import numpy as np
import pytest
import scipy.spatial.distance

import eigenclock as ec
from eigenclock.observables.copies import found_in, matches, nearest, neighbour_ratio


@pytest.mark.parametrize("d", [1, 3, 8, 9, 64, 300])
@pytest.mark.parametrize("m", [2, 5, 400])
def test_nearest_is_brute_force(rng, d, m):
    x, y = rng.standard_normal((50, d)) + 100, rng.standard_normal((m, d)) + 100
    distance, index = nearest(x, y)
    every = scipy.spatial.distance.cdist(x, y)
    # the same sums of squares of differences, in another order: a few ulp
    assert distance == pytest.approx(np.sort(every, axis=1)[:, :2], rel=1e-12)
    assert np.take_along_axis(every, index, axis=1) == pytest.approx(distance, rel=1e-12)


def test_a_copy_far_from_the_origin_has_distance_zero(rng):
    y = 1e6 + rng.standard_normal((200, 32))
    distance, index = nearest(y[::-1], y)
    assert (distance[:, 0] == 0).all()
    assert (index[:, 0] == np.arange(200)[::-1]).all()


def test_chunks_and_images_change_nothing(rng, monkeypatch):
    x, y = rng.standard_normal((300, 4, 5)), rng.standard_normal((200, 4, 5))
    whole = nearest(x, y)
    monkeypatch.setattr("eigenclock.observables.copies.BLOCK", 5000)
    parts = nearest(x, y)
    assert (whole[1] == parts[1]).all()
    assert (whole[0] == parts[0]).all()


def test_memory_stays_flat(rng):
    x, y = rng.standard_normal((20_000, 48)), rng.standard_normal((4000, 48))
    tracemalloc.start()
    nearest(x, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e8  # all distances at once would be 640 MB


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
    import torch

    train = torch.randn(30, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert ec.memorization(train, train.detach().numpy()).copies.value == 1
    assert ec.memorization(train, train.detach().double().numpy() * (1 + 1e-12), criterion="exact").copies.value == 1


def test_neighbours_without_scikit_learn(rng, monkeypatch):
    x, y = rng.standard_normal((60, 20)), rng.standard_normal((90, 20))
    with_it = nearest(x, y)
    monkeypatch.setitem(sys.modules, "sklearn.neighbors", None)
    without = nearest(x, y)
    assert (with_it[1] == without[1]).all()
    assert (with_it[0] == without[0]).all()
