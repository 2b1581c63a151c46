"""Tests of `eigenclock.recipe.recipe`."""

import json

import numpy as np
import pytest
from recipes import OBJECTIVES

import eigenclock as ec


@pytest.mark.parametrize("objective", OBJECTIVES, ids=str)
def test_recipe_round_trip(objective):
    recipe = ec.Recipe(objective, ec.TiedTwoLayer(0.2), ec.HeavyBall(0.1, 0.3), ec.Heun(steps=7))
    assert ec.Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_numpy_numbers_in_a_recipe_are_saved(tmp_path):
    """float32 and int64 are numbers to a user, but not to JSON. (Set behind the tests' type checker, which wants a float.)"""
    curve = ec.predict(ec.Spectrum([1.0]), time=[1.0], architecture=ec.OneLayer(0.1))
    object.__setattr__(curve.recipe.architecture, "init", np.float32(0.1))
    curve.save(tmp_path / "curve.nc")
    assert ec.LearningCurve.load(tmp_path / "curve.nc").recipe.architecture.init == np.float32(0.1)
