"""Tests of `eigenclock_studies.class_imbalance.fashion_data`."""

from dataclasses import replace

import numpy as np
import pytest

import eigenclock as ec
from eigenclock_studies.class_imbalance.fashion_data import ARMS, RANKS, classes_of, ranked, synthetic


def test_classes_are_ranked_by_variance():
    many = np.repeat(np.arange(10), 430)
    spread = np.array([3, 1, 7, 5, 9, 2, 10, 4, 8, 6])
    images = np.random.default_rng(0).standard_normal((4300, 2, 3)).astype(np.float32) * spread[many][:, None, None]
    data = replace(synthetic(), train_x=images, train_y=many, test_x=images, test_y=many)
    labels, traces = ranked(data)
    assert spread[labels].tolist() == sorted(spread)
    assert traces == pytest.approx(6.0 * np.sort(spread) ** 2, rel=0.1)  # six pixels; 430 samples: 7 % at two sigma
    three = classes_of(data, three=True, d=4, pca_from=200, pool=60, seed=0)
    assert three.names == tuple(f"class {labels[rank - 1]}" for rank in RANKS)
    assert classes_of(data, three=False, d=4, pca_from=200, pool=60, seed=0).names == tuple(
        f"class {k}" for k in labels
    )


def test_sets_are_disjoint_and_arms_have_their_shares():
    classes = classes_of(synthetic(), three=True, d=8, pca_from=200, pool=60, seed=0)
    together = np.concatenate([np.concatenate(part) for part in (classes.train, classes.control, classes.others)])
    assert len(np.unique(together, axis=0)) == len(together)
    everything = np.concatenate(classes.train)
    for shares in ARMS.values():
        samples, control, counts = classes.arm(shares, 120, 0)
        assert len(samples) == len(control) == 120
        assert counts / 120 == pytest.approx(shares, abs=0.01)
        assert np.isin(samples[:, 0], everything[:, 0]).all()
    with pytest.raises(ec.InputError, match="n must leave at most 60 images of a class, got 570 of n = 1200"):
        classes.arm(ARMS["rare high"], 1200, 0)


def test_too_few_images_are_refused():
    with pytest.raises(ec.InputError, match="every class needs 600 training images, got 400"):
        classes_of(synthetic(), three=True, d=8, pca_from=200, pool=200, seed=0)
