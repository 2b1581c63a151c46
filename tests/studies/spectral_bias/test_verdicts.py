"""Verdicts of the study: each can go every way, and follows the interval beside it."""

import numpy as np
import pytest
from support.planted_laws import table

from eigenclock.clocks.replicates import student_interval
from eigenclock_studies.spectral_bias import verdicts
from eigenclock_studies.spectral_bias.laws import Law
from eigenclock_studies.spectral_bias.level_errors import ONE_TIME, RIVALS, Errors
from eigenclock_studies.spectral_bias.resampling import Resampled


def law(alpha, *, noise=0.2, **more):
    return Law.of([table(alpha, noise=noise, seed=seed, **more) for seed in range(3)], "rising")


@pytest.mark.parametrize(
    ("found", "published", "verdict"),
    [
        (law(1.0), 1.05, "shown"),
        (law(1.0), 1.14, "shown"),  # within 0.15
        (law(1.8), 1.08, "in part (a law, another exponent)"),
        (law(1.0, noise=0.05), 1.2, "in part (a law, another exponent)"),  # 0.15 and no more
        (law(0.8, noise=4.0), 1.2, "inconclusive (the interval is too wide)"),
        (law(0.5), None, "shown"),
        (law(0.02, noise=2.0), 0.5, "not shown"),
        (law(-0.6), 0.5, "not shown (reversed: larger variance later)"),
        (law(-0.1, noise=0.02), 0.5, "not shown"),
        (law(1.0, waiting=5), 1.0, "inconclusive (more than 10 % of the modes not begun)"),
        (law(1.0, waiting=4), 1.0, "shown"),
        (law(1.0, modes=7), 1.0, "inconclusive (fewer than 8 modes came)"),
    ],
)
def test_law(found, published, verdict):
    assert verdicts.law_verdict(found, published) == verdict


def test_order():
    """A rank correlation of −0.93 in every seed is an order: what counts is that its interval excludes 0."""
    assert verdicts.order_verdict(law(0.3)) == "shown"
    assert verdicts.order_verdict(law(0.0, noise=1.0)) == "not shown"
    assert verdicts.order_verdict(law(-0.3)) == "not shown (reversed)"
    assert verdicts.order_verdict(law(0.3, modes=5)).startswith("inconclusive")


def test_a_law_that_is_gone():
    peer, none, flat = law(0.4, noise=0.05), law(0.0, noise=1.0), law(0.1, noise=0.02)
    assert verdicts.gone_verdict(law(0.02, noise=0.1), [peer]) == "shown"
    assert verdicts.gone_verdict(law(0.25, noise=0.02), [peer]) == "in part (another exponent, not a flat one)"
    assert verdicts.gone_verdict(law(0.4), [peer]) == "not shown"
    assert verdicts.gone_verdict(law(0.9), [peer]) == "not shown"
    assert verdicts.gone_verdict(law(0.02, noise=0.1), [peer, law(0.3, noise=0.02)]) == "shown"
    for peers in ([none], [flat], [peer, none]):
        assert verdicts.gone_verdict(law(0.02), peers) == "inconclusive (the control has no law)"
    assert verdicts.gone_verdict(law(0.02, modes=5), [peer]).startswith("inconclusive (fewer")
    assert verdicts.gone_verdict(law(0.02, noise=0.1, waiting=5), [peer]).startswith("inconclusive (more than 10 %")


def test_modes_that_come_at_once():
    peer = law(0.4, noise=0.05)
    assert verdicts.simultaneous_verdict(law(0.05, noise=0.05), [peer]) == "shown"
    assert verdicts.simultaneous_verdict(law(0.3, noise=0.05), [peer]).startswith("in part")
    assert verdicts.simultaneous_verdict(law(0.05, noise=0.05), [peer, law(0.25, noise=0.01)]) == "shown"
    assert verdicts.simultaneous_verdict(law(0.15, noise=0.05), [peer, law(0.25, noise=0.01)]).startswith("in part")
    assert verdicts.simultaneous_verdict(law(0.5, noise=0.05), [peer]) == "not shown"
    assert verdicts.simultaneous_verdict(law(0.05), [law(0.0, noise=1.0)]) == "inconclusive (the control has no law)"
    assert verdicts.simultaneous_verdict(law(0.05, waiting=5), [peer]).startswith("inconclusive (more than 10 %")


@pytest.mark.parametrize(
    ("worse_than", "verdict"),
    [
        ((), "shown"),
        (("c",), "in part (no better than one layer)"),
        ((ONE_TIME,), "in part (no better than one time for all)"),
        (("a", "c"), "in part (no better than level (a) and one layer)"),
        (("a", ONE_TIME), "not shown"),
        (("a", "c", ONE_TIME), "not shown"),
    ],
)
def test_level(worse_than, verdict):
    def around(value, width):
        return Resampled(np.array([value]), np.linspace(value - width, value + width, 99))

    def errors(width, modes):
        against = {rival: around(0.1 if rival in worse_than else -0.1, width) for rival in RIVALS}
        return Errors("e", {}, around(0.3, 0.1), against, (modes,), (50,))

    assert verdicts.level_verdict(errors(0.02, 40)) == verdict
    assert verdicts.level_verdict(errors(0.5, 40)) == "not shown", "intervals that hold 0"
    assert verdicts.level_verdict(errors(0.02, 7)).startswith("inconclusive (fewer")


@pytest.mark.parametrize(
    ("early", "later", "verdict"),
    [
        ([0.95, 0.96, 0.97], [-0.1, -0.12, -0.11], "shown"),
        ([0.95, 0.96, 0.97], [0.1, 0.12, 0.11], "in part (early, and later no less)"),
        ([0.5, 0.96, 0.97], [-0.1, -0.12, -0.11], "not shown"),
        ([0.95], [-0.1], "inconclusive (fewer than two seeds)"),
    ],
)
def test_one_linear_convolution(early, later, verdict):
    assert verdicts.linear_verdict(student_interval(early), student_interval(later), 0.9) == verdict


def test_alignment():
    for last, gained, verdict in (
        ([0.99, 0.98, 0.99], [0.5, 0.6, 0.5], "shown"),
        ([0.99, 0.98, 0.99], [0.0, 0.1, -0.1], "not shown"),
        ([0.91, 0.99, 0.85], [0.5, 0.6, 0.5], "not shown"),
        ([0.99], [0.5], "inconclusive (fewer than two seeds)"),
    ):
        assert verdicts.aligned_verdict(student_interval(last), student_interval(gained), 0.9) == verdict
