"""Tests of `eigenclock_studies.class_imbalance.fashion_data`."""

import numpy as np
import pytest

import eigenclock as ec
from eigenclock_studies.class_imbalance.fashion_data import ARMS, choose, judge_of, synthetic, three_classes


def test_classes_are_chosen_by_variance_and_sets_are_disjoint():
    data = synthetic()
    chosen, traces = choose(data.train_y, data.train_x)
    assert (np.diff(traces[chosen]) > 0).all()
    many = np.repeat(np.arange(10), 30)
    spread = np.array([3, 1, 7, 5, 9, 2, 10, 4, 8, 6])[many]
    labelled = np.random.default_rng(0).standard_normal((300, 5)) * spread[:, None]
    assert spread[many == choose(many, labelled)[0][1]][0] == 5
    assert [int(np.unique(spread[many == k])[0]) for k in choose(many, labelled)[0]] == [1, 5, 10]
    classes = three_classes(data, d=8, pca_from=200, pool=60, seed=0)
    sets = [np.concatenate(part) for part in (classes.train, classes.control, classes.judge, classes.held_out)]
    together = np.concatenate(sets)
    assert len(np.unique(together, axis=0)) == len(together)
    everything = np.concatenate([classes.train[k] for k in range(3)])
    for arm, shares in ARMS.items():
        samples, control, counts = classes.arm(arm, 120)
        assert len(samples) == len(control) == 120
        assert counts / 120 == pytest.approx(shares, abs=0.01)
        assert np.isin(samples[:, 0], everything[:, 0]).all()
    judge = judge_of(classes)
    assert judge.accuracy >= 0.97
    assert (judge.pass_rate > 0.9).all()
    assert (judge.strict(1e3 * np.ones((4, 8))) == -1).all()
    with pytest.raises(ec.InputError, match="the classifier must be right for"):
        judge_of(classes, least=1.01)
