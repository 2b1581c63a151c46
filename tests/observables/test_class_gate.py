"""The gate of classes: planted Gaussians whose quantiles are known, digits, noise; few samples and coordinates that never vary."""

import builtins

import numpy as np
import pytest
import scipy.stats
from sklearn.datasets import load_digits

import eigenclock as ec
from eigenclock.observables.class_gate import ClassGate, most_probable


def two(rng, n, d=6, apart=8.0):
    y = np.repeat([0, 1], n)
    return rng.standard_normal((2 * n, d)) * np.where(y, 2.0, 1.0)[:, None] + apart * y[:, None], y


def test_real_samples_pass_at_the_quantile_and_noise_does_not(rng):
    """Classes far apart: limits are quantiles of χ² with d degrees of freedom, 0.99 of fresh samples are between them."""
    x, y = two(rng, 3000)
    gate = ClassGate.of(x, y)
    assert gate.accuracy == 1
    wanted = np.array([scipy.stats.chi2.ppf([0.005, 0.995], 6)] * 2)
    assert gate.limits[:, 1] == pytest.approx(wanted[:, 1], rel=0.12)  # quantile of 1,000: ± 4 % and estimates'
    assert gate.limits[:, 0] == pytest.approx(wanted[:, 0], rel=0.5)  # ± 15 %
    fresh, known = two(np.random.default_rng(5), 4000)
    passed = (gate(fresh) == known).reshape(2, -1).mean(axis=1)
    # the quantile of 1,000 held-out samples and the count of 4,000 fresh ones: standard deviation 0.0035
    assert passed == pytest.approx(0.99, abs=4 * 0.0035)
    assert gate.pass_rate == pytest.approx(0.99, abs=0.002)
    noise = 20 * rng.standard_normal((2000, 6))
    inside = [((noise - mean) ** 2).sum(axis=1) / var < 1.2 * gate.limits[0, 1] for mean, var in ((0, 1), (8, 4))]
    assert (gate(noise)[~(inside[0] | inside[1])] == -1).all()
    assert set(gate.nearest(noise)) == {0, 1}


def test_samples_between_classes_are_of_none(rng):
    """Near both: one logistic direction, its probability 0.9 at ln 9 = 2.2 of its argument."""
    x, y = two(rng, 2000, d=1, apart=3.0)
    gate = ClassGate.of(x, y)
    line = np.linspace(-3, 9, 400)[:, None]
    share = gate.probabilities(line).max(axis=1)
    assert (gate(line)[share < 0.9] == -1).all()
    assert (share < 0.9).any()
    assert set(gate(line)[share >= 0.9]) == {-1, 0, 1}


def test_pass_rates_of_few_samples_are_those_of_fresh_ones():
    """Fifteen of a class: each judged by the limits of the four others that are held out, a fresh one by those of five.

    By order statistics 3/5 and 4/6 lie between the least and the largest; read on the samples that set the limits all five would.
    """
    told, true = [], []
    for seed in range(60):
        x, y = two(np.random.default_rng(seed), 15, d=5, apart=30.0)
        gate = ClassGate.of(x, y, seed=seed)
        fresh, known = two(np.random.default_rng(1000 + seed), 200, d=5, apart=30.0)
        told.append(gate.pass_rate.mean())
        true.append((gate(fresh) == known).mean())
    assert np.mean(told) == pytest.approx(3 / 5, abs=1e-9)
    assert np.mean(true) == pytest.approx(4 / 6, abs=4 * np.std(true) / np.sqrt(60))


def test_averages_of_real_samples_are_none():
    """Too near the middle: a ninth of the squared distance, means of classes none at all. Gaussians, and digits."""
    x, y = two(np.random.default_rng(0), 900, d=30)
    images, labels = load_digits(return_X_y=True)
    for gate, real, of in ((ClassGate.of(x, y), x, y), (ClassGate.of(images, labels), images, labels)):
        groups = [real[of == k] for k in range(of.max() + 1)]
        assert (gate(np.stack([one.mean(axis=0) for one in groups])) == -1).all()
        averages = np.concatenate(
            [one[: len(one) // 9 * 9].reshape(-1, 9, one.shape[1]).mean(axis=1) for one in groups]
        )
        assert (gate(averages) >= 0).mean() < 0.02
        assert gate.pass_rate.min() > 0.6


def test_few_samples_in_many_coordinates_some_of_which_never_vary(rng):
    """Twenty images of 100 pixels for a class, a frame that is 0 in all: one pixel of the frame that is lit is not real."""
    centres = rng.random((3, 10, 10))
    frame = np.zeros((10, 10), bool)
    frame[[0, -1]] = frame[:, [0, -1]] = True
    y = np.repeat(np.arange(3), 20)
    images = np.where(frame, 0.0, centres[y] + 0.1 * rng.standard_normal((60, 10, 10)))
    gate = ClassGate.of(images, y)
    assert gate.accuracy == 1
    new = np.where(frame, 0.0, centres[y] + 0.1 * rng.standard_normal((60, 10, 10)))
    assert (gate(new) == y).mean() > 0.7
    lit = new.copy()
    lit[:, 0] = 3.0
    assert (gate(lit) == -1).all()
    assert gate(np.where(frame, np.nan, new)).tolist() == [-1] * 60


def test_digits_that_come_out_of_noise():
    """The gate: noise has not emerged. Logistic regression alone: most classes there at once, with a warning."""
    from sklearn.linear_model import LogisticRegression

    images, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    real, target = order[:1300], order[1300:]
    steps, rng = np.arange(1.0, 12.0), np.random.default_rng(1)
    share = np.clip((steps - 1) / 9, 0, 1)[:, None, None]
    data = images[target][rng.integers(0, len(target), (steps.size, 400))]
    pixels = images[real].mean(axis=0), images[real].std(axis=0)  # noise of the right mean and spread, pixel by pixel
    samples = share * data + (1 - share) * rng.normal(*pixels, (steps.size, 400, 64))
    labels = y[real]
    found = ec.class_clocks((steps, samples), real=(images[real], labels))
    assert all(one.low[0] >= 1 for one in found.emergence)
    assert (found.share[0, 0] < 0.025).all()  # half of what emergence asks for, half a tenth
    assert sum(one.hit[0] for one in found.emergence) >= 9
    assert found.proportions == pytest.approx(np.bincount(labels) / len(labels))
    model = LogisticRegression(max_iter=2000).fit(images[real] / 16, labels)
    with pytest.warns(
        ec.InputWarning, match=r"of 10 classes are there at the first record, step 1: usually classify accepts"
    ):
        naive = ec.class_clocks((steps, samples), lambda x: model.predict(x / 16), labels=labels)
    assert sum(one.low[0] == 0 for one in naive.emergence) > 5


def test_probabilities_in_place_of_labels():
    share = np.array([[0.95, 0.05], [0.89, 0.11], [0.0, 1.0], [np.nan, 1.0]])
    assert most_probable(share).tolist() == [0, -1, 1, -1]
    steps, x = np.arange(1.0, 4.0), np.zeros((3, 4, 2))
    found = ec.class_clocks((steps, x), lambda samples: share, proportions=[0.5, 0.5])
    assert found.share[0].tolist() == [[0.25, 0.25]] * 3
    with pytest.raises(
        ec.InputError, match=r"classify must give labels, or probabilities >= 0 that sum to at most 1, got -3"
    ):
        ec.class_clocks((steps, x), lambda samples: np.array([[2.0, -3.0]] * 4), proportions=[0.5, 0.5])


def test_a_gate_made_before_and_its_pass_rates(rng):
    x, y = two(rng, 300, apart=3.0)
    gate = ClassGate.of(x, y, confident=0.99)
    assert gate.pass_rate.min() < 0.99
    runs = (np.array([1.0, 2.0]), np.stack([30 + rng.standard_normal((50, 6)), x[::12]]))
    found = ec.class_clocks(runs, real=gate, proportions=[0.5, 0.5])
    counts = np.stack([(gate(one)[:, None] == [0, 1]).mean(axis=0) for one in runs[1]])
    assert found.share[0] == pytest.approx(counts / gate.pass_rate)
    assert "2 classes, accuracy" in repr(gate)


Y = np.repeat([0, 1], 20)
X = np.random.default_rng(0).random((40, 3)) + 9 * Y[:, None]
RUNS = (np.array([1.0, 2.0]), np.zeros((2, 5, 3)))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "give either classify or real, got neither"),
        ({"classify": lambda x: x, "real": (X, Y)}, "give either classify or real, got both"),
        ({"real": X}, r"real must be \(X, y\), samples and their classes, got ndarray of shape \(40, 3\)"),
        ({"real": (X, Y[:5])}, r"real\[1\] must be 40 whole numbers >= 0, a class per sample, got int64 of shape \(5,\)"),
        ({"real": (X, Y / 2)}, r"real\[1\] must be 40 whole numbers >= 0, a class per sample, got float64"),
        ({"real": (X, 0 * Y)}, "real must hold at least 12 samples of each of two classes or more, got one class"),
        ({"real": (X, 2 * Y)}, "real must hold at least 12 samples of each of two classes or more, got 0 of class 1"),
        ({"real": (X, 10**9 * Y)}, r"real\[1\] must number the classes from 0, got 1000000000"),
        ({"real": (X * np.nan, Y)}, r"real\[0\] must be finite samples \(n, ...\), got nan"),
        ({"real": (X[:, :2], Y)}, "samples must have the real ones' 2 coordinates, got 3"),
        ({"real": (X, Y), "proportions": [0.5, 0.3, 0.2]}, "real must have the 3 classes of the training samples, got 2"),
    ],
)  # fmt: skip
def test_errors(more, message):
    with pytest.raises(ec.InputError, match=message):
        ec.class_clocks(RUNS, **more)


def test_classes_that_cannot_be_told_apart():
    x = np.random.default_rng(0).standard_normal((400, 3))
    with pytest.raises(ec.InputError, match="real must be told apart by class, got none of class 0 accepted"):
        ec.class_clocks(RUNS, real=(x, np.repeat([0, 1], 200)))


def test_without_scikit_learn(monkeypatch):
    usual = builtins.__import__

    def without(name, *rest):
        if name.startswith("sklearn"):
            raise ImportError(name)
        return usual(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        ec.InputError, match=r"real samples need scikit-learn to tell classes: pip install 'eigenclock\[data\]'"
    ):
        ClassGate.of(X, Y)
