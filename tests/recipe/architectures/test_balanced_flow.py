"""Tests of `eigenclock.recipe.architectures.balanced_flow`, against quadrature in many digits and the general path."""

import mpmath as mp
import numpy as np
import pytest

import eigenclock as ec
from eigenclock.recipe.architectures.balanced_flow import balanced, fits
from eigenclock.recipe.architectures.scalar_flow import ScalarFlow, integrate


def needed(depth, start, stop, end, missed):
    """q from x = start to x = stop, ∫ dx/(−x^{L−1}(x^L − a^L + missed)), in 30 digits."""
    with mp.workdps(30):
        first, last, a = mp.mpf(start), mp.mpf(stop), mp.mpf(end) ** depth
        places = [first * (last / first) ** (mp.mpf(k) / 40) for k in range(41)]
        return float(mp.quad(lambda x: -1 / (x ** (depth - 1) * (x**depth - a + missed)), places))


CASES = {  # start, stop, end, missed
    "falls to its end": (1.0, 0.3, 0.05, 0.0),
    "nearly there": (3.0, 0.0501, 0.05, 0.0),
    "rises to its end": (0.3, 1.9, 2.0, 0.0),
    "from little": (1e-2, 0.999, 1.0, 0.0),
    "barred by zero": (1.0, 0.2, 0.0, 0.4),
    "long after": (1.0, 1e-3, 0.0, 0.4),
}


@pytest.mark.parametrize("depth", [3, 4, 5, 6])
@pytest.mark.parametrize("case", CASES)
def test_a_layer_is_where_many_digits_have_it(depth, case):
    start, stop, end, missed = CASES[case]
    q = needed(depth, start, stop, end, missed)
    found = balanced(depth, start, np.array([[end]]), np.array([[missed]]), np.ones((1, 1)), np.array([0.0, q, np.inf]))
    # a relative error of q moves x^L by L·q·|dx/dq|/x of it; the tables know q to some 1e-14
    speed = stop ** (depth - 1) * abs(stop**depth - end**depth + missed)
    allowed = 2e-12 + depth * 2e-14 * q * speed / stop
    assert found[:, 0, 0] == pytest.approx([start**depth, stop**depth, end**depth], rel=allowed)


def test_without_a_target_the_power_law_of_the_equation():
    time = np.geomspace(1e-6, 1e8, 40)
    found = balanced(4, 0.3, np.zeros((1, 1)), np.zeros((1, 1)), np.ones((1, 1)), time)[:, 0, 0]
    assert np.allclose(found, (0.3**-6.0 + 6 * time) ** (-4 / 6), rtol=1e-13)


def test_it_is_the_general_path_where_both_apply():
    end = np.concatenate([np.geomspace(0.1, 30, 20), np.zeros(10)])[:, None]
    missed = np.concatenate([np.zeros(20), np.geomspace(0.1, 5, 10)])[:, None]
    time, rate = np.geomspace(1e-3, 1e3, 30), np.linspace(0.5, 2, 30)[:, None]
    for depth in (3, 5):
        general = integrate(ScalarFlow(0.5, end, missed, np.zeros(depth - 1)), rate, time)
        # the general path is integrated to 1e-10
        assert np.allclose(balanced(depth, 0.5, end, missed, rate, time), general, rtol=1e-9, atol=1e-12)


def test_what_lies_beyond_the_tables_goes_the_general_way():
    one, none = np.ones((1, 1)), np.zeros((1, 1))
    assert fits(3, 0.1, one, none)
    assert not fits(2, 0.1, one, none)
    assert not fits(9, 0.1, one, none)
    assert not fits(3, 1e-40, one, none)
    curve = ec.predict(ec.Spectrum([1.0, 0.1]), architecture=ec.DeepLinear(depth=9, init=0.5), time=[1.0, np.inf])
    assert np.isfinite(curve.variance).all()
