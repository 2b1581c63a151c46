"""Clocks of classes: known trajectories of shares and copies are read back."""

import numpy as np
import pytest

import eigenclock as ec

STEPS = np.geomspace(10, 10_000, 25)
N = 2000


def runs(rng, seeds, train):
    """Class 1 of three grows logistically around step 300, class 2 around 3,000; copies of class 1 around 1,000."""
    found = []
    for _ in range(seeds):
        samples, labels = [], []
        for step in STEPS:
            one, two = (0.3 / (1 + middle / step) for middle in (300, 3000))
            label = rng.choice(3, N, p=[1 - one - two, one, two])
            x = rng.standard_normal((N, 8)) + 10 * label[:, None]
            copied = (label == 1) & (rng.random(N) < 1 / (1 + 1000 / step))
            x[copied] = train[rng.integers(0, len(train), copied.sum())]
            samples.append(x)
            labels.append(label)
        found.append((STEPS, np.stack(samples)))
    return found


@pytest.fixture(scope="module")
def made():
    rng = np.random.default_rng(0)
    train, control = rng.standard_normal((2, 200, 8)) + 10
    return runs(rng, 3, train), train, control


def classify(x):
    return np.clip(np.round(x.mean(axis=1) / 10), 0, 2).astype(int)


def test_emergence_and_copies_of_each_class(made):
    several, train, control = made
    found = ec.class_clocks(
        several, classify, proportions=[0.4, 0.3, 0.3], train=train, control=control, names=["a", "b", "c"]
    )
    # the share reaches half of its proportion at the logistic's middle; 8 records per decade, counting noise of 2,000 samples
    assert found.emergence[1].geometric_mean == pytest.approx(300, rel=0.15)
    assert found.emergence[2].geometric_mean == pytest.approx(3000, rel=0.15)
    assert found.emergence[0].status == ["left-censored"] * 3
    # copies pass 0.1 where 1/(1 + 1000/step) = 0.1
    assert found.memorized[1].geometric_mean == pytest.approx(1000 / 9, rel=0.3)
    assert found.memorized[2].status == ["right-censored"] * 3
    assert np.nanmax(found.by_chance) < 0.05
    assert found.excess.shape == (3, STEPS.size, 3)
    table = found.to_dataframe()
    assert list(table["class"]) == ["a", "b", "c"]
    assert "3 right-censored" in table["memorized"][2]


def test_one_run_has_the_interval_of_counting(made):
    several, _, _ = made
    found = ec.class_clocks(several[0], classify, proportions=[0.4, 0.3, 0.3])
    low, high = found.counting[1]
    assert low < found.emergence[1].time[0] < high
    # the share's standard deviation is 0.008 where it grows by 0.075 per unit of ln step: ± 0.21 in ln step
    assert high / low < np.exp(2 * 0.21) * 1.2
    assert "counting noise" in found.to_dataframe().columns[3]
    assert found.excess is None


def test_labels_in_place_of_a_classifier(made):
    several, _, _ = made
    labels = np.stack([[classify(x) for x in samples] for _, samples in several])
    by_labels = ec.class_clocks(several, labels, proportions=[0.4, 0.3, 0.3])
    by_function = ec.class_clocks(several, classify, labels=np.repeat([0, 1, 2], [4, 3, 3]))
    assert (by_labels.share == by_function.share).all()
    half = ec.class_clocks(several, labels, proportions=[0.4, 0.3, 0.3], pass_rate=[1, 0.5, 1])
    assert (half.share[..., 1] == 2 * by_labels.share[..., 1]).all()


def test_no_class_is_also_an_answer(made):
    several, _, _ = made
    none = ec.class_clocks(several[0], lambda x: np.full(len(x), -1), proportions=[0.5, 0.5])
    assert (none.share == 0).all()
    assert none.emergence[0].status == ["right-censored"]


def test_few_samples_of_a_class_are_not_judged(made):
    several, train, control = made
    short = (STEPS, several[0][1][:, :30])
    found = ec.class_clocks(short, classify, proportions=[0.4, 0.3, 0.3], train=train, control=control)
    assert np.isnan(found.copied[0, 0, 1])


def test_from_a_probe(patches):
    data, spectrum = patches
    probe = ec.Probe(spectrum, sampler=ec.Heun(steps=4), steps=[1, 2], n_samples=64, keep_samples=64, sigma=())
    for step in range(3):
        probe(step, lambda x, sigma: x / (1 + sigma**2))
    kept = probe.curve()
    with pytest.warns(ec.InputWarning, match="2 of 2 classes are there at the first record, step 0"):
        found = ec.class_clocks(
            kept,
            lambda x: (x[:, 0, 0] > 0).astype(int),
            proportions=[0.5, 0.5],
            train=data.samples[:300],
            control=data.test[:300],
        )
    assert found.share.shape == (1, 3, 2)
    assert found.share.sum(axis=2) == pytest.approx(np.ones((1, 3)))
    probe = ec.Probe(spectrum, sampler=ec.Heun(steps=4), steps=[1], n_samples=8, keep_samples=0, sigma=())
    probe(0, lambda x, sigma: x)
    with pytest.raises(ec.InputError, match="with kept samples"):
        ec.class_clocks(probe.curve(), lambda x: np.zeros(len(x), int), proportions=[1.0])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"proportions": [0.5, 0.6]}, r"proportions must be > 0 and sum to one, got \[0.5, 0.6\]"),
        ({"proportions": [1.0, 0.0]}, "proportions must be > 0 and sum to one"),
        ({"proportions": None}, "give either proportions or labels of the training samples"),
        ({"proportions": None, "labels": [0, 0, 2]}, "every class must have samples, got none of class 1 in labels"),
        ({"proportions": None, "labels": [0.5, 1]}, "labels must be whole numbers >= 0"),
        ({"proportions": None, "labels": [0, 1], "train": np.zeros((3, 2)), "control": np.zeros((3, 2))}, "labels must be as many as train, got 2 for 3 samples"),
        ({"train": np.zeros((3, 2))}, "control must be given with train"),
        ({"train": np.zeros((0, 2)), "control": np.ones((3, 2))}, "train must hold at least one sample"),
        ({"classify": lambda x: np.zeros(3, int)}, r"classify must give 40 labels, one per sample, got shape \(3,\)"),
        ({"classify": np.zeros((4, 39), int)}, r"classify must have shape \(4, 40\), a label per sample, got \(4, 39\)"),
        ({"classify": lambda x: np.full(len(x), 2)}, "classify must give whole labels from −1 to 1, got 2 to 2"),
        ({"pass_rate": [1.0]}, r"pass_rate must be 2 numbers in \(0, 1\]"),
        ({"names": ["a"]}, "names must name 2 classes, got 1"),
        ({"classify": lambda x: np.array(["a"] * len(x))}, "classify must give whole labels from −1 to 1, got <U1"),
        ({"control": np.zeros((3, 2))}, "train must be given with control"),
        ({"runs": None}, "runs must be learning curves, or pairs of steps"),
        ({"runs": (np.arange(1, 5), np.zeros((4, 19, 2))), "train": np.zeros((3, 2)), "control": np.ones((3, 2))}, "runs must hold at least 20 samples each time to count copies, got 19"),
        ({"runs": []}, "runs must hold at least one run, got none"),
        ({"runs": (np.arange(3), np.zeros((4, 40, 2)))}, r"samples must have shape \(time, n, ...\) with 3 times"),
    ],
)  # fmt: skip
def test_errors(more, message):
    given = {
        "runs": (np.arange(1, 5), np.zeros((4, 40, 2))),
        "classify": lambda x: np.zeros(len(x), int),
        "proportions": [0.5, 0.5],
    } | more
    with pytest.raises(ec.InputError, match=message):
        ec.class_clocks(given.pop("runs"), given.pop("classify"), **given)


def test_a_diverged_model_is_no_class():
    x = np.ones((3, 50, 2))
    x[1:] = np.nan
    found = ec.class_clocks((np.arange(1, 4), x), lambda x: (x[:, 0] > 0).astype(int), proportions=[0.5, 0.5])
    assert found.share[0].tolist() == [[0, 1], [0, 0], [0, 0]]


def test_projected_samples_are_not_taken_for_copies():
    """Fewer training samples than coordinates: a curve keeps only their span, in which everything is near them."""
    rng = np.random.default_rng(0)
    train, control = rng.standard_normal((2, 30, 64))
    probe = ec.Probe(
        ec.Spectrum.from_samples(train), sampler=ec.Euler(steps=2), steps=[1], n_samples=32, keep_samples=32, sigma=()
    )
    probe(0, lambda x, sigma: x)
    with pytest.raises(
        ec.InputError, match="runs must keep whole samples to count copies, got 29 modes of 64 coordinates"
    ):
        ec.class_clocks(probe.curve(), lambda x: np.zeros(len(x), int), proportions=[1.0], train=train, control=control)
