"""Tests of `eigenclock.exact.rules`."""

import numpy as np
import pytest
import scipy.stats
from support.small_rules import SMALL, cube

import eigenclock as ec


@pytest.mark.parametrize("rule", SMALL, ids=repr)
def test_rules_against_the_whole_cube(rule, rng):
    every = cube(rule.D)
    assert rule.valid(every).sum() == rule.size
    assert rule.chance_sample == rule.valid(every).mean()
    assert rule.chance_group == rule.group_valid(every).mean()
    assert rule.group_valid(every).shape[1] == rule.n_groups
    drawn = rule.sample(50 * rule.size, rng)
    assert rule.valid(drawn).all()
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert counts.size == rule.size
    assert scipy.stats.chisquare(counts).pvalue > 1e-3
    assert (rule.decode(rule.encode(drawn[:20])) == drawn[:20]).all()
    assert set(np.unique(rule.encode(drawn[:20]))) <= {-1.0, 1.0}


@pytest.mark.parametrize("layout", ["contiguous", "strided", "random"])
def test_layouts_part_the_bits(layout):
    places = ec.GroupParity(24, 4, layout).places
    assert sorted(places.ravel()) == list(range(24))
    assert places.shape == (6, 4)
    values = np.arange(48).reshape(2, 24)
    rule = ec.GroupParity(24, 4, layout)
    assert (rule.ungrouped(rule.grouped(values)) == values).all()


def test_training_and_control_sets_are_disjoint_and_distinct(rng):
    rule = ec.GroupParity(24, 4)
    train, control = rule.split(512, rng)
    both = np.concatenate([train, control])
    assert len(np.unique(both, axis=0)) == 1024
    assert rule.valid(both).all()
