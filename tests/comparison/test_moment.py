"""Moments in words."""

import numpy as np

from eigenclock.comparison.moment import Moment


def test_words():
    assert str(Moment(4100.0, 3500.0, 4700.0)) == "step 4,100 ± 15 %"
    assert str(Moment(200.0, 199.0, 450.0)) == "step 200 (between 200 and 450)"
    assert str(Moment(55.4, 55.4, 55.4, known=True)) == "step 55, past"
    assert str(Moment(np.nan, np.nan, np.nan)) == "no forecast yet"
    assert str(Moment(9000.0, 410.0, np.inf)) == "after step 410"
    assert Moment(4100.0, 3400.0, 5200.0).when() == "by 4,100 (3,400–5,200)"
    assert Moment(np.inf, 410.0, np.inf).when() == "after 410"
    assert Moment(41.0, 41.0, 41.0, known=True).when() == "since 41"
    assert Moment(41.0, 41.0, 95.0, known=True).when() == "since 41, though perhaps not for good until 95"
    assert str(Moment(41.0, 41.0, 95.0, known=True)) == "step 41, past, though perhaps not for good until 95"
    assert Moment(41.0, 41.0, np.inf, known=True).when() == "since 41, though perhaps not for good"
    assert Moment(np.nan, np.nan, np.nan).when() == "at a step not known yet"


def test_of_draws():
    draws = np.array([1.0, 2.0, 3.0, 4.0, np.inf])
    moment = Moment.of_draws(draws, 0.5)
    assert (moment.step, moment.low, moment.high) == (3.0, 2.0, 4.0)
    assert Moment.of_draws(np.full(5, np.inf), 0.8).one_sided
    assert Moment.of_draws(np.full(5, np.inf), 0.8).when() == "by a step beyond this forecast"


def test_a_median_in_the_past_is_known():
    draws = np.array([30.0, 30.0, 30.0, 70.0, 90.0])
    moment = Moment.of_draws(draws, 0.8, 40.0)
    assert (moment.step, moment.low, moment.high, moment.known) == (30.0, 30.0, 90.0, True)
    assert not Moment.of_draws(draws, 0.8, 20.0).known
