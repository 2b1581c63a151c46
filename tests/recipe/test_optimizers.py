"""Tests of `eigenclock.recipe.optimizers`."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, strategies as st

import eigenclock as ec

TIME = np.array([0.0, 1.0, 2.0, 3.0, 10.0, 101.0, 1000.0])


def iterate(step, momentum, n):
    """Remaining fraction after n steps of the heavy ball, by 50-digit recursion."""
    with mpmath.workdps(50):
        value = previous = mpmath.mpf(1)
        for _ in range(n):
            value, previous = value - mpmath.mpf(step) * value + mpmath.mpf(momentum) * (value - previous), value
        return value


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.9, 0.99])
@pytest.mark.parametrize("share", [1e-9, 1e-4, 0.01, 0.3, 0.5, 0.9, 0.999])
def test_heavy_ball_is_its_recursion(momentum, share):
    step = share * 2 * (1 + momentum)
    progress = ec.HeavyBall(lr=1.0, momentum=momentum).progress(np.array([[step]]), TIME)[:, 0, 0]
    expected = np.array([float(1 - iterate(step, momentum, int(n))) for n in TIME])
    # each of n steps rounds once, relative to the largest value on the way
    assert np.abs(progress - expected).max() < 1e-11 * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("momentum", [0.25, 0.81])
@pytest.mark.parametrize("offset", [0.0, 1e-15, -1e-15, 1e-9, -1e-9])
@pytest.mark.parametrize("sign", [1, -1])
def test_heavy_ball_near_the_double_root(momentum, offset, sign):
    """h = (1 ∓ √β)²: T3's two-root form loses all digits here."""
    step = (1 - sign * np.sqrt(momentum)) ** 2 + offset
    progress = ec.HeavyBall(lr=1.0, momentum=momentum).progress(np.array([[step]]), TIME)[:, 0, 0]
    expected = np.array([float(1 - iterate(step, momentum, int(n))) for n in TIME])
    assert np.abs(progress - expected).max() < 1e-10 * np.abs(expected).max()


@given(st.floats(1e-12, 1.99), st.integers(0, 2000))
def test_gradient_descent_is_its_power(step, n):
    progress = ec.GradientDescent(lr=1.0).progress(np.array([[step]]), np.array([float(n)]))
    with mpmath.workdps(40):
        expected = float(1 - (1 - mpmath.mpf(step)) ** n)
    assert abs(progress[0, 0, 0] - expected) <= 1e-12 * max(abs(expected), 1e-300) + 1e-13 * (step > 1)


@pytest.mark.parametrize("optimizer", [ec.GradientFlow(0.1), ec.GradientDescent(0.1), ec.HeavyBall(0.1, 0.5)], ids=str)
def test_limits_are_exact(optimizer):
    hessian = np.array([[0.0, 1e-300, 1e-8, 0.3, 10.0]])
    progress = optimizer.progress(hessian, np.array([0.0, np.inf]))
    assert (progress[0] == 0).all()
    assert progress[1, 0, 0] == 0, "a flat direction never moves"
    assert np.abs(progress[1, 0, 2:] - 1).max() <= 1e-15


@pytest.mark.parametrize("momentum", [0.0, 1e-300, 1e-20, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("step", [1e-14, 1e-12, 1e-9, 1e-6, 1e-4])
def test_slow_progress_is_accurate_relative_to_itself(step, momentum):
    progress = ec.HeavyBall(lr=1.0, momentum=momentum).progress(np.array([[step]]), TIME[1:])[:, 0, 0]
    expected = np.array([float(1 - iterate(step, momentum, int(n))) for n in TIME[1:]])
    assert np.abs(progress / expected - 1).max() < 1e-12


def test_advised_learning_rate_is_accepted():
    for largest in np.random.default_rng(0).uniform(1e-3, 1e3, 50):
        hessian = np.array([[largest]])
        for optimizer in (ec.GradientDescent(1e6), ec.HeavyBall(1e6, 0.5)):
            with pytest.raises(ec.InputError) as error:
                optimizer.check_stable(hessian)
            advised = float(str(error.value).split()[4])
            type(optimizer)(advised).check_stable(hessian)


def test_small_steps_approach_gradient_flow_at_first_order():
    hessian, time = np.array([[1.0]]), np.array([2.0])
    errors = []
    for refinement in (10, 20, 40):
        steps = ec.GradientDescent(lr=1 / refinement).progress(hessian, time * refinement)
        errors.append(abs(float((steps - ec.GradientFlow(1.0).progress(hessian, time))[0, 0, 0])))
    assert 0.9 < np.log2(errors[0] / errors[1]) < 1.1
    assert 0.9 < np.log2(errors[1] / errors[2]) < 1.1


def test_discrete_optimizers_act_at_whole_steps():
    descent = ec.GradientDescent(lr=0.1)
    hessian = np.array([[1.0]])
    between = descent.progress(hessian, np.array([2.0, 2.7, 3.0 - 1e-13]))
    assert between[0] == between[1]
    assert between[2] == descent.progress(hessian, np.array([3.0]))[0], "rounding of a grid does not lose a step"


def test_divergence_names_modes():
    with pytest.raises(
        ec.InputError, match=r"^lr must be < 0\.1999 .* got 0\.5: diverges on 2 of 3 modes \(0, 1\) at 1 of 1"
    ):
        ec.GradientDescent(lr=0.5).progress(np.array([[10.0], [5.0], [1.0]]), np.array([1.0]))
    ec.HeavyBall(lr=0.35, momentum=0.8).progress(np.array([[10.0]]), np.array([1.0]))  # 2(1+beta)/10 = 0.36
    with pytest.raises(ec.InputError, match=r"^lr must be < 0\.3598"):
        ec.HeavyBall(lr=0.37, momentum=0.8).progress(np.array([[10.0]]), np.array([1.0]))


@pytest.mark.parametrize("make", [lambda: ec.GradientFlow(lr=-1.0), lambda: ec.GradientDescent(lr=float("nan"))])
def test_learning_rate_must_be_positive(make):
    with pytest.raises(ec.InputError, match=r"^lr must be a finite number > 0, got"):
        make()


def test_momentum_range():
    with pytest.raises(ec.InputError, match=r"^momentum must be a finite number >= 0 and < 1, got 1\.0$"):
        ec.HeavyBall(momentum=1.0)
