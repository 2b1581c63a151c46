"""Tests of `eigenclock.theory.stable`: descent converges just below the largest rate, and diverges just above it."""

import numpy as np
import pytest

import eigenclock as ec

SPECTRUM, SIGMA = ec.Spectrum([3.0, 0.5, 0.01]), np.array([0.1, 1.0, 4.0])


@pytest.mark.parametrize(
    "objective", [ec.Denoising(), ec.EDM(), ec.FlowMatching(), ec.Epsilon(path="vp", density=ec.LogNormal())]
)
@pytest.mark.parametrize("momentum", [None, 0.5])
def test_descent_by_hand_stays_below_it_and_leaves_above_it(objective, momentum):
    optimizer = ec.GradientDescent() if momentum is None else ec.HeavyBall(momentum=momentum)
    largest = ec.stable_lr(
        SPECTRUM, objective=objective, architecture=ec.OneLayer(0.0), optimizer=optimizer, sigma=SIGMA
    )
    known = objective.regression(SPECTRUM.variance, SIGMA)

    def error_after(lr, steps=4000):
        gain = before = np.zeros_like(known.curvature)
        for _ in range(steps):
            slope = 2 * known.weight * known.density * (known.curvature * gain - known.cross_moment)
            gain, before = gain - lr * slope + (momentum or 0.0) * (gain - before), gain
        return np.abs(gain - known.optimum).max()

    first = np.abs(known.optimum).max()
    # above it the error of the fastest mode grows by (1 + 2·10⁻²)ⁿ at least; below it does not grow
    assert error_after(0.99 * largest) < 2 * first
    with np.errstate(over="ignore", invalid="ignore"):
        assert not error_after(1.01 * largest) < 1e6 * first


def test_a_third_of_it_is_the_default_of_predict():
    from eigenclock.jobs.config import TheoryOptions
    from eigenclock.jobs.predict_job import stable_learning_rate

    training = TheoryOptions(objective=ec.EDM(), sampler=ec.Heun(steps=20))
    assert stable_learning_rate(training, SPECTRUM) == pytest.approx(
        ec.stable_lr(SPECTRUM, objective=ec.EDM()) / 3, rel=0.05
    )


def test_what_has_no_stable_rate_is_refused():
    for options, words in (
        ({"optimizer": ec.GradientFlow()}, "optimizer must be GradientDescent or HeavyBall, got GradientFlow"),
        ({"sigma": [0.0]}, "sigma must"),
    ):
        with pytest.raises(ec.InputError, match=words):
            ec.stable_lr(**{"spectrum": SPECTRUM} | options)
