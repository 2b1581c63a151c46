"""Tests of `eigenclock.recipe.samplers.transport`."""

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg

from eigenclock.recipe.samplers.transport import exponential


@pytest.mark.parametrize("size", [1e-8, 0.3, 4.0, 40.0])
def test_exponential_of_a_stack(rng, size):
    stack = size * (rng.standard_normal((6, 3, 3)) + 1j * rng.standard_normal((6, 3, 3))) / 3
    expected = np.stack([scipy.linalg.expm(matrix) for matrix in stack])
    assert np.abs(exponential(stack, np.eye(3)) - expected).max() <= 1e-12 * np.abs(expected).max()
